//! Fuzzes `creel::signature::fuzzed::templates`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| creel::signature::fuzzed::templates(bytes));
