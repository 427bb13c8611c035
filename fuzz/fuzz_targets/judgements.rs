//! Fuzzes `creel::signature::fuzzed::judgements`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| creel::signature::fuzzed::judgements(bytes));
