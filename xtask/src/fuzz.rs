//! `cargo xtask fuzz`: the targets of `crates/fuzz` under libFuzzer, one after the other.
//!
//! cargo-fuzz drives it, in a version of its own under `target/tools`. It asks for a compiler's unstable flag, for the
//! coverage that libFuzzer goes by; the compiler of the workspace is allowed to take it for these builds alone. No
//! sanitizer: there is no unsafe code here for one to watch.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::explain;
use crate::process::{self, Failure, cargo};

/// The version that is installed.
const CARGO_FUZZ: &str = "0.13.2";
/// Bytes of the longest input that is tried.
const LONGEST: u32 = 8_192;
/// Seconds that one input may take.
const SLOWEST_S: u32 = 20;

/// Runs a target, or all, for so many seconds each.
pub(crate) fn run(root: &Path, target: &str, seconds: u32) -> Result<(), Failure> {
    let known = targets(root)?;
    let chosen: Vec<&String> = known.iter().filter(|name| target == "all" || *name == target).collect();
    if chosen.is_empty() {
        return Err(Failure::NoTarget { name: target.to_owned(), known: known.join(", ") });
    }
    let tool = install(root)?;
    let fails = |name: &&String| run_one(root, &tool, name, seconds).inspect_err(explain).is_err();
    let failed: Vec<&str> = chosen.into_iter().filter(fails).map(String::as_str).collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure::Targets { names: failed.join(", ") }) }
}

/// The names of all targets: those of the programs.
fn targets(root: &Path) -> Result<Vec<String>, Failure> {
    let path = root.join("crates/fuzz/fuzz_targets");
    let failed = |source| Failure::File { what: "list", path: path.clone(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        names.extend(file.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// Installs cargo-fuzz where it is not yet; gives its program back.
fn install(root: &Path) -> Result<PathBuf, Failure> {
    let folder = root.join("target/tools");
    let mut install = cargo(root);
    install.args(["install", "--quiet", "--locked", "--version", CARGO_FUZZ, "--root"]).arg(&folder).arg("cargo-fuzz");
    process::run(&mut install, "install cargo-fuzz")?;
    Ok(folder.join("bin/cargo-fuzz"))
}

fn run_one(root: &Path, tool: &Path, name: &str, seconds: u32) -> Result<(), Failure> {
    let found = root.join("target/fuzz-corpus").join(name);
    std::fs::create_dir_all(&found).map_err(|source| Failure::File { what: "make", path: found.clone(), source })?;
    let mut command = Command::new(tool);
    command.current_dir(root).env("RUSTC_BOOTSTRAP", "1").args(["fuzz", "run", "--sanitizer", "none"]);
    command.args(["--fuzz-dir", "crates/fuzz", "--features", "libfuzzer", "--target-dir", "target/fuzz", name]);
    // What is found goes into the first folder; what is kept with the sources is only read.
    command.arg(&found).arg(root.join("crates/fuzz/corpus").join(name)).arg("--");
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={LONGEST}"));
    command.arg(format!("-timeout={SLOWEST_S}")).args(["-print_final_stats=1", "-rss_limit_mb=4096"]);
    process::run(&mut command, &format!("find nothing wrong with `{name}`"))
}
