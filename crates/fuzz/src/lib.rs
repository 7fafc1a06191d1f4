//! What strangers may send: requests, job files, messages, frames, archives, addresses, keys. Each module is a target: it
//! takes any bytes and panics where something does not hold that must hold of all of them.
//!
//! A target is run in two ways. `tests/corpora.rs` takes what lies in `corpus/` and changes of it, so many as
//! `PROPTEST_CASES` says: that needs nothing but this compiler and is part of every test run. `cargo xtask fuzz` lets
//! libFuzzer look for inputs that reach what no input has reached; what it finds worth keeping goes into `corpus/`, and
//! an input that fails is kept there for ever.

pub mod address;
pub mod api;
pub mod archive;
pub mod frame;
pub mod job_file;
mod plain;
pub mod received;
pub mod request;
pub mod routing;

/// A target: its name, which is that of its corpus too, and its check.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 8] = [
    ("address", address::check),
    ("api", api::check),
    ("archive", archive::check),
    ("frame", frame::check),
    ("job_file", job_file::check),
    ("received", received::check),
    ("request", request::check),
    ("routing", routing::check),
];
