//! Nodes that die, fall silent, or cannot be made: what became of them is told, their instances fail or run elsewhere,
//! and none of their processes lives on.

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::events::{Log, drain, event};
use crate::support::official::Official;
use crate::support::processes::started_under;
use crate::support::requests::{
    ENV_EVENTS, environment, notifications, placement, submit, task, topic_with_queue, wait_for_job, wait_for_nodes,
};
use crate::support::server::Server;
use crate::support::wait;

/// Agents of which more is expected than of usual ones: so that a test need not wait long for their silence.
const QUICK: &str = "[nodes]\nbeat_ms = 50\nsilent_ms = 1000\n";
/// A topic with a queue, both of this name, that has the environment's events.
const NODE_EVENTS: &str = "node-events";

#[test]
fn a_node_whose_agent_dies_is_made_anew_and_its_instance_fails() {
    let server = Server::start();
    let mut official = server.official();
    a_lost_node(&server, &mut official, || {
        end_agent(&server, Signal::SIGKILL);
        "its agent has ended"
    });
}

#[test]
fn a_silent_node_is_given_up() {
    let server = Server::start_with(QUICK);
    let mut official = server.official();
    a_lost_node(&server, &mut official, || {
        end_agent(&server, Signal::SIGSTOP);
        "its agent was silent for"
    });
}

#[test]
fn a_node_that_dies_while_no_server_is_there_is_found_dead() {
    let mut server = Server::start();
    let mut official = server.official();
    let env = watched_environment(&mut official, 1);
    server.kill9();
    end_agent(&server, Signal::SIGKILL);
    server.restart();
    official.turn_to(server.address());
    let seen = events_until(&mut official, &env, |log| log.count("COMPUTE_NODE_RUNNING") == 2);
    assert_eq!(seen.count("COMPUTE_NODE_ABNORMAL"), 1, "{:?}", seen.names());
}

#[test]
fn more_nodes_than_this_machine_takes_fail() {
    let server = Server::start_with("[nodes]\nlocal_capacity = 1\n");
    let mut official = server.official();
    let env = create_environment(&mut official, 2);
    let seen = events_until(&mut official, &env, |log| {
        log.count("COMPUTE_NODE_CREATION_FAILED") > 0 && log.count("COMPUTE_NODE_RUNNING") == 1
    });
    let failed = seen.events().find(|event| event["EventName"] == "COMPUTE_NODE_CREATION_FAILED");
    let reason = failed.and_then(|event| event["Batch"]["StateReason"].as_str()).unwrap_or_default();
    assert!(reason.starts_with("capacity"), "{reason}");
}

#[test]
fn an_environment_that_is_deleted_leaves_nothing_behind() {
    let server = Server::start();
    let mut official = server.official();
    let env = watched_environment(&mut official, 2);
    let job = submit(&mut official, &json!({"Tasks": [task("long", &env, "sleep 1000 & sleep 1000", 2)]}));
    wait_for_job(&mut official, &job, &["RUNNING"]);
    official.batch("DeleteComputeEnv", json!({"EnvId": env})).expect("a right request");
    let ended = wait_for_job(&mut official, &job, &["FAILED"]);
    assert_eq!(ended["TaskInstanceMetrics"]["FailedCount"], 2, "{ended}");
    let seen = events_until(&mut official, &env, |log| log.count("COMPUTE_ENV_DELETED") == 1);
    assert_eq!(seen.count("COMPUTE_NODE_DELETING"), 2, "{:?}", seen.names());
    let nodes = server.folder().join("data/nodes");
    assert_eq!(fs::read_dir(&nodes).expect("the folder stays").count(), 0);
    assert_eq!(started_under(&nodes), [], "no process of the nodes lives on");
}

/// Loses the one node of an environment while it runs an instance, by `lose`, which says why the node is lost.
fn a_lost_node(server: &Server, official: &mut Official, lose: impl FnOnce() -> &'static str) {
    let env = watched_environment(official, 1);
    let pid_file = server.folder().join("pid");
    let command = format!("echo $$ > {0}.new; mv {0}.new {0}; sleep 1000", pid_file.display());
    let job = submit(official, &json!({"Tasks": [task("long", &env, &command, 1)]}));
    let pid =
        wait::until("the instance", || fs::read_to_string(&pid_file).ok()?.trim().parse().ok().map(Pid::from_raw));

    let why = lose();
    wait_for_job(official, &job, &["FAILED"]);
    let living = started_under(server.folder());
    assert!(!living.contains(&pid), "the instance's process is dead before its loss is told");
    let task = official.batch("DescribeTask", json!({"JobId": job, "TaskName": "long"})).expect("the job exists");
    assert_eq!(task["TaskInstanceSet"][0]["StateReason"], "NodeLost", "{task}");

    let seen = events_until(official, &env, |log| log.count("COMPUTE_NODE_RUNNING") == 2);
    let abnormal = seen.events().find(|event| event["EventName"] == "COMPUTE_NODE_ABNORMAL");
    let reason = abnormal.and_then(|event| event["Batch"]["StateReason"].as_str()).unwrap_or_default();
    assert!(reason.starts_with(why), "{reason}");
    wait_for_nodes(official, &env, 1);
    let again = submit(official, &json!({"Tasks": [task_of(&env)]}));
    wait_for_job(official, &again, &["SUCCEED"]);
}

fn task_of(env: &str) -> Value {
    task("again", env, "true", 1)
}

/// An environment of so many running nodes, whose events go to [`NODE_EVENTS`].
fn watched_environment(official: &mut Official, nodes: u64) -> String {
    let env = create_environment(official, nodes);
    wait_for_nodes(official, &env, nodes);
    env
}

fn create_environment(official: &mut Official, nodes: u64) -> String {
    topic_with_queue(official, NODE_EVENTS, NODE_EVENTS);
    let mut env = environment("watched", nodes);
    env["Notifications"] = notifications(NODE_EVENTS, &ENV_EVENTS);
    let request = json!({"Placement": placement(), "ComputeEnv": env});
    let reply = official.batch("CreateComputeEnv", request).expect("a right request");
    reply["EnvId"].as_str().expect("an id").to_owned()
}

/// The environment's events so far, as soon as they are `enough`.
fn events_until(official: &mut Official, env: &str, enough: impl Fn(&Log) -> bool) -> Log {
    let log = |texts: &[String]| Log::of(env, texts.iter().map(|text| event(text)));
    let texts = drain(official, NODE_EVENTS, |texts| enough(&log(texts)));
    log(&texts)
}

/// Sends a signal to the one agent of the server.
fn end_agent(server: &Server, signal: Signal) {
    let nodes = server.folder().join("data/nodes");
    let mut agents: Vec<Pid> = started_under(&nodes).into_iter().filter(|pid| is_agent(*pid)).collect();
    let agent = agents.pop().expect("the node has an agent");
    assert_eq!(agents, [], "one node has one agent");
    kill(agent, signal).expect("a signal can be sent");
}

fn is_agent(pid: Pid) -> bool {
    let line = fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|word| word == b"agent")
}
