//! Fuzzes `creel::signature::fuzzed::signature_places`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| creel::signature::fuzzed::signature_places(bytes));
