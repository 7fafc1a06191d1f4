//! A process of an attempt is dead before another attempt starts, however nodes and server are lost.
//!
//! Each attempt holds a lock as long as any of its processes lives, and notes if it cannot get it. Agents are killed
//! and stopped, and the server is killed, at moments that a seed chooses. `HERALD_KILL_SEED` sets the seed.

use std::collections::BTreeMap;

use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::support::events::Log;
use crate::support::field::Field;

/// Agents that must show more often that they live; runs that are repeated at once.
const IMPATIENT: &str = "[nodes]\nbeat_ms = 100\nsilent_ms = 3000\n[jobs]\nretry_pause_s = 0\n";
const INSTANCES: u64 = 60;
/// What is lost, one after the other.
const LOSSES: [Loss; 5] = [Loss::Killed, Loss::Stopped, Loss::Server, Loss::KilledWithServer, Loss::Stopped];

#[derive(Clone, Copy, Debug)]
enum Loss {
    /// An agent is killed.
    Killed,
    /// An agent falls silent.
    Stopped,
    /// The server is killed.
    Server,
    /// An agent is killed while there is no server.
    KilledWithServer,
}

#[test]
#[expect(clippy::print_stderr, reason = "the seed is shown when the test fails")]
fn no_two_attempts_of_an_instance_live_at_the_same_time() {
    let seed = std::env::var("HERALD_KILL_SEED").map_or(7, |text| text.parse().expect("HERALD_KILL_SEED is a number"));
    eprintln!("HERALD_KILL_SEED={seed}");
    let mut moments = StdRng::seed_from_u64(seed);
    let mut field = Field::start(IMPATIENT, 3);
    let job = submit(&mut field);
    let mut ended = 0;
    for loss in LOSSES {
        ended += moments.random_range(2..10);
        field.job_events(&job, |log| log.count("TASK_INSTANCE_SUCCEED") >= ended);
        lose(&mut field, loss, &mut moments);
    }
    field.wait_for(&job, "SUCCEED");

    let overlaps = std::fs::read_to_string(field.path("overlaps")).unwrap_or_default();
    assert_eq!(overlaps, "", "an attempt found another one alive");
    let events = field.job_events(&job, |log| log.count("JOB_SUCCEED") == 1);
    events.assert_whole(events.names().len());
    assert!(events.count("TASK_INSTANCE_RETRYING") > 0, "nothing was lost");
    assert_eq!(events.indexes("TASK_INSTANCE_SUCCEED"), (0..INSTANCES).collect::<Vec<_>>());
    assert_attempts_follow_each_other(&events);
}

/// Submits a job whose attempts each take a lock of their instance's, which their children hold too.
fn submit(field: &mut Field) -> String {
    let (locks, overlaps) = (field.path("lock"), field.path("overlaps"));
    let command = format!(
        "exec 9> {0}-$BATCH_TASK_INSTANCE_INDEX; flock -n 9 || echo $BATCH_TASK_INSTANCE_INDEX >> {1}; \
         sleep 0.2 & sleep 0.3; wait",
        locks.display(),
        overlaps.display()
    );
    let mut task = field.task("lock", &command, INSTANCES);
    task["MaxRetryCount"] = json!(LOSSES.len());
    field.submit(&[task], json!({}))
}

fn lose(field: &mut Field, loss: Loss, moments: &mut StdRng) {
    if let Loss::Killed | Loss::Stopped = loss {
        let signal = if let Loss::Stopped = loss { Signal::SIGSTOP } else { Signal::SIGKILL };
        let node = a_busy_node(field, moments);
        field.signal_agent(&node, signal);
        return;
    }
    let node = a_busy_node(field, moments);
    field.server.kill9();
    if let Loss::KilledWithServer = loss {
        field.signal_agent(&node, Signal::SIGKILL);
    }
    field.server.restart();
    field.official.turn_to(field.server.address());
}

/// One of the nodes that run something and whose agents are not known to be lost.
fn a_busy_node(field: &mut Field, moments: &mut StdRng) -> String {
    crate::support::wait::until("a busy node with a living agent", || {
        let view = field.view();
        let nodes = view["ComputeNodeSet"].as_array().expect("a list").clone();
        let busy = |node: &&Value| node["ComputeNodeState"] == "RUNNING" && node["TaskInstanceNumAvailable"] == 0;
        let running = nodes.iter().filter(busy);
        let ids: Vec<String> = running.filter_map(|node| node["ComputeNodeId"].as_str().map(str::to_owned)).collect();
        ids.choose(moments).filter(|node| field.has_agent(node)).cloned()
    })
}

/// Asserts that each instance's attempts begin one after the other, each after the end of the one before it.
fn assert_attempts_follow_each_other(events: &Log) {
    let mut last: BTreeMap<u64, (u64, &str)> = BTreeMap::new();
    for event in events.events() {
        let Some(index) = event["Batch"]["TaskInstanceIndex"].as_u64() else { continue };
        let (name, attempt) = (event["EventName"].as_str().unwrap_or_default(), event["Batch"]["Attempt"].as_u64());
        let attempt = attempt.unwrap_or_else(|| panic!("no Attempt in {event}"));
        let before = last.insert(index, (attempt, name));
        let follows = match (before, name) {
            (None, "TASK_INSTANCE_RUNNING" | "TASK_INSTANCE_RETRYING") => true,
            (Some((earlier, "TASK_INSTANCE_RETRYING")), _) => earlier < attempt,
            (Some((same, "TASK_INSTANCE_RUNNING")), "TASK_INSTANCE_RETRYING" | "TASK_INSTANCE_SUCCEED") => {
                same == attempt
            }
            _ => false,
        };
        assert!(follows, "{before:?}, and then {event}");
    }
}
