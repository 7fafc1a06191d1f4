//! What control groups do for the runs of a node, and what is measured of them. These tests need a machine on which
//! this user may make control groups.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the tests of the node use the rest")]
mod fake;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use agent::{AgentError, NodeLimits, Stream, log_file};
use fake::{Connection, Node, end, line, open, run};
use wire::node::{Exit, FromNode, Report, ToNode};

/// An agent waits for every child of its process, so one process can have only one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// One slot of two has half of this.
const LIMITS: NodeLimits = NodeLimits { cpu: 1, mem_mb: 128, pids: 32 };

struct Agent {
    node: Node,
    handle: Option<JoinHandle<Result<(), AgentError>>>,
    home: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Drop for Agent {
    /// Ends the agent before the next test's turn: without its folder it goes.
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            let _ = fs::remove_dir_all(&self.home);
            let _ = handle.join();
        }
    }
}

impl Agent {
    /// An agent of two slots that has been welcomed.
    fn welcome(limits: Option<NodeLimits>) -> (Self, Connection) {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let node = Node::with_limits(2, limits);
        let config = node.config.clone();
        let home = config.home.clone();
        let handle = Some(std::thread::spawn(move || agent::run(config)));
        let connection = node.welcome(&[]);
        (Self { node, handle, home, _turn: turn }, connection)
    }

    /// The node's control groups, as its journal names them.
    fn groups(&self) -> Vec<PathBuf> {
        let journal = fs::read_to_string(self.home.join("runs.log")).unwrap();
        journal.lines().filter_map(|line| line.strip_prefix("group ")).map(PathBuf::from).collect()
    }

    fn stop(mut self, mut connection: Connection) {
        let groups = self.groups();
        connection.send(&ToNode::Stop);
        self.handle.take().unwrap().join().unwrap().unwrap();
        let left: Vec<&PathBuf> = groups.iter().filter(|group| group.exists()).collect();
        assert!(left.is_empty() && !groups.is_empty(), "groups are removed: {left:?}");
    }
}

#[test]
fn what_leaves_its_session_dies_with_its_run() {
    for limits in [None, Some(LIMITS)] {
        let (agent, mut connection) = Agent::welcome(limits);
        for (index, stray) in (0..).zip(["setsid sleep 3600", "setsid env -i sleep 3600", "(setsid sleep 3600 &)"]) {
            let pipe = agent.node.pipe(&format!("stray-{index}"));
            let command = format!("exec 9>{}; echo ready >&9; {stray} & exit 0", pipe.display());
            connection.start(&command, &[run(index)]);
            let mut alive = open(&pipe);
            assert_eq!(line(&mut alive), "ready");
            connection.started(run(index));
            // Its end is reported when nothing of it is left.
            let Report::Exited { exit: Exit::Code { code: 0 }, .. } = connection.report() else { panic!("{stray}") };
            end(alive);
        }
        agent.stop(connection);
    }
}

#[test]
fn what_leaves_the_session_of_a_run_that_goes_on_lives_on() {
    let (agent, mut connection) = Agent::welcome(None);
    let pipe = agent.node.pipe("alive");
    let command =
        format!("exec 9<>{}; (setsid sh -c 'read go <&9; echo went; exec sleep 3600' &); sleep 3600", pipe.display());
    connection.start(&command, &[run(0)]);
    connection.started(run(0));
    let mut alive = fake::open_endless(&pipe);
    connection.start("true", &[run(1)]);
    connection.started(run(1));
    assert_eq!(connection.exited(run(1)).exit, Exit::Code { code: 0 });
    // It still answers.
    std::io::Write::write_all(&mut alive, b"go\n").unwrap();
    while agent.node.log(0, Stream::Stdout) != "went\n" {
        std::thread::yield_now();
    }
    agent.stop(connection);
}

#[test]
fn a_run_that_needs_more_memory_than_its_share_is_told_so() {
    let (agent, mut connection) = Agent::welcome(Some(LIMITS));
    // What takes less is not disturbed, and what goes on without the part that was ended has not failed.
    let small = "head -c 20m /dev/zero | tail | wc -c";
    let large = "head -c 200m /dev/zero | tail > /dev/null";
    for (index, command, exit) in [
        (0, small.to_owned(), Exit::Code { code: 0 }),
        (1, large.to_owned(), Exit::OutOfMemory { code: 137, limit_mb: 64 }),
        (2, format!("{large}; true"), Exit::Code { code: 0 }),
        (3, "exit 5".to_owned(), Exit::Code { code: 5 }),
    ] {
        connection.start(&command, &[run(index)]);
        connection.started(run(index));
        assert_eq!(connection.exited(run(index)).exit, exit, "{command}");
    }
    agent.stop(connection);
}

