//! Packages: archives that commands come in.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tar::EntryType;

use crate::support::field::Field;
use crate::support::files::{Web, tgz, tgz_of, zip};

/// A run that failed is repeated at once.
const NO_PAUSE: &str = "[jobs]\nretry_pause_s = 0\n[nodes]\nslots = 2\n";
const COS: &str = "cos://data-1250000000.cos.ap-guangzhou.myqcloud.com/";

fn packed(field: &Field, name: &str, package: &str, command: &str) -> Value {
    let mut task = field.task(name, command, 1);
    task["Application"]["DeliveryForm"] = json!("PACKAGE");
    task["Application"]["PackagePath"] = json!(package);
    task
}

#[test]
fn a_command_runs_in_its_package_wherever_that_comes_from() {
    let script = "#!/bin/sh\ncat data/name > \"$OUT\"; exit 0\n";
    let files = [("bin/run", script), ("data/name", "packed")];
    let (tar, zip) = (tgz(&files), zip(&files));
    let web = [("/a.tgz", tar.clone()), ("/a.zip", zip.clone()), ("/moved", b"->/a.tgz".to_vec())];
    let web = Web::serve(web.map(|(path, file)| (path.to_owned(), file)).into());
    let mut field = Field::start(NO_PAUSE, 1);
    let bucket = field.server.folder().join("data/cos/data-1250000000/deep");
    fs::create_dir_all(&bucket).expect("a folder of the test");
    for (name, file) in [("a.tar.gz", &tar), ("a.zip", &zip)] {
        fs::write(bucket.join(name), file).expect("a file of the test");
        fs::write(field.path(name), file).expect("a file of the test");
    }
    let own = |name: &str| field.path(name).display().to_string();
    let packages = [
        web.url("/a.tgz?signature=x"),
        web.url("/a.zip"),
        web.url("/moved"),
        format!("file://{}", own("a.tar.gz")),
        own("a.zip"),
        format!("{COS}deep/a.tar.gz"),
        format!("{COS}deep/a.zip"),
    ];
    let tasks: Vec<Value> = packages
        .iter()
        .enumerate()
        .map(|(number, package)| {
            let out = own(&format!("out-{number}"));
            packed(&field, &format!("t{number}"), package, &format!("OUT={out} ./bin/run"))
        })
        .collect();
    let job = field.submit(&tasks, json!({}));
    field.wait_for(&job, "SUCCEED");
    for (number, package) in packages.iter().enumerate() {
        let written = fs::read_to_string(field.path(&format!("out-{number}"))).expect("the run wrote it");
        assert_eq!(written, "packed", "{package}");
    }
}

#[test]
fn a_package_that_would_do_harm_fails_its_run_and_writes_nothing_outside() {
    let huge = 64 * 1024 * 1024 * 1024;
    let gone = "/nowhere.tgz";
    let victim = "herald-was-here";
    let up = format!("../../../{victim}");
    let cases = [
        (
            "/up.tgz",
            tgz_of(EntryType::Regular, &up, 0, ""),
            "PackageInvalid: ../../../herald-was-here leads out of its folder",
        ),
        (
            "/root.tgz",
            tgz_of(EntryType::Regular, "/tmp/herald-was-here", 0, ""),
            "PackageInvalid: /tmp/herald-was-here leads out",
        ),
        (
            "/link.tgz",
            tgz_of(EntryType::Symlink, "l", 0, "/etc"),
            "PackageInvalid: the link l to /etc leads out of its folder",
        ),
        (
            "/hard.tgz",
            tgz_of(EntryType::Link, "l", 0, "/etc/passwd"),
            "PackageInvalid: the link l to /etc/passwd leads to no file",
        ),
        ("/device.tgz", tgz_of(EntryType::Block, "sda", 0, ""), "PackageInvalid: sda is of a kind"),
        (
            "/bomb.tgz",
            tgz_of(EntryType::Regular, "zeros", huge, ""),
            "PackageInvalid: it unpacks to more than 34359738368 bytes",
        ),
        ("/zip.zip", zip(&[(&up, "")]), "PackageInvalid: ../../../herald-was-here leads out of its folder"),
        ("/text.tgz", b"hello".to_vec(), "PackageInvalid: it is neither a gzip-compressed tar"),
        ("/short.tgz", tgz(&[("x", "content")])[..30].to_vec(), "PackageInvalid: it is broken"),
    ];
    let web = Web::serve(cases.iter().map(|(path, file, _)| ((*path).to_owned(), file.clone())).collect());
    let mut field = Field::start(NO_PAUSE, 1);
    let mut wanted: Vec<(String, &str)> = cases.iter().map(|(path, _, reason)| (web.url(path), *reason)).collect();
    wanted.push((web.url(gone), "PackageUnavailable: failed to fetch http://"));
    wanted.push((format!("{COS}nothing.tgz"), "PackageUnavailable: failed to fetch "));
    wanted.push(("/nowhere/at/all.tgz".to_owned(), "PackageUnavailable: failed to fetch /nowhere/at/all.tgz"));
    let ran = field.path("ran");
    let command = format!("touch {}", ran.display());
    let tasks: Vec<Value> = wanted
        .iter()
        .enumerate()
        .map(|(number, (package, _))| {
            let mut task = packed(&field, &format!("t{number}"), package, &command);
            task["MaxRetryCount"] = json!(1);
            task
        })
        .collect();
    let job = field.submit(&tasks, json!({}));
    field.wait_for(&job, "FAILED");
    for (number, (package, reason)) in wanted.iter().enumerate() {
        let instance = field.instances(&job, &format!("t{number}")).remove(0);
        let told = instance["StateReason"].as_str().expect("a text");
        assert!(told.starts_with(reason), "{package}: {told}");
    }
    // A bad package is a failed run like others: it is tried again.
    let tries = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    assert_eq!(tries.count("TASK_INSTANCE_RETRYING"), wanted.len());
    assert!(!ran.exists(), "a command ran without its package");
    let written = all_below(field.server.folder());
    assert!(!written.iter().any(|path| path.ends_with(victim)), "{written:?}");
    assert!(!Path::new("/tmp").join(victim).exists());
}

/// Every file and folder below a folder.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let below =
        |path: PathBuf| [vec![path.clone()], if path.is_dir() { all_below(&path) } else { Vec::new() }].concat();
    entries.flat_map(|entry| below(entry.path())).collect()
}

#[test]
fn a_run_that_still_fetches_its_package_ends_when_it_is_told_to() {
    // It takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
    let address = silent.local_addr().expect("a bound listener has an address");
    let mut field = Field::start("[nodes]\ngrace_ms = 600000\n", 1);
    let job = field.submit(&[packed(&field, "t", &format!("http://{address}/p.tgz"), "true")], json!({}));
    field.job_events(&job, |log| log.count("TASK_INSTANCE_RUNNING") == 1);
    field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
    field.wait_for(&job, "FAILED");
    assert_eq!(field.instances(&job, "t")[0]["StateReason"], "Terminated");
}
