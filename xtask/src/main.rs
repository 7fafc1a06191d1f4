//! Builds, tests and measures Herald.
fn main() {}
