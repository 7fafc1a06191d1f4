//! Instances that run as another user, where the server is root: with nothing of the server's in reach.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Output, Stdio};

use nix::unistd::{User, geteuid};
use serde_json::{Value, json};

use crate::support::field::Field;
use crate::support::files::{Web, tgz};
use crate::support::server::{Server, herald};

/// A user that every machine has, and that may do nothing.
const NOBODY: &str = "nobody";

/// `herald serve` with a user for its instances, on data in a folder of the test.
fn serve(server: &Server, user: &str, data: &str) -> Output {
    let config = server.folder().join("user.toml");
    fs::write(&config, format!("[nodes]\nuser = {user:?}\n")).expect("a file of the test");
    let mut serve = herald(server.folder());
    serve.args(["serve", "--listen", "127.0.0.1:0", "--data", data, "--config"]).arg(config).stdin(Stdio::null());
    serve.output().expect("herald serve runs")
}

#[track_caller]
fn refused(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(words), "{said}");
}

#[test]
fn instances_run_as_the_user_and_reach_nothing_of_the_servers() {
    if !geteuid().is_root() {
        // Nobody but root can; that is said, and no instance runs as somebody else than it was to.
        return refused(&serve(&Server::start(), NOBODY, "other"), "only root can run instances as the user `nobody`");
    }
    let user = User::from_name(NOBODY).expect("users are known").expect("there is one");
    let mut field = Field::start(&format!("[nodes]\nuser = {NOBODY:?}\n"), 1);
    let data = field.server.folder().join("data");
    let data = data.display();
    // As a plain command it says who it is, where it may write, and what it can read of the server's.
    let command = format!(
        "id -u; id -g; echo $USER $HOME; pwd > made; cat $PWD/made >/dev/null && echo mine; \
         cat {data}/herald.db {data}/master.key {data}/nodes/*/node.json; \
         ls {data}; kill -0 {}",
        field.server.pid()
    );
    let task = field.task("plain", &command, 1);
    let job = field.submit(&[task], json!({"JobName": "plain"}));
    field.wait_for(&job, "FAILED");
    let output = |field: &Field, job: &str, task: &str, more: &[&str]| {
        let said = field.server.herald(&[&["job", "logs", job, task], more].concat());
        String::from_utf8_lossy(&said.stdout).into_owned()
    };
    let home = user.dir.display();
    let expected = format!("{}\n{}\n{NOBODY} {home}\nmine\n", user.uid, user.gid);
    assert_eq!(output(&field, &job, "plain", &[]), expected);
    let refused = output(&field, &job, "plain", &["--stderr"]);
    for kept in ["herald.db", "master.key", "node.json", "data'"] {
        let is_refused = |line: &str| line.contains(kept) && line.ends_with("Permission denied");
        assert!(refused.lines().any(is_refused), "{kept}: {refused}");
    }
    assert!(refused.contains("Operation not permitted"), "the server is not its to signal: {refused}");

    // What root starts on the way obeys no variable of the task's: the one shell tells of a library that is not there.
    let mut task = field.task("preloaded", "echo $OWN", 1);
    task["EnvVars"] = json!([{"Name": "LD_PRELOAD", "Value": "/not/there.so"}, {"Name": "OWN", "Value": "a b"}]);
    let job = field.submit(&[task], json!({"JobName": "preloaded"}));
    field.wait_for(&job, "SUCCEED");
    assert_eq!(output(&field, &job, "preloaded", &[]), "a b\n");
    let told = output(&field, &job, "preloaded", &["--stderr"]);
    assert_eq!(told.matches("/not/there.so").count(), 1, "{told}");

    // Nobody else is let in by that.
    let mode = fs::metadata(field.server.folder().join("data")).expect("it is there").mode();
    assert_eq!(mode & 0o777, 0o710);

    // A step fetches, copies and runs as the user too.
    let files = Web::serve([("/p.tgz".to_owned(), tgz(&[("say", "#!/bin/sh\nid -u; ls -ln say\n")]))].into());
    let packaged = |command: &str| -> Value {
        let mut task = field.task("packaged", command, 1);
        task["Application"] =
            json!({"DeliveryForm": "PACKAGE", "PackagePath": files.url("/p.tgz"), "Command": command});
        task
    };
    let task = packaged("sh say");
    let job = field.submit(&[task], json!({"JobName": "packaged"}));
    field.wait_for(&job, "SUCCEED");
    let said = output(&field, &job, "packaged", &[]);
    let (who, file) = said.split_once('\n').expect("two lines");
    assert_eq!((who, file.split_whitespace().nth(2)), (user.uid.to_string().as_str(), Some(who)), "{said}");
    // What comes to the server's own folders would come there as the user, who may not.
    let bucket = field.server.folder().join("data/cos/b-1");
    fs::create_dir(&bucket).expect("a bucket");
    fs::write(bucket.join("in"), "input").expect("an object");
    let mut task = field.task("copied", "cat into/in", 1);
    task["InputMappings"] =
        json!([{"SourcePath": "cos://b-1.cos.ap-guangzhou.myqcloud.com/", "DestinationPath": "into/"}]);
    let job = field.submit(&[task.clone()], json!({"JobName": "copied"}));
    field.wait_for(&job, "SUCCEED");
    assert_eq!(output(&field, &job, "copied", &[]), "input");
    task["InputMappings"][0]["DestinationPath"] = "/etc/herald-test/".into();
    let job = field.submit(&[task], json!({"JobName": "outside"}));
    field.wait_for(&job, "FAILED");
    let reason = field.instances(&job, "copied")[0]["StateReason"].clone();
    assert!(reason.as_str().is_some_and(|reason| reason.contains("Permission denied")), "{reason}");

    // A container would be started by root.
    let mut task = field.task("contained", "true", 1);
    task["Application"]["Docker"] = json!({"Image": "busybox"});
    let job = field.submit(&[task], json!({"JobName": "contained"}));
    field.wait_for(&job, "FAILED");
    let reason = field.instances(&job, "contained")[0]["StateReason"].clone();
    assert!(reason.as_str().is_some_and(|reason| reason.contains("a user who may start none")), "{reason}");
}

#[test]
fn a_user_that_cannot_be_is_refused_at_the_start() {
    let server = Server::start();
    refused(&serve(&server, "nobody-of-this-name", "other"), "there is no user `nobody-of-this-name` on this machine");
    refused(&serve(&server, "root", "other"), "the user `root` is root");
    let closed = server.folder().join("closed");
    fs::create_dir(&closed).expect("a folder of the test");
    fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).expect("it is the test's own");
    assert_eq!(fs::metadata(&closed).expect("it is there").mode() & 0o777, 0o700);
    let said = serve(&server, NOBODY, "closed/data");
    let words = if geteuid().is_root() { "the user `nobody` cannot enter " } else { "only root can run instances" };
    refused(&said, words);

    // A machine that joins says so itself, before it says anything to the server.
    let mut agent = herald(server.folder());
    agent.args(["agent", "--home", "machine", "--join", &server.endpoint(), "--token", "any", "--user", "root"]);
    refused(&agent.stdin(Stdio::null()).output().expect("herald agent runs"), "the user `root` is root");
}
