//! How many instances a second the ledger can bring to their end, each step committed with a full sync.
//!
//! One job of many instances runs on nodes that report at once: each frame tells of some runs that started and
//! exited, each commit takes in the frames of 256 runs, decides them, gives the freed places to the next 256
//! instances and writes all of it. The control, in the same run on the same disk, inserts 256 small rows a commit
//! and does nothing else. The figure is the best of three runs: whatever else the machine does can only slow it.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::collections::VecDeque;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kernel::change::{NodeFacts, RunEnd, What};
use kernel::command::{Command, ExitHow, Reply, Report, RunExit};
use kernel::decide::Settings;
use kernel::environment::{EnvSpec, NodeType};
use kernel::event::{EventConfig, EventName, Notification};
use kernel::id::{EnvId, NodeId};
use kernel::instance::RunId;
use kernel::job::{DependOn, IfNotCreated, JobSpec, TaskSpec};
use kernel::limits;
use kernel::time::Timestamp;
use kernel::topic::{FilterType, StreamNo};
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::ledger::{Ledger, Outcome, Untold};
use store::sqlite::{Checkpointer, SqliteStore};

/// Completions a second below which the benchmark fails, on two cores.
const FLOOR: f64 = 20_000.0;
/// Completions a commit.
const BATCH: usize = 256;
/// Completions measured in each run.
const INSTANCES: u32 = 60_000;
/// Runs of which the best counts.
const RUNS: usize = 3;
const NODES: u64 = 8;
const SLOTS: u32 = 64;

fn main() -> ExitCode {
    // `cargo test --benches` only wants to know that it runs.
    let instances = if std::env::args().any(|arg| arg == "--bench") { INSTANCES } else { 2_048 };
    let folder = tempfile::Builder::new()
        .prefix("ledger-bench-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .expect("the target folder can be written");
    let control = control(&folder.path().join("control.db"), instances);
    report("control: bare inserts of 256 rows a commit, rows", control);
    let mut figure = 0.0f64;
    for run in 1..=RUNS {
        let plain = completions(&folder.path().join(format!("plain-{run}.db")), instances, 32, false);
        report(&format!("completions, 32 a frame, run {run}"), plain);
        figure = figure.max(plain.rate());
    }
    let single = completions(&folder.path().join("single.db"), instances, 1, false);
    report("completions, 1 a frame", single);
    let told = completions(&folder.path().join("told.db"), instances, 32, true);
    report("completions with two events each", told);
    println!("figure {figure:.0}/s, floor {FLOOR:.0}/s, control {:.0}/s", control.rate());
    if figure >= FLOOR || instances != INSTANCES { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// So many things in so many commits in so long.
#[derive(Clone, Copy)]
struct Measured {
    things: u32,
    commits: u32,
    took: Duration,
}

impl Measured {
    fn rate(&self) -> f64 {
        f64::from(self.things) / self.took.as_secs_f64()
    }
}

fn report(what: &str, measured: Measured) {
    let syncs = f64::from(measured.commits) / measured.took.as_secs_f64();
    println!("{what:<52} {:>8.0}/s   {syncs:>5.0} syncs/s", measured.rate());
}

fn control(path: &Path, rows: u32) -> Measured {
    let mut connection = rusqlite::Connection::open(path).expect("opens");
    let wal = "pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 0;
               create table thing (a integer, b integer, c text, primary key (a, b)) strict, without rowid;";
    connection.execute_batch(wal).expect("a table is made");
    let (started, mut done, mut commits) = (Instant::now(), 0, 0);
    while done < rows {
        let transaction = connection.transaction().expect("begins");
        {
            let mut insert = transaction.prepare_cached("insert into thing values (?1, ?2, ?3)").expect("is SQL");
            for b in done..done + BATCH as u32 {
                insert.execute((1, b, "a small text, as long as that")).expect("inserts");
            }
        }
        transaction.commit().expect("commits");
        (done, commits) = (done + BATCH as u32, commits + 1);
    }
    Measured { things: done, commits, took: started.elapsed() }
}

fn completions(path: &Path, instances: u32, frame: usize, told: bool) -> Measured {
    let store = SqliteStore::open(path).expect("a new database opens");
    let checkpointer = store.checkpointer().expect("opens");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| keep_moving(checkpointer, &stop));
        let mut bench = Bench::new(store, told);
        bench.submit(instances, told);
        let (started, before) = (Instant::now(), bench.ledger.version());
        let done = bench.run(instances, frame);
        let took = started.elapsed();
        stop.store(true, Ordering::Relaxed);
        let commits = u32::try_from(bench.ledger.version() - before).expect("few");
        Measured { things: done, commits, took }
    })
}

/// Moves the log as the server does, beside the writer.
fn keep_moving(mut checkpointer: Checkpointer, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        checkpointer.run().expect("the log can be moved");
        std::thread::sleep(Duration::from_millis(200));
    }
}

struct Bench {
    ledger: Ledger,
    rng: StdRng,
    env: EnvId,
    held: VecDeque<(NodeId, RunId)>,
}

