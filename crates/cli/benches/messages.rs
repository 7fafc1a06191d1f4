//! Messages through a queue over HTTP, as CMQ's clients send, receive and delete them: signed forms of CMQ v2, one
//! queue, 64 kept connections, each of which sends, receives and deletes in turn, one message or a batch of 16 at a
//! time. A message counts once, when it has been sent, received and deleted; a request is any of the three. Control of
//! the same run: the same client with the same signed form of one message against a plain axum echo, which checks
//! nothing and keeps nothing. The client signs each request and shares the machine's cores with the server, in all
//! three. Floors: single messages, a fifth of the echo's requests a second; batches, 20,000 messages a second.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "other benchmarks use the rest")]
mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use axum::serve::ListenerExt;
use support::connection::{Connection, strings};
use support::{Bench, KEY, median, unix_seconds};
use tokio::task::JoinSet;

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 3;
/// How long each load lasts in a round.
const LOAD: Duration = Duration::from_secs(3);
const BATCH: usize = 16;
const BODY: &str = "A message of some sixty-four bytes, as a short job event would be";
const PATH: &str = "/v2/index.php";
const QUEUE: (&str, &str) = ("queueName", "messages");
/// The share of the echo's requests a second.
const SINGLE_FLOOR: f64 = 0.2;
/// In messages a second.
const BATCH_FLOOR: f64 = 20_000.0;

/// What each connection does over and over.
#[derive(Clone, Copy)]
enum Load {
    Echo,
    /// Sends, receives and deletes so many messages.
    Messages(usize),
}

/// What came of a load in a round.
struct Figures {
    requests_per_s: f64,
    messages_per_s: f64,
    p99_ms: f64,
}

fn main() -> ExitCode {
    let bench = Bench::start();
    bench.v2("CreateQueue", &[QUEUE]);
    let echo = echo();
    let (mut echoes, mut singles, mut batches) = (vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        let control = run(&echo, Load::Echo);
        let before = bench.metric("herald_commits_total");
        let single = run(bench.host(), Load::Messages(1));
        let between = bench.metric("herald_commits_total");
        let batch = run(bench.host(), Load::Messages(BATCH));
        let after = bench.metric("herald_commits_total");
        println!(
            "round {round}: echo {:.0} requests/s, single {:.0} requests/s ({} syncs), batches {:.0} messages/s ({} syncs)",
            control.requests_per_s,
            single.requests_per_s,
            between - before,
            batch.messages_per_s,
            after - between
        );
        echoes.push(control);
        singles.push(single);
        batches.push(batch);
    }
    report(&echoes, &singles, &batches)
}

/// Prints the medians beside their floors.
fn report(echoes: &[Figures], singles: &[Figures], batches: &[Figures]) -> ExitCode {
    let of = |figures: &[Figures], figure: fn(&Figures) -> f64| median(figures.iter().map(figure).collect());
    let requests = |figures: &Figures| figures.requests_per_s;
    let messages = |figures: &Figures| figures.messages_per_s;
    let p99 = |figures: &Figures| figures.p99_ms;
    // The machine's speed changes from minute to minute, so each round stands beside its own control.
    let share =
        median(singles.iter().zip(echoes).map(|(ours, echo)| ours.requests_per_s / echo.requests_per_s).collect());
    let batch = of(batches, messages);
    println!("single        {:>8.0} messages/s, {:.0} requests/s", of(singles, messages), of(singles, requests));
    println!("p99           {:>8.2} ms a request", of(singles, p99));
    println!("share         {share:>8.3}   of the control's requests/s   floor {SINGLE_FLOOR}");
    println!(
        "batches of {BATCH} {batch:>8.0} messages/s   floor {BATCH_FLOOR}; {:.0} requests/s",
        of(batches, requests)
    );
    println!("p99           {:>8.2} ms a request", of(batches, p99));
    println!("control       {:>8.0} requests/s of a plain echo, p99 {:.2} ms", of(echoes, requests), of(echoes, p99));
    println!("all           {CONNECTIONS} connections, medians of {ROUNDS} rounds of {} s a load", LOAD.as_secs());
    if share < SINGLE_FLOOR || batch < BATCH_FLOOR { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Puts a load on a server from all connections.
fn run(host: &str, load: Load) -> Figures {
    // One thread: the client cannot take more than one of the cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut clients = Vec::new();
        for number in 0..CONNECTIONS {
            clients.push(Client::open(host, number).await);
        }
        let begin = Instant::now();
        let mut tasks = JoinSet::new();
        clients.into_iter().for_each(|client| drop(tasks.spawn(client.work(load, begin + LOAD))));
        let delays: Vec<f64> = tasks.join_all().await.into_iter().flatten().collect();
        figures(delays, load, begin.elapsed().as_secs_f64())
    })
}

