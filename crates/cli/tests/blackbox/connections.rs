//! Ten thousand connections at once, as many as a server lets in by default: its memory stays bounded, whoever is in is
//! answered, and whoever comes beyond them waits and is answered in turn.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;

use crate::support::server::Server;
use crate::support::signed::Signed;

/// What the configuration says unless told otherwise.
const CONNECTIONS: usize = 10_000;
/// Files that this process and the server need beside those.
const SPARE: u64 = 500;
/// Memory that a connection may cost, with a request begun on it.
const KB_EACH: usize = 32;

/// How a request that calls nothing is answered.
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found";

/// Memory of the server that is in use, in KB.
fn resident_kb(server: &Server) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn ask(connection: &mut TcpStream) {
    connection.write_all(b"GET /v2/index.php HTTP/1.1\r\nHost: a\r\n\r\n").expect("it is taken");
}

/// The status line of an answer, which is read whole.
fn answered(connection: &mut TcpStream) -> String {
    let mut answer = String::new();
    while !answer.contains("There is nothing here.\n") {
        let mut bytes = [0; 1_024];
        let read = connection.read(&mut bytes).expect("it is answered");
        assert!(read > 0, "the connection ended after {answer:?}");
        answer.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn memory_is_bounded_under_ten_thousand_connections() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a process has limits");
    let wanted = CONNECTIONS as u64 + SPARE;
    assert!(hard >= wanted, "this needs a hard limit of {wanted} open files (ulimit -Hn), and finds {hard}");
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(wanted), hard).expect("it is within the hard limit");
    let server = Server::start();
    let client = Signed::new(&server);
    client.call("tdmq", "CreateCmqTopic", &json!({"TopicName": "before"})).expect("a right request");
    // Its own connection is closed, so that all places are free.
    drop(client);
    let before = resident_kb(&server);

    // One that will be kept alive, and many that begin a request and never end it.
    let connect = || TcpStream::connect(server.address()).expect("the system takes it");
    let mut first = connect();
    ask(&mut first);
    assert_eq!(answered(&mut first), NOT_FOUND);
    let mut idle = Vec::new();
    for _ in 1..CONNECTIONS {
        let mut connection = connect();
        connection.write_all(b"POST / HTTP/1.1\r\nHost: a\r\n").expect("it is taken");
        idle.push(connection);
    }
    let mut late = connect();
    ask(&mut late);
    let grown = resident_kb(&server).saturating_sub(before);
    assert!(grown < KB_EACH * CONNECTIONS, "{grown} KB for {CONNECTIONS} connections");

    // Whoever is in is answered; whoever is not waits until somebody has left.
    ask(&mut first);
    assert_eq!(answered(&mut first), NOT_FOUND);
    late.set_nonblocking(true).expect("a socket");
    let waits = late.read(&mut [0; 12]).expect_err("nothing has come");
    assert_eq!(waits.kind(), ErrorKind::WouldBlock);
    late.set_nonblocking(false).expect("a socket");
    idle.pop();
    assert_eq!(answered(&mut late), NOT_FOUND);
}