impl Bench {
    fn new(store: SqliteStore, told: bool) -> Self {
        let ledger = Ledger::open(Box::new(store), Settings::default(), Box::new(body)).expect("loads");
        let mut bench = Self { ledger, rng: StdRng::seed_from_u64(1), env: EnvId::FIRST, held: VecDeque::new() };
        if told {
            bench.commit(vec![Command::CreateTopic {
                name: "told".into(),
                filter: FilterType::Tags,
                max_msg_bytes: 65_536,
                retention_s: 86_400,
                trace: false,
                tags: Vec::new(),
            }]);
        }
        let kind = NodeType { name: "local".into(), cpu: 1, mem_gb: 1, slots: SLOTS };
        let spec = EnvSpec {
            instance_types: vec![kind],
            notifications: Vec::new(),
            tags: Vec::new(),
            zone: String::new(),
            recreate: false,
            max_recreations: 0,
            inputs: Vec::new(),
            key: None,
            document: String::new(),
        };
        let create = Command::CreateEnv {
            name: "bench".into(),
            description: String::new(),
            desired: NODES,
            spec: Box::new(spec),
            token: None,
        };
        let outcome = bench.commit(vec![create]);
        if let Ok(Reply::Env(env)) = outcome.replies[0] {
            bench.env = env;
        }
        let nodes: Vec<NodeId> = bench.ledger.state().nodes().map(|node| node.id).collect();
        for node in nodes {
            let facts = NodeFacts { agent_version: "1".into(), ..NodeFacts::default() };
            let made = [Command::NodeCreating(node), Command::NodeCreated(node), Command::NodeConnected(node, facts)];
            bench.commit(made.to_vec());
        }
        bench
    }

    fn submit(&mut self, instances: u32, told: bool) {
        let events = [EventName::TaskInstanceRunning, EventName::TaskInstanceSucceed];
        let notification = Notification {
            topic_name: "told".into(),
            topic: StreamNo(0),
            events: events.map(|name| EventConfig { name, vars: Vec::new() }).to_vec(),
        };
        let task = TaskSpec {
            name: "all".into(),
            command: "true".into(),
            env: self.env,
            own: None,
            restart_node: false,
            instances: instances + NODES as u32 * SLOTS * 2,
            retries: 0,
            timeout_s: limits::TIMEOUT_DEFAULT_S,
            max_concurrent: None,
            env_vars: Vec::new(),
            setup: Default::default(),
        };
        let spec = JobSpec {
            name: "bench".into(),
            description: String::new(),
            priority: 0,
            tasks: vec![task],
            dependences: Vec::new(),
            depend_on: DependOn::default(),
            if_not_created: IfNotCreated::default(),
            notifications: if told { vec![notification] } else { Vec::new() },
            tags: Vec::new(),
            zone: String::new(),
            document: String::new(),
        };
        self.commit(vec![Command::SubmitJob { spec: Box::new(spec), token: None }]);
    }

    fn run(&mut self, instances: u32, frame: usize) -> u32 {
        let mut done = 0;
        while done < instances {
            let runs: Vec<(NodeId, RunId)> = self.held.drain(..BATCH).collect();
            let outcome = self.commit(frames(runs, frame));
            let ended = outcome.changes.iter().filter(|change| matches!(change.what, What::InstanceSucceeded(..)));
            done += u32::try_from(ended.count()).expect("few");
        }
        done
    }

    fn commit(&mut self, commands: Vec<Command>) -> Outcome {
        let outcome = self.ledger.commit(&commands, now(), &mut self.rng).expect("the disk confirms");
        assert!(outcome.replies.iter().all(Result::is_ok), "{:?}", outcome.replies);
        for change in &outcome.changes {
            if let What::InstancePlaced(key, node) = change.what {
                self.held.push_back((node, RunId { job: key.job, task: key.task, index: key.index, attempt: 1 }));
            }
        }
        outcome
    }
}

/// Frames of nodes: each tells of some runs that they started and ended well.
fn frames(mut runs: Vec<(NodeId, RunId)>, frame: usize) -> Vec<Command> {
    runs.sort();
    let end = RunEnd { at: now(), ..RunEnd::default() };
    let reports = |run: RunId| {
        let exit = RunExit { how: ExitHow::Code(0), run_ms: 60_000, end: end.clone() };
        [Report::Started(run), Report::Exited(run, exit)]
    };
    runs.chunk_by(|(one, _), (other, _)| one == other)
        .flat_map(|of_node| of_node.chunks(frame))
        .map(|some| Command::NodeReports(some[0].0, some.iter().flat_map(|(_, run)| reports(*run)).collect()))
        .collect()
}

/// A text as long as an event's body is.
fn body(untold: Untold<'_>) -> String {
    let Untold::Event(event) = untold else { return String::new() };
    format!(
        "{{\"EventName\":\"{}\",\"EventId\":\"{}\",\"Sequence\":{},\"Batch\":\"{}\"}}",
        event.name,
        event.id,
        event.sequence,
        "x".repeat(450)
    )
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp(i64::try_from(since.as_millis()).expect("before the year 292 million"))
}
