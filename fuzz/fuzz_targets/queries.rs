//! Fuzzes `creel::app::operation::fuzzed::queries`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| creel::app::operation::fuzzed::queries(bytes));
