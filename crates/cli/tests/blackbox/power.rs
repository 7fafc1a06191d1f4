//! What a power cut would leave: nothing is acknowledged before the disk has it.
//!
//! SIGKILL spares what the system has not yet written, so the kills of `kill.rs` cannot show this. Here the server's
//! system calls are traced while clients ask for changes and an agent reports. Of each change its own words are looked
//! for: read from a connection, written into the write-ahead log, the log synced after that, and only then something
//! written on that connection. What is deleted leaves no words in the log: there something of the log is written and
//! synced between the request and its reply, and nothing else goes on.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Bytes;

use serde_json::{Value, json};

use crate::support::field::Field;
use crate::support::requests::topic_with_queue;
use crate::support::strace::Strace;

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

    fn is_write_of_the_log(&self) -> bool {
        self.name.starts_with("pwrite") && self.file.ends_with("-wal>")
    }

    fn is_read(&self) -> bool {
        matches!(self.name, "read" | "recvfrom")
    }

    fn is_write(&self) -> bool {
        matches!(self.name, "write" | "writev" | "sendto" | "sendmsg")
    }

    /// The bytes that it read or wrote.
    fn bytes(&self) -> Vec<u8> {
        let Some((_, shown)) = self.shown.split_once('"') else { return Vec::new() };
        unescaped(shown)
    }

    /// What an agent said in it: the texts of WebSocket frames, which come masked.
    fn told(&self) -> String {
        let bytes = self.bytes();
        let (mut at, mut told) = (0, String::new());
        while let Some([_, second, more @ ..]) = bytes.get(at..) {
            let (head, length) = match (second & 0x7f, more) {
                (126, [a, b, ..]) => (4, usize::from(u16::from_be_bytes([*a, *b]))),
                (127, _) => break,
                (short, _) => (2, usize::from(short)),
            };
            let (Some(mask), Some(body)) = (bytes.get(at + head..at + head + 4), bytes.get(at + head + 4..)) else {
                break;
            };
            let body: Vec<u8> =
                body.iter().take(length).zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
            told.push_str(&String::from_utf8_lossy(&body));
            at += head + 4 + length;
        }
        told
    }
}

/// What strace shows between quotes, up to the closing one.
fn unescaped(shown: &str) -> Vec<u8> {
    let mut rest = shown.bytes().peekable();
    let mut bytes = Vec::new();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => break,
            b'\\' => bytes.push(escape(&mut rest)),
            other => bytes.push(other),
        }
    }
    bytes
}

/// The byte that an escape stands for, as in C.
fn escape(rest: &mut Peekable<Bytes<'_>>) -> u8 {
    match rest.next() {
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'f') => 12,
        Some(b'v') => 11,
        Some(digit @ b'0'..=b'7') => {
            let mut value = u32::from(digit - b'0');
            for _ in 0..2 {
                let Some(digit) = rest.next_if(|byte| (b'0'..=b'7').contains(byte)) else { break };
                value = value * 8 + u32::from(digit - b'0');
            }
            u8::try_from(value).unwrap_or_default()
        }
        other => other.unwrap_or_default(),
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
    let is_request = |call: &&Call<'_>| call.is_read() && call.shown.contains(words);
    let request = calls.iter().find(is_request).ok_or("no request has them")?;
    logged_before_reply(calls, request, |call| call.shown.contains(words), |_| true)
}