#[test]
fn a_run_has_no_more_processes_than_its_share() {
    let (agent, mut connection) = Agent::welcome(Some(LIMITS));
    connection.start("for n in $(seq 40); do sleep 3600 & echo $n; done", &[run(0)]);
    connection.started(run(0));
    assert_eq!(connection.exited(run(0)).exit, Exit::Code { code: 2 });
    let log = agent.node.log(0, Stream::Stderr);
    assert!(log.contains("ork"), "cannot fork: {log}");
    let begun = agent.node.log(0, Stream::Stdout).lines().count();
    assert!((1..=15).contains(&begun), "the shell and {begun}");
    agent.stop(connection);
}

#[test]
fn a_run_has_no_more_processor_time_than_its_share() {
    let (agent, mut connection) = Agent::welcome(Some(NodeLimits { cpu: 1, ..LIMITS }));
    // Two processes that would fill two cores, for a while: half a core is theirs.
    let busy = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done";
    connection.start(&format!("({busy}) & {busy}; wait; times"), &[run(0)]);
    connection.started(run(0));
    let Report::Exited { exit: Exit::Code { code: 0 }, run_ms, .. } = connection.report() else { panic!("it failed") };
    let times = agent.node.log(0, Stream::Stdout);
    let used_ms: f64 = times.split_whitespace().map(milliseconds).sum();
    let share = used_ms / run_ms as f64;
    assert!(used_ms > 200.0 && share < 0.75, "{used_ms} ms in {run_ms} ms");
    agent.stop(connection);
}

/// Of a word like `0m1.25s`.
fn milliseconds(word: &str) -> f64 {
    let (minutes, seconds) = word.trim_end_matches('s').split_once('m').unwrap();
    (minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()) * 1_000.0
}

#[test]
fn what_a_run_uses_is_sampled() {
    for limits in [None, Some(NodeLimits { mem_mb: 1_024, ..LIMITS })] {
        let (agent, mut connection) = Agent::welcome(limits);
        // Memory that is held by one process, and time that is used by its child.
        connection.start(
            "exec sh -c 'head -c 100m /dev/zero | (sleep 0.2; tail; sleep 3600) & while :; do :; done'",
            &[run(0)],
        );
        let (mut number, mut cpu, mut mem) = (0, 0, 0);
        while cpu == 0 || mem == 0 || number < 3 {
            if let FromNode::Samples { samples } = connection.receive() {
                for sample in samples {
                    assert_eq!((sample.run, sample.number), (run(0), number));
                    assert!(sample.cpu <= 10_000 && sample.mem <= 10_000 && !sample.disks.is_empty(), "{sample:?}");
                    (number, cpu, mem) = (number + 1, cpu.max(sample.cpu), mem.max(sample.mem));
                }
            }
        }
        agent.stop(connection);
    }
}

#[test]
fn an_endless_output_does_not_fill_the_disk() {
    let (agent, mut connection) = Agent::welcome(None);
    connection.start("echo first; exec yes", &[run(0)]);
    connection.started(run(0));
    let path = log_file(&agent.node.config.logs, run(0).job, "task", 0, Stream::Stdout);
    // More has been written than may be kept, many times over, and yet it takes little.
    let mut most = 0;
    loop {
        let metadata = fs::metadata(&path).unwrap();
        if metadata.len() > 1_000_000_000 {
            break;
        }
        most = most.max(metadata.blocks() * 512);
        std::thread::yield_now();
    }
    assert!(most < 800_000_000, "it took {most} bytes");
    connection.send(&ToNode::Kill { runs: vec![run(0)] });
    assert_eq!(connection.exited(run(0)).exit, Exit::Killed);
    let kept = fs::read(&path).unwrap();
    // It may have been killed between the two bytes of a line.
    let whole = kept.starts_with(b"first\ny\n") && (kept.ends_with(b"y\n") || kept.ends_with(b"y"));
    assert!(kept.len() < 1_200_000 && whole, "{}", kept.len());
    agent.stop(connection);
}
