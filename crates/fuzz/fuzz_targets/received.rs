//! The target `received` under libFuzzer.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::received::check(bytes));
