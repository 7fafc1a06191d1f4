//! Nodes that die, fall silent, or cannot be made: what became of them is told, their instances fail or run elsewhere,
//! and none of their processes lives on.

use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};

use crate::support::events::{Log, batch_text};
use crate::support::field::{Field, Mark, wait_for_file};
use crate::support::processes;
use crate::support::requests::wait_for_nodes;
use crate::support::wait;

/// Agents that must show more often that they live, so that a test need not wait long for their silence.
const IMPATIENT: &str = "[nodes]\nbeat_ms = 100\nsilent_ms = 4000\n";
/// A run that failed is repeated at once.
const NO_PAUSE: &str = "[jobs]\nretry_pause_s = 0\n";
/// A command with a child and a grandchild, that ends only when it is ended.
const ENDLESS: &str = "sh -c 'sleep 1000 & wait' & wait";
/// How many processes it has: two shells and the sleep.
const PROCESSES: usize = 3;

/// An environment's events when its one node is lost, and made anew.
const LOST_AND_MADE_ANEW: [&str; 8] = [
    "COMPUTE_ENV_CREATED",
    "COMPUTE_NODE_CREATED",
    "COMPUTE_NODE_RUNNING",
    "COMPUTE_NODE_ABNORMAL",
    "COMPUTE_NODE_DELETING",
    "COMPUTE_NODE_DELETED",
    "COMPUTE_NODE_CREATED",
    "COMPUTE_NODE_RUNNING",
];

#[test]
fn a_node_whose_agent_is_killed_is_made_anew_and_its_instance_fails() {
    let mut field = Field::start("", 1);
    let mark = field.mark("run");
    let (job, node) = endless(&mut field, &mark);
    field.signal_agent(&node, Signal::SIGKILL);
    assert_lost(&mut field, &job, &node, &mark, "its agent has ended");
}

#[test]
fn a_node_whose_agent_is_stopped_is_given_up() {
    let mut field = Field::start(IMPATIENT, 1);
    let mark = field.mark("run");
    let (job, node) = endless(&mut field, &mark);
    let agent = field.signal_agent(&node, Signal::SIGSTOP);
    assert_lost(&mut field, &job, &node, &mark, "its agent was silent for");

    // Whoever wakes it now finds that it is dead, and nothing changes.
    assert!(kill(agent, Signal::SIGCONT).is_err(), "the silent agent was ended before its node was given up");
    let again = field.task("again", "true", 1);
    let again = field.submit(&[again], json!({}));
    field.wait_for(&again, "SUCCEED");
    let events = field.env_events(|log| log.names().len() >= LOST_AND_MADE_ANEW.len());
    events.assert_whole(LOST_AND_MADE_ANEW.len());
}

#[test]
fn a_job_on_a_silent_node_can_be_terminated() {
    let mut field = Field::start(IMPATIENT, 1);
    let mark = field.mark("run");
    let (job, node) = endless(&mut field, &mark);
    field.signal_agent(&node, Signal::SIGSTOP);
    field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
    field.wait_for(&job, "FAILED");
    mark.assert_gone();
    assert_eq!(field.instances(&job, "endless")[0]["StateReason"], "Terminated");
}

#[test]
fn an_agent_that_was_stopped_for_a_moment_goes_on() {
    let mut field = Field::start("", 1);
    let gate = field.path("gate");
    let ended = field.path("ended");
    let command = format!("while ! [ -e {} ]; do sleep 0.05; done; touch {}", gate.display(), ended.display());
    let task = field.task("wait", &command, 1);
    let job = field.submit(&[task], json!({}));
    let node = field.node_of(&job);
    field.signal_agent(&node, Signal::SIGSTOP);
    std::fs::write(&gate, "").expect("the gate opens");
    wait_for_file(&ended);
    field.signal_agent(&node, Signal::SIGCONT);
    field.wait_for(&job, "SUCCEED");
    let events = field.job_events(&job, |log| log.count("JOB_SUCCEED") == 1);
    events.assert_whole(6);
    assert_eq!(field.nodes(), [node]);
    let events = field.env_events(|log| log.count("COMPUTE_NODE_RUNNING") == 1);
    assert_eq!(events.names(), LOST_AND_MADE_ANEW[..3]);
}

