//! Fuzzes `creel::signature::fuzzed::json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| creel::signature::fuzzed::json(bytes));
