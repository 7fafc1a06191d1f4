//! The target `job_file` under libFuzzer.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::job_file::check(bytes));
