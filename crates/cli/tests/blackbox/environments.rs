//! Environments that change while instances run on them: nodes terminated, more and fewer nodes, the end of all.

use std::fs;

use serde_json::{Value, json};

use crate::support::events::{Log, batch_text};
use crate::support::field::{Field, Mark};
use crate::support::processes;
use crate::support::requests::{submit, task, wait_for_nodes};
use crate::support::wait;

/// A command with a child, that ends only when it is ended.
const ENDLESS: &str = "sleep 1000 & wait";
/// How many processes it has.
const PROCESSES: usize = 2;

#[test]
fn a_terminated_node_takes_its_instance_with_it_and_is_replaced() {
    let mut field = Field::start("", 2);
    let mark = field.mark("run");
    let job = endless(&mut field, &mark, 1);
    let node = field.node_of(&job);
    let request = json!({"EnvId": field.env, "ComputeNodeIds": [node]});
    field.official.batch("TerminateComputeNodes", request.clone()).expect("the node exists");
    let again = field.official.batch("TerminateComputeNodes", request).expect_err("the node is on its way");
    assert!(again.message.contains("ComputeNodeIds.0"), "{again}");

    field.wait_for(&job, "FAILED");
    mark.assert_gone();
    assert_eq!(field.instances(&job, "endless")[0]["StateReason"], "NodeLost");
    let ended = |log: &Log| log.count("COMPUTE_NODE_RUNNING") == 3 && log.count("COMPUTE_NODE_DELETED") == 1;
    let events = field.env_events(ended);
    assert_eq!((events.count("COMPUTE_NODE_ABNORMAL"), events.count("COMPUTE_ENV_SCALED")), (0, 0));
    for name in ["COMPUTE_NODE_DELETING", "COMPUTE_NODE_DELETED"] {
        let told: Vec<&str> = events.named(name).iter().map(|event| batch_text(event, "ComputeNodeId")).collect();
        assert_eq!(told, [node.as_str()], "{name}");
    }
    let view = wait_for_nodes(&mut field.official, &field.env, 2);
    assert_eq!(view["DesiredComputeNodeCount"], 2, "{view}");
    assert!(!field.nodes().contains(&node), "{view}");
}

#[test]
fn an_environment_grows_and_shrinks_round_its_busy_node() {
    let mut field = Field::start("", 2);
    let gate = field.path("gate");
    let task = field.task("wait", &format!("while ! [ -e {} ]; do sleep 0.05; done", gate.display()), 1);
    let job = field.submit(&[task], json!({}));
    let busy = field.node_of(&job);
    scale(&mut field, 4);
    wait_for_nodes(&mut field.official, &field.env, 4);
    scale(&mut field, 1);
    wait::until("one node", || (field.nodes() == [busy.as_str()]).then_some(()));
    assert_eq!(node_folders(&field), [busy.as_str()]);

    fs::write(&gate, "").expect("the gate opens");
    field.wait_for(&job, "SUCCEED");
    let events = field.env_events(|log| log.count("COMPUTE_NODE_DELETED") == 3);
    let scaled = events.named("COMPUTE_ENV_SCALED");
    let wanted: Vec<&Value> = scaled.iter().map(|event| &event["Batch"]["DesiredComputeNodeCount"]).collect();
    assert_eq!(wanted, [4, 1]);
    events.assert_whole(1 + 4 + 4 + 2 + 3 + 3);
    assert_eq!(events.count("COMPUTE_NODE_CREATED"), 4);
}

#[test]
fn a_deleted_environment_ends_what_runs_on_it_and_leaves_nothing_behind() {
    let mut field = Field::start("", 2);
    let mark = field.mark("run");
    let job = endless(&mut field, &mark, 3);
    field.job_events(&job, |log| log.count("TASK_INSTANCE_RUNNING") == 2);
    mark.wait_for(2 * PROCESSES);
    field.official.batch("DeleteComputeEnv", json!({"EnvId": field.env})).expect("the environment exists");

    let view = field.wait_for(&job, "FAILED");
    mark.assert_gone();
    assert_eq!(view["TaskInstanceMetrics"]["FailedCount"], 3, "{view}");
    for instance in field.instances(&job, "endless") {
        assert_eq!(instance["StateReason"], "ComputeEnvDeleted", "no retry: {instance}");
    }
    let events = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    events.assert_whole(2 + 2 + 3 + 2);
    let events = field.env_events(|log| log.count("COMPUTE_ENV_DELETED") == 1);
    assert_eq!(events.names().last(), Some(&"COMPUTE_ENV_DELETED"));
    events.assert_whole(1 + 2 * 4 + 1);
    assert_eq!(events.count("COMPUTE_NODE_DELETED"), 2);
    assert!(node_folders(&field).is_empty());
    assert_eq!(processes::started_under(&field.nodes_folder()), [], "no process of the nodes lives on");
    let gone = field.official.batch("DescribeComputeEnv", json!({"EnvId": field.env})).expect_err("it is gone");
    assert_eq!(gone.code, "ResourceNotFound.ComputeEnv", "{gone}");
}

