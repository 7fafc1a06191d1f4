//! 1,000 subscriptions of one topic, of which 10 are dead and 10 answer after 14 s: how much later than without those
//! 20 the others receive each message. Two topics, one with 980 healthy subscriptions and one with these and the 20
//! bad ones, take turns: so both see the same machine. Floors: with the bad ones median and p99 are at most twice those
//! of the control. Twice, since isolation is what is measured and not speed: a queue that forms behind a slow receiver
//! costs seconds, while the noise of a shared machine costs some tenths.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "other benchmarks use the rest")]
mod support;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use support::{Bench, unix_ms};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const HEALTHY: usize = 980;
const DEAD: usize = 10;
const SLOW: usize = 10;
const SLOW_ANSWER: Duration = Duration::from_secs(14);
/// Messages to each topic.
const MESSAGES: usize = 30;
/// Between two messages.
const PAUSE: Duration = Duration::from_millis(600);

/// A callback: its topic, and how long after its publication it came, in milliseconds.
type Arrival = (char, f64);

fn main() -> ExitCode {
    let bench = Bench::start();
    let (arrivals, arrived) = channel();
    let healthy = receivers(Duration::ZERO, Some(arrivals));
    let slow = receivers(SLOW_ANSWER, None);
    let refusing =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let hanging = receivers(Duration::from_secs(3_600), None);
    for topic in ["control", "loaded"] {
        bench.v2("CreateTopic", &[("topicName", topic)]);
        subscribe(&bench, topic, "good", HEALTHY, healthy);
    }
    subscribe(&bench, "loaded", "refuses", DEAD / 2, refusing);
    subscribe(&bench, "loaded", "hangs", DEAD / 2, hanging);
    subscribe(&bench, "loaded", "slow", SLOW, slow);
    let (mut control, mut loaded) = (Vec::new(), Vec::new());
    for _ in 0..MESSAGES {
        control.extend(round(&bench, "control", &arrived));
        loaded.extend(round(&bench, "loaded", &arrived));
    }
    let (control, loaded) = (figures(control), figures(loaded));
    println!("healthy       {:>8.2} ms median, {:.2} ms p99 beside 10 dead and 10 slow", loaded.0, loaded.1);
    println!("control       {:>8.2} ms median, {:.2} ms p99 without them", control.0, control.1);
    println!("deliveries    {:>8}    of each, {MESSAGES} messages to {HEALTHY} subscriptions", MESSAGES * HEALTHY);
    println!("floor             2.00   times the control, median and p99");
    let good = loaded.0 <= 2.0 * control.0 && loaded.1 <= 2.0 * control.1;
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One message, and its delays at all healthy subscriptions.
fn round(bench: &Bench, topic: &str, arrived: &Receiver<Arrival>) -> Vec<f64> {
    let start = Instant::now();
    let stamp = format!("{} {:.3}", &topic[..1], unix_ms());
    bench.v2("PublishMessage", &[("topicName", topic), ("msgBody", &stamp)]);
    let one = || arrived.recv_timeout(Duration::from_secs(60)).expect("each healthy subscription gets it");
    let delays = (0..HEALTHY).map(|_| one()).map(|(of, delay)| {
        assert_eq!(topic.chars().next(), Some(of), "once to each");
        delay
    });
    let delays = delays.collect();
    std::thread::sleep(PAUSE.saturating_sub(start.elapsed()));
    delays
}

fn subscribe(bench: &Bench, topic: &str, name: &str, count: usize, to: SocketAddr) {
    for number in 0..count {
        let (name, url) = (format!("{name}-{number}"), format!("http://{to}/{name}/{number}"));
        bench.v2(
            "Subscribe",
            &[
                ("topicName", topic),
                ("subscriptionName", &name),
                ("protocol", "http"),
                ("endpoint", &url),
                ("notifyContentFormat", "SIMPLIFIED"),
            ],
        );
    }
}

/// Receivers behind one address that answer after a while, and tell what came.
fn receivers(answer_after: Duration, arrivals: Option<Sender<Arrival>>) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener can be");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, answer_after, arrivals.clone()));
            }
        });
    });
    address
}

async fn serve(mut connection: TcpStream, answer_after: Duration, arrivals: Option<Sender<Arrival>>) {
    let (mut read, mut at) = (vec![0; 8_192], 0);
    while let Ok(count @ 1..) = connection.read(&mut read[at..]).await {
        at += count;
        let Some(body) = body(&read[..at]) else { continue };
        if let (Some(arrivals), Some((topic, stamp))) = (&arrivals, body.split_once(' ')) {
            let delay = unix_ms() - stamp.parse::<f64>().expect("a stamp");
            let _ = arrivals.send((topic.chars().next().expect("a topic"), delay));
        }
        at = 0;
        tokio::time::sleep(answer_after).await;
        if connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.is_err() {
            return;
        }
    }
}

/// The body of a request, if it has come whole.
fn body(request: &[u8]) -> Option<&str> {
    let request = std::str::from_utf8(request).ok()?;
    let (head, body) = request.split_once("\r\n\r\n")?;
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    (body.len() == length.unwrap_or(0)).then_some(body)
}

/// Median and p99.
fn figures(mut delays: Vec<f64>) -> (f64, f64) {
    delays.sort_by(f64::total_cmp);
    (delays[delays.len() / 2], delays[delays.len() * 99 / 100])
}
