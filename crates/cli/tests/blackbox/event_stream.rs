//! `herald event tail` over the death of its server: nothing is missed, and nothing is told twice.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::server::{Server, herald};

#[test]
fn a_stream_goes_on_behind_what_was_told_when_its_server_dies() {
    let mut server = Server::start_with("[messages]\nkeep_untaken = true\n");
    let made = server.herald(&["topic", "create", "news"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let publish = |server: &Server, text: &str| {
        let published = server.herald(&["topic", "publish", "news", text]);
        assert!(published.status.success(), "{}", String::from_utf8_lossy(&published.stderr));
    };
    publish(&server, "1");
    let mut tail = herald(server.folder());
    tail.args(["event", "tail", "--topic", "news", "--all", "--count", "4", "--json", "--data", "data"]);
    let mut tail = tail.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("herald runs");
    let mut lines = BufReader::new(tail.stdout.take().expect("stdout was asked to be piped")).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("the stream goes on").expect("herald prints UTF-8");
        serde_json::from_str(&line).expect("JSON")
    };
    assert_eq!(next()["MsgBody"], "1");
    publish(&server, "2");
    assert_eq!(next()["MsgBody"], "2");
    server.kill9();
    server.restart();
    publish(&server, "3");
    publish(&server, "4");
    assert_eq!((next()["Place"].clone(), next()["MsgBody"].clone()), (json!(3), json!("4")));
    assert!(tail.wait().expect("it is a child").success());
}