#[test]
fn new_nodes_are_of_the_types_that_an_environment_was_given_last() {
    let mut field = Field::start("", 1);
    let edit = |types: Value| json!({"EnvId": field.env, "EnvData": {"InstanceTypes": types}});
    let (right, empty, twice, odd) =
        (edit(json!(["S5.LARGE8"])), edit(json!([])), edit(json!(["S5.LARGE8", "S5.LARGE8"])), edit(json!(["vast"])));
    for (request, code) in [
        (empty, "InvalidParameterValue.InstanceTypesEmpty"),
        (twice, "InvalidParameterValue.InstanceTypeDuplicate"),
        (odd, "InvalidParameterValue.InstanceType"),
    ] {
        let refusal = field.official.batch("ModifyComputeEnv", request).expect_err(code);
        assert_eq!(refusal.code, code, "{refusal}");
        assert!(refusal.message.contains("EnvData.InstanceTypes"), "{refusal}");
    }
    field.official.batch("ModifyComputeEnv", right).expect("the environment exists");
    let old = field.nodes()[0].clone();
    field.server.kill9();
    field.server.restart();
    field.official.turn_to(field.server.address());
    wait_for_nodes(&mut field.official, &field.env, 1);
    let request = json!({"EnvId": field.env, "ComputeNodeId": old});
    field.official.batch("TerminateComputeNode", request.clone()).expect("the node exists");
    let again = field.official.batch("TerminateComputeNode", request);
    if let Err(again) = again {
        let gone = ["UnsupportedOperation.ComputeNodeIsTerminating", "ResourceNotFound.ComputeNode"];
        assert!(gone.contains(&again.code.as_str()) && again.message.starts_with("ComputeNodeId:"), "{again}");
    } else {
        panic!("a node ends once");
    }
    let view = wait::until("another node in its place", || {
        let view = wait_for_nodes(&mut field.official, &field.env, 1);
        (field.nodes() != [old.as_str()] && field.nodes().len() == 1).then_some(view)
    });
    let node = &view["ComputeNodeSet"][0];
    assert_eq!((&node["Cpu"], &node["Mem"]), (&json!(4), &json!(8)), "{view}");
}

#[test]
fn an_environment_without_nodes_keeps_its_jobs_waiting() {
    let mut field = Field::start("", 0);
    let tasks = [task("patient", &field.env, "true", 2)];
    let job = submit(&mut field.official, &json!({"Tasks": tasks}));
    field.wait_for(&job, "RUNNABLE");
    scale(&mut field, 1);
    field.wait_for(&job, "SUCCEED");
}

/// Submits a job of so many endless instances with retries; returns it when the first of them runs.
fn endless(field: &mut Field, mark: &Mark, instances: u64) -> String {
    let task = mark.on(field.task("endless", ENDLESS, instances));
    let job = if instances == 1 {
        field.submit(&[task], json!({}))
    } else {
        let mut task = task;
        task["MaxRetryCount"] = json!(3);
        field.submit(&[task], json!({}))
    };
    mark.wait_for(PROCESSES);
    job
}

fn scale(field: &mut Field, nodes: u64) {
    let request = json!({"EnvId": field.env, "DesiredComputeNodeCount": nodes});
    field.official.batch("ModifyComputeEnv", request).expect("the environment can have so many");
}

/// The names of the nodes' folders.
fn node_folders(field: &Field) -> Vec<String> {
    let folders = fs::read_dir(field.nodes_folder()).expect("the folder of the nodes stays");
    folders.flatten().map(|folder| folder.file_name().into_string().expect("UTF-8")).collect()
}
