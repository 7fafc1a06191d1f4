//! A job of the largest size: accepted at once, seen in pages, ended as a whole, and never held in memory.

use std::fs;

use serde_json::{Value, json};

use crate::support::official::Official;
use crate::support::requests::{environment, placement, submit, task, wait_for_job};
use crate::support::server::Server;

/// The largest task.
const INSTANCES: u64 = 1_000_000;
/// What the server's process may hold in memory, in KiB.
const MEMORY_KIB: u64 = 200 * 1024;

#[test]
fn a_job_of_a_million_instances_is_held_in_little_memory() {
    let server = Server::start();
    let mut official = server.official();
    let request = json!({"Placement": placement(), "ComputeEnv": environment("none", 0)});
    let env = official.batch("CreateComputeEnv", request).expect("a right request")["EnvId"].clone();
    let tasks = [task("many", env.as_str().expect("an id"), "true", INSTANCES)];
    let job = submit(&mut official, &json!({"JobName": "million", "Tasks": tasks}));
    let view = official.batch("DescribeJob", json!({"JobId": job})).expect("the job exists");
    assert_eq!(view["TaskInstanceMetrics"]["RunnableCount"], INSTANCES, "{view}");
    assert_last_page(&mut official, &job, "RUNNABLE");
    assert_memory(&server);

    official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
    let view = wait_for_job(&mut official, &job, &["FAILED"]);
    assert_eq!(view["TaskInstanceMetrics"]["FailedCount"], INSTANCES, "{view}");
    assert_last_page(&mut official, &job, "FAILED");
    assert_memory(&server);
}

/// Asserts that the last ten instances are in this state.
fn assert_last_page(official: &mut Official, job: &str, state: &str) {
    let request = json!({"JobId": job, "TaskName": "many", "Offset": INSTANCES - 10, "Limit": 10});
    let view = official.batch("DescribeTask", request).expect("the task exists");
    assert_eq!(view["TaskInstanceTotalCount"], INSTANCES, "{view}");
    let page: Vec<(&Value, &Value)> = view["TaskInstanceSet"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|instance| (&instance["TaskInstanceIndex"], &instance["TaskInstanceState"]))
        .collect();
    let (indexes, state) = ((INSTANCES - 10..INSTANCES).map(Value::from).collect::<Vec<_>>(), Value::from(state));
    assert_eq!(page, indexes.iter().map(|index| (index, &state)).collect::<Vec<_>>());
}

/// Asserts that the server has never held more in memory than it may.
fn assert_memory(server: &Server) {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("the server runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the line of the peak");
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number of KiB");
    assert!(kib < MEMORY_KIB, "the server held {kib} KiB");
}