fn figures(mut delays_ms: Vec<f64>, load: Load, seconds: f64) -> Figures {
    delays_ms.sort_by(f64::total_cmp);
    let requests_per_s = delays_ms.len() as f64 / seconds;
    let messages_per_s = match load {
        Load::Echo => 0.0,
        // Every message takes part in three requests.
        Load::Messages(size) => requests_per_s / 3.0 * size as f64,
    };
    Figures { requests_per_s, messages_per_s, p99_ms: delays_ms[delays_ms.len() * 99 / 100] }
}

/// One connection, and how long each of its requests took from its writing until its reply was read.
struct Client {
    connection: Connection,
    host: Arc<str>,
    nonce: u64,
    delays_ms: Vec<f64>,
}

impl Client {
    async fn open(host: &str, number: usize) -> Self {
        let nonce = number as u64 * 1_000_000;
        Self { connection: Connection::open(host).await, host: host.into(), nonce, delays_ms: Vec::new() }
    }

    async fn work(mut self, load: Load, until: Instant) -> Vec<f64> {
        while Instant::now() < until {
            match load {
                Load::Echo => drop(self.call("SendMessage", &[QUEUE, ("msgBody", BODY)]).await),
                Load::Messages(1) => self.one_message().await,
                Load::Messages(size) => self.one_batch(size).await,
            }
        }
        self.delays_ms
    }

    async fn one_message(&mut self) {
        done(self.call("SendMessage", &[QUEUE, ("msgBody", BODY)]).await);
        let handles = strings(&done(self.call("ReceiveMessage", &[QUEUE]).await), "receiptHandle");
        assert_eq!(handles.len(), 1);
        done(self.call("DeleteMessage", &[QUEUE, ("receiptHandle", &handles[0])]).await);
    }

    async fn one_batch(&mut self, size: usize) {
        let numbered = |name: &str| (0..size).map(|number| format!("{name}.{number}")).collect::<Vec<_>>();
        let names = numbered("msgBody");
        let bodies: Vec<_> = [QUEUE].into_iter().chain(names.iter().map(|name| (name.as_str(), BODY))).collect();
        done(self.call("BatchSendMessage", &bodies).await);
        let number = size.to_string();
        let received = self.call("BatchReceiveMessage", &[QUEUE, ("numOfMsg", &number)]).await;
        let handles = strings(&done(received), "receiptHandle");
        // Whoever receives has sent before, so there are always enough for all who receive.
        assert_eq!(handles.len(), size);
        let names = numbered("receiptHandle");
        let handles = names.iter().zip(&handles).map(|(name, handle)| (name.as_str(), handle.as_str()));
        let handles: Vec<_> = [QUEUE].into_iter().chain(handles).collect();
        done(self.call("BatchDeleteMessage", &handles).await);
    }

    async fn call(&mut self, action: &str, params: &[(&str, &str)]) -> Vec<u8> {
        self.nonce += 1;
        let form = wire::sign::v2(KEY, &self.host, PATH, action, params, self.nonce, unix_seconds());
        let begin = Instant::now();
        let reply = self.connection.post(PATH, &form).await.to_vec();
        self.delays_ms.push(begin.elapsed().as_secs_f64() * 1_000.0);
        reply
    }
}

/// A reply, which must say that the action was done.
fn done(reply: Vec<u8>) -> Vec<u8> {
    assert!(reply.starts_with(b"{\"code\":0,"), "{}", String::from_utf8_lossy(&reply));
    reply
}

/// Starts the control, with as many threads as the server; gives its address.
fn echo() -> String {
    let (sender, address) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            sender.send(listener.local_addr().expect("an address").to_string()).expect("it waits");
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            let echo = axum::Router::new().route(PATH, axum::routing::post(|body: axum::body::Bytes| async { body }));
            axum::serve(listener, echo).await.expect("it serves until the end");
        });
    });
    address.recv().expect("it listens")
}
