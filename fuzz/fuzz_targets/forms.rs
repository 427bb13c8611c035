//! Fuzzes `creel::signature::fuzzed::forms`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| creel::signature::fuzzed::forms(bytes));
