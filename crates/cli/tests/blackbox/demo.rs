//! `herald demo`: the whole of it in one command.

use std::fs;
use std::process::Stdio;

use crate::support::processes;
use crate::support::server::herald;

#[test]
fn the_demo_shows_every_event_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut demo = herald(folder.path());
    demo.arg("demo").env("TMPDIR", folder.path()).env_remove("HERALD_SECRET_ID").env_remove("HERALD_SECRET_KEY");
    let output = demo.stdin(Stdio::null()).output().expect("herald runs");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let left = processes::started_under(folder.path());
    processes::end_all_under(folder.path());
    assert_eq!(output.status.code(), Some(0), "{shown}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(left.is_empty(), "the demo's processes ended with it: {left:?}");
    let lower = shown.to_lowercase();
    for word in ["expected", "callback", "queue", "gaps", "job_succeed", " ms"] {
        assert!(lower.contains(word), "{word} in {shown}");
    }
    let files: Vec<_> = fs::read_dir(folder.path()).expect("the folder is there").flatten().collect();
    assert!(files.is_empty(), "the demo's folder went with it: {files:?}");
}

#[test]
fn the_demo_needs_something_to_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).expect("a folder in the test's own");
    let mut demo = herald(folder.path());
    demo.args(["demo", "--input"]).arg(&empty).stdin(Stdio::null());
    let output = demo.output().expect("herald runs");
    processes::end_all_under(folder.path());
    assert!(matches!(output.status.code(), Some(1 | 2)), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("empty"), "the message names the folder: {told}");
}
