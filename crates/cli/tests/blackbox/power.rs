//! What a power cut would leave: nothing is acknowledged before the disk has it.
//!
//! SIGKILL spares what the system has not yet written, so the kills of `kill.rs` cannot show this. Here the server's
//! system calls are traced while clients ask for changes. Of each change its own words are looked for: read from a
//! connection, written into the write-ahead log, the log synced after that, and only then something written on that
//! connection.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::support::requests::topic_with_queue;
use crate::support::server::Server;

/// Longer than any request and any page of the log.
const SHOWN_BYTES: &str = "100000";
const ROUNDS: usize = 8;

/// A system call that has ended, in the order in which they ended.
struct Call<'t> {
    name: &'t str,
    /// What its first argument stands for, such as `12</data/herald.db-wal>`.
    file: &'t str,
    /// Everything the trace shows of it.
    shown: String,
    /// The lines at which it began and ended.
    began: usize,
    ended: usize,
}

impl Call<'_> {
    fn is_sync_of_the_log(&self) -> bool {
        self.name.ends_with("sync") && self.file.ends_with("-wal>") && self.shown.ends_with("= 0")
    }
}

/// Reads a trace as `strace -f -y` writes it. Calls during which other threads made some are in two pieces.
fn calls(trace: &str) -> Vec<Call<'_>> {
    let mut begun: BTreeMap<&str, Call<'_>> = BTreeMap::new();
    let mut ended = Vec::new();
    for (line, text) in trace.lines().enumerate() {
        let Some((thread, text)) = text.split_once(' ') else { continue };
        let text = text.trim_start();
        if text.starts_with("<... ") {
            let Some(mut call) = begun.remove(thread) else { continue };
            call.shown.push_str(text);
            call.ended = line;
            ended.push(call);
            continue;
        }
        let Some((name, arguments)) = text.split_once('(') else { continue };
        let file = arguments.split([',', ')']).next().unwrap_or_default();
        let file = file.strip_suffix(" <unfinished ...>").unwrap_or(file);
        let call = Call { name, file, shown: text.to_owned(), began: line, ended: line };
        if text.ends_with("<unfinished ...>") {
            begun.insert(thread, call);
        } else {
            ended.push(call);
        }
    }
    ended
}

/// Whether the change of these words was on the disk when it was acknowledged; else what is missing.
fn synced(calls: &[Call<'_>], words: &str) -> Result<(), String> {
    let is_read = |call: &&Call<'_>| matches!(call.name, "read" | "recvfrom") && call.shown.contains(words);
    let request = calls.iter().find(is_read).ok_or("no request has them")?;
    let after = |line: usize| calls.iter().filter(move |call| call.began > line);
    let is_logged = |call: &&Call<'_>| {
        call.name.starts_with("pwrite") && call.file.ends_with("-wal>") && call.shown.contains(words)
    };
    let logged = after(request.ended).find(is_logged).ok_or("they are not written into the log")?;
    let sync = after(logged.ended).find(|call| call.is_sync_of_the_log()).ok_or("the log is not synced after that")?;
    let is_reply =
        |call: &&Call<'_>| matches!(call.name, "write" | "writev" | "sendto" | "sendmsg") && call.file == request.file;
    let reply = after(request.ended).find(is_reply).ok_or("nothing is replied")?;
    if reply.began > sync.ended { Ok(()) } else { Err(format!("replied before the sync: {}", reply.shown)) }
}

/// Follows a server's system calls until it is stopped.
struct Trace {
    strace: Child,
}

impl Trace {
    fn of(server: &Server) -> Self {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-y", "-s", SHOWN_BYTES, "-o"]).arg(server.folder().join("trace"));
        strace.args(["-e", "trace=read,recvfrom,write,writev,sendto,sendmsg,pwrite64,fsync,fdatasync"]);
        strace.args(["-p", &server.pid().to_string()]).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut strace = strace.spawn().expect("strace runs; install it (Debian: apt-get install strace)");
        let mut told = BufReader::new(strace.stderr.take().expect("stderr was asked to be piped"));
        let mut line = String::new();
        told.read_line(&mut line).expect("strace says what it does");
        assert!(line.contains("attached"), "strace follows the server: {line}");
        // It goes on to tell of each new thread, and would end where nobody could hear it.
        strace.stderr = Some(told.into_inner());
        Self { strace }
    }

    /// Lets the server go, and returns what was seen.
    fn stop(mut self, server: &Server) -> String {
        let pid = Pid::from_raw(i32::try_from(self.strace.id()).expect("a process id is an i32"));
        kill(pid, Signal::SIGINT).expect("a child can be signalled");
        self.strace.wait().expect("a child can be waited for");
        let trace = fs::read(server.folder().join("trace")).expect("strace has written it");
        String::from_utf8_lossy(&trace).into_owned()
    }
}

#[test]
fn nothing_is_acknowledged_before_the_disk_has_it() {
    let server = Server::start();
    let mut official = server.official();
    topic_with_queue(&mut official, "news", "inbox");
    let trace = Trace::of(&server);
    let mut all = Vec::new();
    let mut words = |kind: &str, round: usize| {
        let words = format!("proof-{kind}-{round:02}");
        all.push(words.clone());
        words
    };
    for round in 0..ROUNDS {
        let topic = json!({"TopicName": words("topic", round)});
        official.tdmq("CreateCmqTopic", topic).expect("a right request");
        let sent = json!({"queue": "inbox", "text": words("sent", round)});
        official.cmq("send", sent).expect("a right request");
        let published = json!({"topic": "news", "text": words("published", round)});
        official.cmq("publish", published).expect("a right request");
    }
    let trace = trace.stop(&server);
    let seen = calls(&trace);
    let wrong: Vec<String> =
        all.iter().filter_map(|words| synced(&seen, words).err().map(|why| format!("{words}: {why}"))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");

    // The same without its syncs is found wrong, each change of it.
    let unsynced: Vec<Call<'_>> = seen.into_iter().filter(|call| !call.is_sync_of_the_log()).collect();
    let missed: Vec<&String> = all.iter().filter(|words| synced(&unsynced, words).is_ok()).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
