//! Fuzzes `creel::signature::fuzzed::timestamps`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| creel::signature::fuzzed::timestamps(bytes));