#[test]
fn an_instance_with_a_retry_runs_again_on_another_node() {
    let mut field = Field::start(NO_PAUSE, 2);
    let mark = field.mark("run");
    let first = field.path("first");
    let command = format!("if [ -e {0} ]; then exit 0; fi; touch {0}; {ENDLESS}", first.display());
    let mut task = mark.on(field.task("work", &command, 1));
    task["MaxRetryCount"] = json!(1);
    let job = field.submit(&[task], json!({}));
    let node = field.node_of(&job);
    mark.wait_for(PROCESSES);
    field.signal_agent(&node, Signal::SIGKILL);

    field.wait_for(&job, "SUCCEED");
    mark.assert_gone();
    let events = field.job_events(&job, |log| log.count("JOB_SUCCEED") == 1);
    events.assert_whole(8);
    let attempts = events.named("TASK_INSTANCE_RUNNING");
    assert_eq!(attempts.len(), 2, "{:?}", events.names());
    assert_ne!(batch_text(attempts[1], "ComputeNodeId"), node, "the second attempt is on another node");
    let retrying = events.named("TASK_INSTANCE_RETRYING");
    assert_eq!(retrying[0]["Batch"]["Attempt"], 1, "{}", retrying[0]);
    assert_eq!(batch_text(retrying[0], "StateReason"), "NodeLost");
    wait_for_nodes(&mut field.official, &field.env, 2);
}

#[test]
fn a_node_that_dies_while_no_server_is_there_is_found_dead() {
    let mut field = Field::start("", 1);
    let mark = field.mark("run");
    let (job, node) = endless(&mut field, &mark);
    field.server.kill9();
    field.signal_agent(&node, Signal::SIGKILL);
    mark.wait_for(PROCESSES);
    field.server.restart();
    field.official.turn_to(field.server.address());
    assert_lost(&mut field, &job, &node, &mark, "its agent has ended");
}

#[test]
fn more_nodes_than_this_machine_takes_fail() {
    let mut field = Field::start("[nodes]\nlocal_capacity = 1\n", 1);
    field.official.batch("ModifyComputeEnv", json!({"EnvId": field.env, "DesiredComputeNodeCount": 2})).expect("right");
    let events = field.env_events(|log| log.count("COMPUTE_NODE_CREATION_FAILED") > 0);
    let failed = events.named("COMPUTE_NODE_CREATION_FAILED");
    assert_eq!(batch_text(failed[0], "StateReason"), "capacity: this machine takes 1 nodes");
}

/// Submits a job of one endless run; returns it, and the node that it runs on, once all its processes are there.
fn endless(field: &mut Field, mark: &Mark) -> (String, String) {
    let task = mark.on(field.task("endless", ENDLESS, 1));
    let job = field.submit(&[task], json!({}));
    let node = field.node_of(&job);
    mark.wait_for(PROCESSES);
    (job, node)
}

/// Asserts that a node was lost, for this reason, with the one instance that ran there, and that another came.
fn assert_lost(field: &mut Field, job: &str, node: &str, mark: &Mark, why: &str) {
    let events = field.job_events(job, |log| log.count("JOB_FAILED") == 1);
    mark.assert_gone();
    events.assert_whole(6);
    let failed = events.named("TASK_INSTANCE_FAILED");
    assert_eq!((batch_text(failed[0], "StateReason"), batch_text(failed[0], "ComputeNodeId")), ("NodeLost", node));
    let instance = field.instances(job, "endless").remove(0);
    assert_eq!(
        (&instance["TaskInstanceState"], &instance["StateReason"], &instance["ExitCode"]),
        (&json!("FAILED"), &json!("NodeLost"), &Value::Null),
        "{instance}"
    );
    field.wait_for(job, "FAILED");

    let events =
        field.env_events(|log| log.count("COMPUTE_NODE_RUNNING") == 2 && log.count("COMPUTE_NODE_DELETED") == 1);
    assert_eq!(in_usual_order(&events), LOST_AND_MADE_ANEW);
    events.assert_whole(LOST_AND_MADE_ANEW.len());
    let abnormal = events.named("COMPUTE_NODE_ABNORMAL");
    assert_eq!(batch_text(abnormal[0], "ComputeNodeId"), node);
    assert!(batch_text(abnormal[0], "StateReason").starts_with(why), "{}", abnormal[0]);
    let view = wait_for_nodes(&mut field.official, &field.env, 1);
    assert_eq!(view["DesiredComputeNodeCount"], 1, "{view}");
    assert_ne!(view["ComputeNodeSet"][0]["ComputeNodeId"], node, "{view}");
    wait::until("the end of the lost node's folder", || (!field.nodes_folder().join(node).exists()).then_some(()));
    assert_eq!(processes::started_under(&field.nodes_folder().join(node)), []);
}

/// The names of an environment's events: the end of the lost node, which takes its time, before the new one.
fn in_usual_order(events: &Log) -> Vec<&str> {
    let mut names = events.names();
    if let Some(gone) = names.iter().position(|name| *name == "COMPUTE_NODE_DELETED") {
        let name = names.remove(gone);
        names.insert(5.min(names.len()), name);
    }
    names
}
