//! Fuzzes `creel::signature::fuzzed::filters`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| creel::signature::fuzzed::filters(bytes));
