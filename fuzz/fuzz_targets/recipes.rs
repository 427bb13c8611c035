//! Fuzzes `creel::signature::fuzzed::recipes`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| creel::signature::fuzzed::recipes(bytes));