/// Whether anything was on the disk when the request with these words was answered; else what is missing.
fn anything_synced(calls: &[Call<'_>], words: &str) -> Result<(), String> {
    let is_request = |call: &&Call<'_>| call.is_read() && call.shown.contains(words);
    let request = calls.iter().find(is_request).ok_or("no request has them")?;
    logged_before_reply(calls, request, |_| true, |_| true)
}

/// Whether the end of a job's run was on the disk, with the job's own, when its agent was told so; else what is missing.
fn report_synced(calls: &[Call<'_>], job: &str) -> Result<(), String> {
    let reports = calls.iter().filter(|call| call.is_read());
    let is_end = |told: &str| told.contains(job) && told.contains("\"exited\"");
    let (report, told) =
        reports.map(|call| (call, call.told())).find(|(_, told)| is_end(told)).ok_or("no report of it")?;
    let number = told.split("\"number\":").nth(1).and_then(|rest| rest.split(',').next()).ok_or("it has no number")?;
    let ack = format!("\"ack\",\"number\":{number}}}");
    let is_ended = |call: &Call<'_>| call.shown.contains(job) && call.shown.contains("JOB_SUCCEED");
    logged_before_reply(calls, report, is_ended, |call| String::from_utf8_lossy(&call.bytes()).contains(&ack))
}

/// Whether what is logged after a request was synced before its reply began; else what is missing.
fn logged_before_reply(
    calls: &[Call<'_>],
    request: &Call<'_>,
    is_change: impl Fn(&Call<'_>) -> bool,
    is_reply: impl Fn(&Call<'_>) -> bool,
) -> Result<(), String> {
    let after = |line: usize| calls.iter().filter(move |call| call.began > line);
    let mut replies = after(request.ended).filter(|call| call.is_write() && call.file == request.file);
    let reply = replies.find(|call| is_reply(call)).ok_or("nothing is replied")?;
    let mut writes = after(request.ended).filter(|call| call.is_write_of_the_log());
    let logged = writes.find(|call| is_change(call)).ok_or("it is not written into the log")?;
    let sync = after(logged.ended).find(|call| call.is_sync_of_the_log()).ok_or("the log is not synced after that")?;
    if reply.began > sync.ended { Ok(()) } else { Err(format!("replied before the sync: {}", reply.shown)) }
}

/// How it is looked whether a change was on the disk.
type Check = fn(&[Call<'_>], &str) -> Result<(), String>;

/// The changes that a check finds to have been acknowledged too early, or not at all, each with what is missing.
fn wrong(calls: &[Call<'_>], changes: &[(Check, String)]) -> Vec<String> {
    let told = |(check, words): &(Check, String)| check(calls, words).err().map(|why| format!("{words}: {why}"));
    changes.iter().filter_map(told).collect()
}

#[test]
fn nothing_is_acknowledged_before_the_disk_has_it() {
    let mut field = Field::start("", 1);
    topic_with_queue(&mut field.official, "news", "inbox");
    let calls_of = "trace=read,recvfrom,write,writev,sendto,sendmsg,pwrite64,fsync,fdatasync";
    let trace = Strace::attach(&field.server, &["-y", "-s", SHOWN_BYTES, "-e", calls_of]);
    let mut changes: Vec<(Check, String)> = Vec::new();
    for round in 0..ROUNDS {
        let mut words = |kind: &str| {
            let words = format!("proof-{kind}-{round:02}");
            changes.push((synced, words.clone()));
            words
        };
        let (topic, sent, published, job) = (words("topic"), words("sent"), words("published"), words("job"));
        field.official.tdmq("CreateCmqTopic", json!({"TopicName": topic})).expect("a right request");
        field.official.cmq("send", json!({"queue": "inbox", "text": sent})).expect("a right request");
        field.official.cmq("publish", json!({"topic": "news", "text": published})).expect("a right request");
        let task = field.task("true", "true", 1);
        let job = field.submit_asking(&[task], json!({"JobName": job}), &["JOB_SUCCEED"]);
        field.wait_for(&job, "SUCCEED");
        changes.push((report_synced, job));
        // What was sent is deleted, while nothing else goes on.
        let received = field.official.cmq("receive", json!({"queue": "inbox", "wait": 5})).expect("there is one");
        let handle: Value = received["receiptHandle"].clone();
        changes.push((anything_synced, format!("receiptHandle={}", handle.as_str().expect("a handle"))));
        field.official.cmq("delete", json!({"queue": "inbox", "handle": handle})).expect("a fresh handle");
    }
    let trace = trace.stop();
    let seen = calls(&trace);
    let found = wrong(&seen, &changes);
    assert!(found.is_empty(), "{found:#?}");

    // The same without its syncs is found wrong, each change of it.
    let unsynced: Vec<Call<'_>> = seen.into_iter().filter(|call| !call.is_sync_of_the_log()).collect();
    assert_eq!(wrong(&unsynced, &changes).len(), changes.len());
}
