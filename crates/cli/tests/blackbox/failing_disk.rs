//! A disk that fails: calls of the server's to the system are made to fail under it. What was acknowledged is there
//! afterwards, what was struck is there whole or not at all, and nobody is told what is not so.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::server::{Server, herald};
use crate::support::signed::Signed;
use crate::support::strace::Strace;

/// The exit status of a process that cannot know whether its last commit is on the disk.
const ENDED_BY_THE_DISK: i32 = 70;

/// How a commit is refused of which nothing was written.
const REFUSED: (&str, &str) = ("InternalError", "the command could not be committed");

/// Which calls fail, as strace is told.
const FAILURES: [(&str, &str); 5] = [
    ("a sync with EIO", "fsync,fdatasync:error=EIO"),
    ("a write with EIO", "pwrite64:error=EIO"),
    ("a write with ENOSPC", "pwrite64:error=ENOSPC"),
    ("a write with EROFS", "pwrite64:error=EROFS"),
    ("every second write with EIO", "pwrite64:error=EIO:when=1+2"),
];

fn topics(client: &Signed) -> BTreeSet<String> {
    let listed = client.call("tdmq", "DescribeCmqTopics", &json!({"Limit": 50})).expect("a right request");
    let names = listed["TopicList"].as_array().expect("a list").iter();
    names.map(|topic| topic["TopicName"].as_str().expect("a name").to_owned()).collect()
}

fn named(name: &str) -> Value {
    json!({"TopicName": name})
}

#[test]
fn a_commit_that_the_disk_does_not_take_is_not_acknowledged() {
    let mut server = Server::start();
    let mut client = Signed::new(&server);
    let mut taken = BTreeSet::new();
    for (number, (what, failure)) in FAILURES.iter().enumerate() {
        let (before, struck, after) =
            (format!("before-{number}"), format!("struck-{number}"), format!("after-{number}"));
        client.call("tdmq", "CreateCmqTopic", &named(&before)).expect("a right request");
        taken.insert(before);
        let calls = failure.split(':').next().expect("the calls");
        let log = fs::canonicalize(server.folder().join("data/herald.db-wal")).expect("the log is there");
        let log = log.to_str().expect("a plain path");
        let (traced, injected) = (format!("trace={calls}"), format!("inject={failure}"));
        let strace = Strace::attach(&server, &["-e", &traced, "-e", &injected, "-P", log]);

        let answer = client.try_call("tdmq", "CreateCmqTopic", &named(&struck));
        if answer.is_none() {
            assert_eq!(server.wait().code(), Some(ENDED_BY_THE_DISK), "{what}");
        }
        assert!(strace.stop().contains("INJECTED"), "{what}: nothing was made to fail");
        match answer {
            Some(Ok(answer)) => panic!("{what}: acknowledged with {answer}"),
            // Nothing of it was written, and the server goes on.
            Some(Err((code, message))) => {
                assert_eq!((code.as_str(), message.as_str()), REFUSED, "{what}");
                assert_eq!(topics(&client), taken, "{what}");
                let again = client.call("tdmq", "CreateCmqTopic", &named(&struck));
                again.expect("it can be made once the disk takes it");
                taken.insert(struck);
            }
            // Nobody can know, so the server has ended; it is there whole or not at all.
            None => {
                server.restart();
                client.turn_to(server.address());
                let found = topics(&client);
                if found.contains(&struck) {
                    taken.insert(struck);
                }
                assert_eq!(found, taken, "{what}");
            }
        }
        client.call("tdmq", "CreateCmqTopic", &named(&after)).expect("it goes on");
        taken.insert(after);
    }
    server.kill9();
    server.restart();
    client.turn_to(server.address());
    assert_eq!(topics(&client), taken);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_by_name() {
    let mut server = Server::start();
    assert!(server.stop().success());
    let lock = fs::canonicalize(server.folder().join("data/lock")).expect("the lock is there");
    let serve = herald(server.folder());
    let mut strace = std::process::Command::new("strace");
    strace.args(["-f", "-qq", "-o", "trace", "-e", "trace=openat", "-e", "inject=openat:error=EROFS", "-P"]).arg(&lock);
    strace.arg(serve.get_program()).args(["serve", "--listen", "127.0.0.1:0", "--data", "data"]);
    strace.envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ended = strace.current_dir(server.folder()).stdin(Stdio::null()).output().expect("strace runs");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!((ended.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.starts_with("error: failed to open ") && said.contains("data/lock: Read-only file system"), "{said}");
    assert!(ended.stdout.is_empty(), "it never said where it listens");
    server.restart();
}
