//! What goes wrong: wrong usage, what does not exist, no server, a reader that goes away.

use std::io;
use std::net::TcpListener;
use std::process::Stdio;

use super::{Client, Said, new_environment};
use crate::support::server::{Server, herald};

#[test]
fn wrong_usage_is_told_before_anyone_is_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let says = |line: &str| {
        let mut herald = herald(folder.path());
        // Nobody listens there, and nobody is to be asked.
        herald.env("HERALD_ENDPOINT", "http://127.0.0.1:1");
        Said::of(herald, &line.split(' ').collect::<Vec<_>>(), "")
    };
    for (line, told) in [
        ("fly", "unrecognized subcommand 'fly'"),
        ("job", "Usage: herald job"),
        ("job show", "<ID>"),
        ("job list --limit many", "--limit"),
        ("job logs job-00000000", "<TASK>"),
        ("job submit", "<FILE>"),
        ("job list --colour", "--colour"),
        ("env scale env-00000000 few", "<NODES>"),
        ("node terminate env-00000000", "<NODES>..."),
        ("topic publish news", "<TEXT>"),
        ("topic publish news x --tag a --routing-key b", "cannot be used with"),
        ("sub create news inbox", "--queue <QUEUE>|--http <URL>"),
        ("sub create news inbox --queue q --http http://a", "cannot be used with"),
        ("sub create news inbox --queue q --format XML", "SIMPLIFIED"),
        ("queue receive inbox --wait 31", "31 is not in 0..=30"),
        ("serve --listen here", "--listen"),
        ("completions cobol", "bash"),
        ("job list --endpoint ftp://a", "should be like http://127.0.0.1:7400"),
    ] {
        says(line).assert_failed(2, &[told]);
    }
    let mut half = herald(folder.path());
    half.env_remove("HERALD_SECRET_KEY").env("HERALD_ENDPOINT", "http://127.0.0.1:1");
    Said::of(half, &["job", "list"], "").assert_failed(2, &["a key has two halves"]);
}

#[test]
fn what_does_not_exist_is_named_with_what_to_do() {
    let server = Server::start();
    let env = new_environment(&server, 0);
    let on_node = format!("node terminate {env} node-00000000");
    for line in ["topic create news", "queue create inbox"] {
        server.says(line).one_line();
    }
    for (line, told) in [
        ("job show job-00000000", ["job-00000000", "herald job list"]),
        ("job show nonsense", ["nonsense", "herald job list"]),
        ("job wait job-00000000", ["job-00000000", "herald job list"]),
        ("job logs job-00000000 say", ["job-00000000", "herald job list"]),
        ("job terminate job-00000000", ["job-00000000", "herald job list"]),
        ("job delete job-00000000", ["job-00000000", "herald job list"]),
        ("env show env-00000000", ["env-00000000", "herald env list"]),
        ("env scale env-00000000 2", ["env-00000000", "herald env list"]),
        ("env delete env-00000000", ["env-00000000", "herald env list"]),
        ("node list env-00000000", ["env-00000000", "herald env list"]),
        ("node terminate env-00000000 node-00000000", ["env-00000000", "herald env list"]),
        (&on_node, ["node-00000000", "herald node list"]),
        ("topic show nope", ["nope", "herald topic list"]),
        ("topic delete nope", ["nope", "herald topic list"]),
        ("topic publish nope text", ["topic is not existed", "herald topic list"]),
        ("topic publish news text", ["no subscription", "herald sub create"]),
        ("sub create nope in --queue inbox", ["nope", "herald topic list"]),
        ("sub create news in --queue nope", ["nope", "herald queue list"]),
        ("sub list nope", ["nope", "herald topic list"]),
        ("sub show news nope", ["nope", "herald sub list news"]),
        ("sub delete news nope", ["nope", "herald sub list"]),
        ("queue show nope", ["nope", "herald queue list"]),
        ("queue send nope text", ["queue is not existed", "herald queue list"]),
        ("queue receive nope", ["queue is not existed", "herald queue list"]),
        ("queue delete nope", ["nope", "herald queue list"]),
        ("job submit nofile.json", ["failed to read nofile.json", ""]),
        ("env create -", ["failed to understand standard input", "line 1"]),
    ] {
        server.says(line).assert_failed(1, &told);
        server.says(&format!("{line} --json")).assert_failed(1, &told);
    }
    server.says_of("job submit -", "{}").assert_failed(1, &["Job.Tasks"]);
}

#[test]
fn without_a_server_it_is_told_how_to_start_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // A port that was free a moment ago; nobody else takes a port of the system's choice so soon.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    let endpoint = format!("http://127.0.0.1:{port}");
    for line in ["job list", "env show env-00000000", "topic create news", "queue receive inbox --json"] {
        let told = [endpoint.as_str(), "start a server with `herald serve`", "--endpoint"];
        let flagged = format!("{line} --endpoint {endpoint}");
        Said::of(herald(folder.path()), &flagged.split(' ').collect::<Vec<_>>(), "").assert_failed(1, &told);
        let told = ["./herald-data/endpoint", "start a server here with `herald serve`"];
        Said::of(herald(folder.path()), &line.split(' ').collect::<Vec<_>>(), "").assert_failed(1, &told);
    }
}

#[test]
fn a_wrong_key_is_told_as_such() {
    let server = Server::start();
    for line in ["job list --secret-key wrong", "queue receive inbox --secret-key wrong"] {
        server.says(line).assert_failed(1, &["the key is not the server's"]);
    }
    server.says("job list --region eu-mars").assert_failed(1, &["ap-guangzhou", "--region"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let server = Server::start();
    for line in ["queue create inbox", "queue send inbox precious"] {
        server.says(line).one_line();
    }
    for line in ["completions zsh", "queue list", "queue list --json", "job init", "queue receive inbox --ack"] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let mut herald = herald(server.folder());
        herald.args(line.split(' ')).env("HERALD_ENDPOINT", server.endpoint());
        let output = herald.stdin(Stdio::null()).stdout(writer).output().expect("herald runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line}: {told}");
        assert!(!told.contains("error"), "{line}: {told}");
    }
    let queue = server.says("queue show inbox --json").json();
    assert_eq!(queue["QueueDescribe"]["InactiveMsgNum"], 1, "what nobody saw is not acknowledged: {queue}");
}

#[test]
fn completions_are_made_for_each_shell() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let said = Said::of(herald(folder.path()), &["completions", shell], "");
        said.assert_printed(&["herald", "terminate", "receive"]);
        assert_eq!(said.err, "", "{shell}");
    }
}
