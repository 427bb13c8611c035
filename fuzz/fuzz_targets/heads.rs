//! Fuzzes `creel::ingress::fuzzed::heads`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| creel::ingress::fuzzed::heads(bytes));
