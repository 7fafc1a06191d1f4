//! What the removal of a day's messages costs those who commit meanwhile.
//!
//! A topic holds 10,000,000 messages whose retention has ended, and a subscription a tenth as many attempts. Commits of
//! 32 new messages arrive at a steady pace; how long each takes, from its arrival to its confirmation by the disk, is
//! measured twice on the same database: without removal, and with it, a chunk of at most 1,000 rows between the
//! commits as the server's ledger does it. The 99.9th percentile with removal may be twice that without. The control
//! is a bare sync of the same disk. `HERALD_RETENTION_ROWS` sets another number of messages.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kernel::delivery::{Attempt, DeliveryKey, Outcome};
use kernel::limits::EXPIRE_ROWS;
use kernel::loops::expire::TopicCutoff;
use kernel::subscription::SubscriptionKey;
use kernel::time::Timestamp;
use kernel::topic::{StreamNo, TopicMessage};
use store::sqlite::{Checkpointer, SqliteStore};
use store::{Batch, Cutoffs, Store};

/// Messages of a day.
const ROWS: u64 = 10_000_000;
/// Rows seeded in one commit.
const SEED: u64 = 10_000;
/// Messages of a measured commit.
const COMMIT: u64 = 32;
/// A commit arrives once in so long.
const PACE: Duration = Duration::from_millis(10);
/// The rest between two chunks of removal, as the server's.
const PAUSE: Duration = Duration::from_millis(20);
/// Commits that are measured, each time.
const COMMITS: usize = 6_000;
/// How much longer the slowest in a thousand may take.
const FACTOR: f64 = 2.0;
const TOPIC: StreamNo = StreamNo(1);
/// The old messages were published before this, the new ones after it.
const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn main() -> ExitCode {
    // `cargo test --benches` only wants to know that it runs.
    let full = std::env::args().any(|arg| arg == "--bench");
    let asked = std::env::var("HERALD_RETENTION_ROWS").ok().and_then(|text| text.parse().ok());
    let (rows, commits) = if full { (asked.unwrap_or(ROWS), COMMITS) } else { (20_000, 50) };
    let folder = tempfile::Builder::new()
        .prefix("retention-bench-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .expect("the target folder can be written");
    let store = SqliteStore::open(&folder.path().join("herald.db")).expect("a new database opens");
    let checkpointer = store.checkpointer().expect("opens");
    let stop = AtomicBool::new(false);
    let good = std::thread::scope(|scope| {
        scope.spawn(|| keep_moving(checkpointer, &stop));
        let good = measure(store, rows, commits, folder.path());
        stop.store(true, Ordering::Relaxed);
        good
    });
    if good || !full { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(store: SqliteStore, rows: u64, commits: usize, folder: &Path) -> bool {
    let mut bench = Bench { store, version: 0, next: 1 };
    let begun = Instant::now();
    bench.seed(rows);
    println!("seeded {rows} messages and {} attempts in {:.0} s", rows / 10, begun.elapsed().as_secs_f64());
    let sync = percentiles(bare_syncs(folder, commits.min(1_000)));
    println!("control: a bare sync     p50 {:>7.2} ms   p99.9 {:>7.2} ms", sync.0, sync.1);
    let without = percentiles(bench.commits(commits, None).0);
    println!("commits without removal  p50 {:>7.2} ms   p99.9 {:>7.2} ms", without.0, without.1);
    let cutoffs = Cutoffs {
        jobs: Timestamp(i64::MIN),
        attempts: NOW,
        activities: Timestamp(i64::MIN),
        many: Vec::new(),
        topics: vec![TopicCutoff { topic: TOPIC, over: NOW, through: rows, lost: Timestamp(i64::MIN) }],
    };
    let (took, removed) = bench.commits(commits, Some(&cutoffs));
    let with = percentiles(took);
    println!("commits with removal     p50 {:>7.2} ms   p99.9 {:>7.2} ms   {removed} rows removed", with.0, with.1);
    println!("figure {:.2} times, ceiling {FACTOR:.1} times", with.1 / without.1);
    with.1 <= without.1 * FACTOR
}

struct Bench {
    store: SqliteStore,
    version: u64,
    /// The place of the next message.
    next: u64,
}

impl Bench {
    fn commit(&mut self, messages: Vec<Arc<TopicMessage>>, attempts: Vec<Arc<Attempt>>) {
        let batch = Batch { expected: self.version, now: NOW, messages, attempts, ..Batch::default() };
        self.store.commit(&batch).expect("the disk confirms");
        self.version += 1;
    }

    fn messages(&mut self, count: u64, published: Timestamp) -> Vec<Arc<TopicMessage>> {
        let first = self.next;
        self.next += count;
        (first..self.next).map(|seq| message(seq, published)).collect()
    }

    fn seed(&mut self, rows: u64) {
        while self.next <= rows {
            let first = self.next;
            let messages = self.messages(SEED.min(rows + 1 - first), NOW.minus_s(1));
            let attempts = (first..self.next).step_by(10).map(attempt).collect();
            self.commit(messages, attempts);
        }
    }

    /// Commits at a steady pace, removing meanwhile if asked; how long each took in milliseconds, and rows removed.
    fn commits(&mut self, count: usize, cutoffs: Option<&Cutoffs>) -> (Vec<f64>, usize) {
        let (mut took, mut removed) = (Vec::with_capacity(count), 0);
        let (begun, mut rested) = (Instant::now(), Instant::now());
        for number in 0..count {
            let arrives = begun + PACE * u32::try_from(number).expect("few");
            while Instant::now() < arrives {
                match cutoffs.filter(|_| rested <= Instant::now()) {
                    Some(cutoffs) => {
                        removed += self.store.sweep(cutoffs, EXPIRE_ROWS).expect("the disk confirms").rows;
                        rested = Instant::now() + PAUSE;
                    }
                    None => std::thread::sleep(Duration::from_micros(100)),
                }
            }
            let messages = self.messages(COMMIT, NOW.plus_ms(1));
            self.commit(messages, Vec::new());
            took.push(arrives.elapsed().as_secs_f64() * 1_000.0);
        }
        (took, removed)
    }
}

fn message(seq: u64, published: Timestamp) -> Arc<TopicMessage> {
    let (body, tags) = (format!("{{\"Sequence\":{seq},\"Batch\":\"{}\"}}", "x".repeat(80)), vec!["JOB".to_owned()]);
    let (body, routing_key) = (body.into(), String::new());
    Arc::new(TopicMessage { topic: TOPIC, seq, published, body, tags, routing_key, previous: 0, owner: None })
}

fn attempt(seq: u64) -> Arc<Attempt> {
    let key = DeliveryKey { subscription: SubscriptionKey { topic: TOPIC, no: 1 }, seq };
    let outcome = Outcome::Replied { status: 200, body: String::new() };
    let (at, address) = (NOW.minus_s(1), "http://127.0.0.1:9/".to_owned());
    Arc::new(Attempt { key, number: 1, at, duration_ms: 3, address, outcome })
}

/// The median, and what one in a thousand is above.
fn percentiles(mut took: Vec<f64>) -> (f64, f64) {
    took.sort_by(f64::total_cmp);
    (took[took.len() / 2], took[(took.len() * 999 / 1_000).min(took.len() - 1)])
}

fn bare_syncs(folder: &Path, count: usize) -> Vec<f64> {
    let mut file = std::fs::File::create(folder.join("sync")).expect("a file");
    let sync = |_| {
        let start = Instant::now();
        file.write_all(&[7; 4096]).expect("written");
        file.sync_data().expect("synced");
        start.elapsed().as_secs_f64() * 1_000.0
    };
    (0..count).map(sync).collect()
}

/// Moves the log as the server does, beside the writer.
fn keep_moving(mut checkpointer: Checkpointer, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        checkpointer.run().expect("the log can be moved");
        std::thread::sleep(Duration::from_millis(200));
    }
}
