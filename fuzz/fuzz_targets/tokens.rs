//! Fuzzes `creel::signature::fuzzed::tokens`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| creel::signature::fuzzed::tokens(bytes));
