//! From the exit of a process to the receipt of its callback, on an idle machine: the instance's command writes the
//! time as its last deed, the receiver notes when the callback's request has been read. Floor: a median of 15 ms.
//! Control of the same run: a POST over loopback on a new connection, and how long a small file takes to be synced.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "other benchmarks use the rest")]
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Bench, median, unix_ms};

const RUNS: usize = 60;

fn main() -> ExitCode {
    let bench = Bench::start();
    let env = bench.env("S5.SMALL1", 1);
    let (url, received) = listen();
    bench.v2("CreateTopic", &[("topicName", "job-message")]);
    bench.v2(
        "Subscribe",
        &[
            ("topicName", "job-message"),
            ("subscriptionName", "callback"),
            ("protocol", "http"),
            ("endpoint", &url),
            ("notifyContentFormat", "SIMPLIFIED"),
        ],
    );
    let before = bench.metric("herald_commits_total");
    let delays: Vec<f64> = (0..RUNS).map(|number| one_run(&bench, &env, number, &received)).collect();
    let syncs = (bench.metric("herald_commits_total") - before) as f64 / RUNS as f64;
    let (post, sync) = (bare_post(), bare_sync(bench.folder()));
    let mut sorted = delays.clone();
    sorted.sort_by(f64::total_cmp);
    let result = median(delays);
    println!("callback      {result:>8.2} ms median from exit to receipt ({RUNS} runs)");
    println!("p90           {:>8.2} ms", sorted[RUNS * 9 / 10]);
    println!("control       {post:>8.2} ms loopback POST, new connection; {sync:.2} ms to sync 4 KiB");
    println!("syncs         {syncs:>8.2}   a run, from submission to delivery");
    println!("floor            15.00 ms");
    if result > 15.0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// One job of one instance; how long after its command's end the callback was read, in milliseconds.
fn one_run(bench: &Bench, env: &str, number: usize, received: &Receiver<(f64, Value)>) -> f64 {
    let stamp = bench.folder().join(format!("stamp.{number}"));
    // The shell itself is the last process: `exec` leaves nothing to end after `date`.
    let command = format!("exec date +%s%N > {}", stamp.display());
    let job = json!({"Placement": {"Zone": "ap-guangzhou-1"}, "Job": {
        "Tasks": [{"EnvId": env, "Application": {"DeliveryForm": "LOCAL", "Command": command}}],
        "Notifications": [{"TopicName": "job-message", "EventConfigs": [{"EventName": "TASK_INSTANCE_SUCCEED"}]}]}});
    let job = bench.batch("SubmitJob", &job)["JobId"].clone();
    let (at, event) = received.recv_timeout(Duration::from_secs(60)).expect("the callback comes");
    assert_eq!(event["Events"][0]["Batch"]["JobId"], job);
    let nanos: f64 = std::fs::read_to_string(stamp).expect("the stamp").trim().parse().expect("a number");
    at - nanos / 1e6
}

/// A receiver of callbacks: its address, and what comes, with the time in unix milliseconds.
fn listen() -> (String, Receiver<(f64, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                while let Some(body) = read_request(&mut reader) {
                    let event = serde_json::from_slice(&body).unwrap_or(Value::Null);
                    let _ = sender.send((unix_ms(), event));
                    if reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, receiver)
}

/// The body of the next request on a connection; `None` at its end.
fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

/// A POST over loopback on a new connection, in milliseconds: the median of 100.
fn bare_post() -> f64 {
    let (url, received) = listen();
    let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let posts = (0..100).map(|_| {
        let start = Instant::now();
        let mut stream = TcpStream::connect(&address).expect("it listens");
        stream.write_all(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}").expect("it reads");
        received.recv().expect("it receives");
        start.elapsed().as_secs_f64() * 1000.0
    });
    median(posts.collect())
}

/// How long 4 KiB take to be appended and synced, in milliseconds: the median of 100.
fn bare_sync(folder: &std::path::Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("sync")).expect("a file");
    let syncs = (0..100).map(|_| {
        let start = Instant::now();
        file.write_all(&[7; 4096]).expect("written");
        file.sync_data().expect("synced");
        start.elapsed().as_secs_f64() * 1000.0
    });
    median(syncs.collect())
}
