//! README's "A first session", as it is written, by a shell.
//!
//! Two commands are replaced: `cargo`, since the binary is built already, and `herald serve`, which gets a free port
//! in the place of its usual one.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::events::{batch_text, event};
use crate::support::official::alone;
use crate::support::processes;
use crate::support::server::binary;

const README: &str = include_str!("../../../../README.md");

#[test]
fn readme_s_first_session_works_as_it_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).expect("a folder in the test's own");
    script(&bin.join("cargo"), "exit 0");
    let program = binary();
    let serve = "if [ \"$1\" = serve ]; then shift; set -- serve --listen 127.0.0.1:0 \"$@\"; fi";
    script(&bin.join("herald"), &format!("{serve}\nexec {} \"$@\"", program.display()));

    // The server outlives the shell and keeps its output open, so that is no pipe.
    let shown = folder.path().join("shown");
    let output = File::create(&shown).expect("a file in the test's own folder");
    let mut bash = Command::new("bash");
    bash.args(["-e", "-c", first_session()]).current_dir(folder.path()).stdin(Stdio::null());
    bash.stdout(output.try_clone().expect("a file can be shared")).stderr(output);
    let path = std::env::var("PATH").unwrap_or_default();
    alone(&mut bash, folder.path()).env("PATH", format!("{}:{path}", bin.display()));
    bash.env_remove("HERALD_SECRET_ID").env_remove("HERALD_SECRET_KEY").env_remove("HERALD_ENDPOINT");
    let status = bash.status().expect("bash runs");
    processes::end_all_under(folder.path());

    let shown = fs::read_to_string(shown).expect("the shell's output");
    assert!(status.success(), "{shown}");
    let lines: Vec<&str> = shown.lines().collect();
    let told = event(lines.iter().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("no event: {shown}")));
    assert_eq!(told["EventName"], "JOB_SUCCEED", "{told}");
    assert!(lines.contains(&batch_text(&told, "JobId")), "the job that was submitted: {shown}");
}

/// The text of the first block of code under the heading.
fn first_session() -> &'static str {
    let (_, section) = README.split_once("## A first session\n").expect("README has the section");
    let (_, block) = section.split_once("```sh\n").expect("the section has a block of commands");
    block.split_once("```").expect("the block ends").0
}

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("a script is written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode is set");
}
