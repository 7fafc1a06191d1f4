//! Builds, tests and measures Herald: `cargo xtask test`, `cargo xtask bench NAME`, `cargo xtask fuzz`,
//! `cargo xtask clients`.
//!
//! What a fresh machine lacks is installed here, not by hand: a virtual environment with the official clients that
//! the black-box tests run, and what they need of Debian (Python where there is none, podman) where the user may
//! install packages.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal; it has no other output")]

mod bench;
mod checkers;
mod clients;
mod fuzz;
mod packages;
mod process;
mod suite;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::process::Failure;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, tests and measures Herald", disable_help_subcommand = true)]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run all tests, or those that the arguments for `cargo test` name (`-p kernel`, `--test blackbox kill`).
    Test {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
        cargo: Vec<String>,
    },
    /// Run a benchmark, or all; `list` tells their names. Exits 1 below a floor.
    Bench {
        /// A name from `list`, `all`, or `list`.
        name: String,
    },
    /// Let libFuzzer look for inputs that break what `crates/fuzz` says must hold; what it needs is installed.
    Fuzz {
        /// A target, or `all`.
        #[arg(default_value = "all")]
        target: String,
        /// Seconds for each target.
        #[arg(long, default_value_t = 600)]
        seconds: u32,
    },
    /// Install the official clients that the tests run, and print where their Python is.
    Clients,
}

fn main() -> ExitCode {
    let root = workspace();
    let done = match Xtask::parse().task {
        Task::Test { cargo } => suite::run(&root, &cargo),
        Task::Bench { name } => bench::run_named(&root, &name),
        Task::Fuzz { target, seconds } => fuzz::run(&root, &target, seconds),
        Task::Clients => clients::prepare(&root).map(|python| println!("{}", python.display())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            explain(&failure);
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace: the parent of this crate's.
fn workspace() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().expect("xtask is a folder of the workspace").to_path_buf()
}

/// Prints a failure with its causes.
fn explain(failure: &Failure) {
    eprintln!("xtask: {failure}");
    let mut cause = std::error::Error::source(failure);
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}
