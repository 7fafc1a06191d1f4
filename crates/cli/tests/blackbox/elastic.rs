//! Tasks with nodes of their own, through real nodes: made for the task and gone after it, destroyed or kept when a
//! run fails there, shared when there are few; and nodes that restart.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::events::{Log, batch_text};
use crate::support::field::{Field, wait_for_file};
use crate::support::processes;
use crate::support::requests::{ENV_EVENTS, JOB_EVENTS, edge, placement, wait_for_nodes};
use crate::support::wait;

/// A run that failed is repeated at once.
const NO_PAUSE: &str = "[jobs]\nretry_pause_s = 0\n";
/// Fails and leaves something to look at; its siblings and followers succeed.
const FAIL_ONE: &str = "if [ $BATCH_TASK_INSTANCE_INDEX = 1 ]; then echo look > clue; exit 7; fi";

/// A task with nodes of its own.
fn own(name: &str, command: &str, instances: u64) -> Value {
    json!({"TaskName": name, "TaskInstanceNum": instances, "ComputeEnv": {"EnvData": {"InstanceType": "S5.SMALL1"}},
        "Application": {"DeliveryForm": "LOCAL", "Command": command}})
}

/// Submits a job that asks for every event that a job can ask for, of its nodes too.
fn submit(field: &mut Field, tasks: &[Value], more: Value) -> String {
    let nodes = ENV_EVENTS.into_iter().filter(|name| name.starts_with("COMPUTE_NODE"));
    let events: Vec<&str> = JOB_EVENTS.into_iter().chain(["TASK_INSTANCE_RETRYING"]).chain(nodes).collect();
    field.submit_asking(tasks, more, &events)
}

/// The folders of nodes that there are.
fn node_folders(field: &Field) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(field.nodes_folder()).expect("the folder of nodes");
    folders.map(|folder| folder.expect("a folder").path()).collect()
}

/// Waits until no node is left, of whomever.
fn wait_for_no_nodes(field: &Field) {
    wait::until("the end of all nodes", || node_folders(field).is_empty().then_some(()));
}

fn terminate(field: &mut Field, job: &str, task: &str, index: u64) {
    let request = json!({"JobId": job, "TaskName": task, "TaskInstanceIndex": index});
    field.official.batch("TerminateTaskInstance", request).expect("the instance exists");
}

#[test]
fn nodes_are_made_for_a_task_reused_and_gone_after_it() {
    let mut field = Field::start("[nodes]\nlocal_capacity = 2\n", 0);
    let job = submit(&mut field, &[own("work", "true", 6)], json!({}));
    field.wait_for(&job, "SUCCEED");
    let events = field.job_events(&job, |log| log.count("COMPUTE_NODE_DELETING") == 2);
    assert_eq!(events.count("COMPUTE_NODE_CREATED"), 2, "two places, six instances: {:?}", events.names());
    events.assert_whole(events.names().len());
    assert_eq!(events.names().last(), Some(&"COMPUTE_NODE_DELETING"), "nodes go after the job's end");
    for event in events.events().filter(|event| event["EventName"].as_str().unwrap().starts_with("COMPUTE_NODE")) {
        assert_eq!((batch_text(event, "JobId"), batch_text(event, "TaskName")), (job.as_str(), "work"), "{event}");
        assert!(event["Batch"].get("EnvId").is_none() && event["Batch"].get("EnvName").is_none(), "{event}");
    }
    assert!(events.named("TASK_INSTANCE_SUCCEED").iter().all(|event| event["Batch"].get("EnvId").is_none()));
    wait_for_no_nodes(&field);
    let envs = field.official.batch("DescribeComputeEnvs", json!({})).expect("a right request");
    assert_eq!(envs["TotalCount"], 1, "the job's nodes have no environment that anybody sees: {envs}");
    field.official.batch("DeleteJob", json!({"JobId": job})).expect("a finished job");
}

/// Three tasks in a row, the second with one failing instance of two.
fn graph(field: &mut Field, action: &str, retries: u64, mode: &str) -> String {
    let mut failing = own("b", FAIL_ONE, 2);
    failing["FailedAction"] = json!(action);
    failing["MaxRetryCount"] = json!(retries);
    let tasks = [own("a", "true", 1), failing, own("c", "true", 1)];
    let edges = json!([edge("a", "b"), edge("b", "c")]);
    submit(field, &tasks, json!({"Dependences": edges, "TaskExecutionDependOn": mode}))
}

/// The nodes that attempts of the failing instance began on, in order.
fn nodes_of_failing(events: &Log) -> Vec<String> {
    let starts = events.named("TASK_INSTANCE_RUNNING");
    let of_failing =
        starts.iter().filter(|event| batch_text(event, "TaskName") == "b" && event["Batch"]["TaskInstanceIndex"] == 1);
    of_failing.map(|event| batch_text(event, "ComputeNodeId").to_owned()).collect()
}

#[test]
fn under_terminate_each_failure_destroys_the_node() {
    let mut field = Field::start(NO_PAUSE, 0);
    let job = graph(&mut field, "TERMINATE", 1, "PRE_TASK_AT_LEAST_PARTLY_SUCCEED");
    field.wait_for(&job, "FAILED");
    let events = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    let nodes = nodes_of_failing(&events);
    assert!(nodes.len() == 2 && nodes[0] != nodes[1], "another node for the second attempt: {nodes:?}");
    assert_eq!((events.count("TASK_SUCCEED"), events.count("TASK_FAILED")), (2, 1), "the third task ran");
    assert_eq!(events.count("TASK_INSTANCE_RETRYING"), 1);
    wait_for_no_nodes(&field);
}

#[test]
fn under_interrupt_the_last_failure_keeps_node_and_working_folder_until_terminated() {
    let mut field = Field::start(NO_PAUSE, 0);
    let job = graph(&mut field, "INTERRUPT", 1, "PRE_TASK_FINISHED");
    let view = field.wait_for(&job, "FAILED_INTERRUPTED");
    assert_eq!(view["TaskMetrics"]["FailedInterruptedCount"], 1, "{view}");
    assert_eq!(view["TaskMetrics"]["PendingCount"], 1, "what follows waits: {view}");
    let events = field.job_events(&job, |log| log.count("JOB_FAILED_INTERRUPTED") == 1);
    let nodes = nodes_of_failing(&events);
    assert_eq!(nodes.len(), 2, "{nodes:?}");
    let kept = field.nodes_folder().join(&nodes[1]);
    wait::until("the end of all other nodes", || (node_folders(&field) == [kept.clone()]).then_some(()));
    let clue = wait::until("what the run left", || clue_under(&kept));
    assert_eq!(std::fs::read_to_string(clue).expect("it can be read"), "look\n");
    let instance = field.instances(&job, "b").remove(1);
    assert_eq!(instance["TaskInstanceState"], "FAILED_INTERRUPTED", "{instance}");
    assert_eq!((&instance["ExitCode"], &instance["EndTime"]), (&json!(7), &Value::Null), "{instance}");
    let refused = field.official.batch("DeleteJob", json!({"JobId": job})).expect_err("it has not ended");
    assert_eq!(refused.code, "ResourceInUse.Job");

    terminate(&mut field, &job, "b", 1);
    let view = field.wait_for(&job, "FAILED");
    assert_eq!(view["TaskMetrics"]["SucceedCount"], 2, "the third task ran then: {view}");
    wait_for_no_nodes(&field);
    let events = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    assert_eq!(events.count("JOB_RUNNING"), 1, "{:?}", events.names());
    assert_eq!(events.count("TASK_INSTANCE_FAILED_INTERRUPTED"), 1);
}

/// The file that a failing run leaves, somewhere under its node's folder.
fn clue_under(folder: &std::path::Path) -> Option<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            if path.file_name().is_some_and(|name| name == "clue") {
                return Some(path);
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            }
        }
    }
    None
}

#[test]
fn under_fast_interrupt_the_first_failure_keeps_the_node_over_a_restart_of_the_server() {
    let mut field = Field::start(NO_PAUSE, 0);
    let job = graph(&mut field, "FAST_INTERRUPT", 3, "PRE_TASK_SUCCEED");
    field.wait_for(&job, "FAILED_INTERRUPTED");
    let events = field.job_events(&job, |log| log.count("JOB_FAILED_INTERRUPTED") == 1);
    let nodes = nodes_of_failing(&events);
    assert_eq!(nodes.len(), 1, "no attempt follows: {nodes:?}");
    let kept = field.nodes_folder().join(&nodes[0]);
    wait::until("the end of all other nodes", || (node_folders(&field) == [kept.clone()]).then_some(()));
    field.server.kill9();
    field.server.restart();
    field.official.turn_to(field.server.address());
    field.wait_for(&job, "FAILED_INTERRUPTED");
    assert!(clue_under(&kept).is_some(), "node and folder are still there");
    field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
    let view = field.wait_for(&job, "FAILED");
    assert_eq!(view["StateReason"], "Terminated", "{view}");
    wait_for_no_nodes(&field);
    let events = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    events.assert_whole(events.names().len());
}

#[test]
fn termination_destroys_the_node_of_a_running_instance_first() {
    let mut field = Field::start("", 0);
    let mark = field.mark("run");
    let task = mark.on(own("endless", "sh -c 'trap \"\" TERM; sleep 1000 & wait; wait' & wait", 1));
    let job = submit(&mut field, &[task], json!({}));
    let node = field.node_of(&job);
    mark.wait_for(2);
    terminate(&mut field, &job, "endless", 0);
    field.wait_for(&job, "FAILED");
    mark.assert_gone();
    let events = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    let names = events.names();
    let place = |name: &str| names.iter().position(|other| *other == name);
    assert!(place("COMPUTE_NODE_DELETING") < place("TASK_INSTANCE_FAILED"), "{names:?}");
    assert!(!field.nodes_folder().join(&node).exists(), "the instance failed when its node was gone");
    assert_eq!(processes::started_under(&field.nodes_folder().join(node)), []);
}

#[test]
fn jobs_that_find_no_place_get_their_nodes_later() {
    let mut field = Field::start("[nodes]\nlocal_capacity = 1\n", 0);
    let gate = field.path("gate");
    let waits = format!("while ! [ -e {} ]; do sleep 0.05; done", gate.display());
    let first = submit(&mut field, &[own("first", &waits, 1)], json!({}));
    field.node_of(&first);
    let second = submit(&mut field, &[own("second", "true", 2)], json!({}));
    let view = field.wait_for(&second, "RUNNABLE");
    assert_eq!(view["TaskInstanceMetrics"]["RunnableCount"], 2, "{view}");
    std::fs::write(&gate, "").expect("the gate opens");
    field.wait_for(&second, "SUCCEED");
    field.wait_for(&first, "SUCCEED");
    wait_for_no_nodes(&field);
}

#[test]
fn a_node_that_cannot_be_made_fails_a_run_or_is_waited_for() {
    let mut field = Field::start("[nodes]\nrefuse_larger_types = true\n", 0);
    let mut large = own("large", "true", 1);
    large["ComputeEnv"]["EnvData"] = json!({"InstanceType": "S5.999XLARGE1"});
    let job = submit(&mut field, &[large.clone()], json!({}));
    field.wait_for(&job, "FAILED");
    let events = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    let failed = events.named("COMPUTE_NODE_CREATION_FAILED");
    assert!(batch_text(failed[0], "StateReason").starts_with("type: 3996 cores"), "{}", failed[0]);
    let reason = field.instances(&job, "large")[0]["StateReason"].clone();
    assert!(reason.as_str().is_some_and(|text| text.starts_with("NodeNotCreated: type: ")), "{reason}");

    let waits = submit(&mut field, &[large.clone()], json!({"StateIfCreateCvmFailed": "RUNNABLE"}));
    field.job_events(&waits, |log| log.count("COMPUTE_NODE_CREATION_FAILED") == 1);
    field.wait_for(&waits, "RUNNABLE");
    field.official.batch("TerminateJob", json!({"JobId": waits})).expect("the job exists");
    field.wait_for(&waits, "FAILED");

    large["ComputeEnv"]["EnvData"] = json!({"InstanceTypes": ["S5.999XLARGE1", "S5.SMALL1"]});
    let second = submit(&mut field, &[large], json!({}));
    field.wait_for(&second, "SUCCEED");
    let events = field.job_events(&second, |log| log.count("JOB_SUCCEED") == 1);
    assert_eq!(events.count("COMPUTE_NODE_CREATION_FAILED"), 0, "one of its types could be made");
    wait_for_no_nodes(&field);
}

#[test]
fn a_node_restarts_after_a_run_that_asks_for_it() {
    let mut field = Field::start("", 1);
    let mut task = field.task("once", "true", 1);
    task["RestartComputeNode"] = json!(true);
    let node = field.nodes().remove(0);
    let before = wait::until("the agent", || agent_start(&field, &node));
    let job = field.submit(&[task], json!({}));
    field.wait_for(&job, "SUCCEED");
    let events = field.env_events(|log| log.count("COMPUTE_NODE_RUNNING") == 2);
    let wanted = ["COMPUTE_ENV_CREATED", "COMPUTE_NODE_CREATED", "COMPUTE_NODE_RUNNING", "COMPUTE_NODE_RUNNING"];
    assert_eq!(events.names(), wanted, "a restart is no loss");
    wait_for_nodes(&mut field.official, &field.env.clone(), 1);
    assert_eq!(field.nodes(), std::slice::from_ref(&node), "it is the same node");
    assert_ne!(agent_start(&field, &node).expect("a new agent"), before);
    let again = field.task("again", "true", 1);
    let again = field.submit(&[again], json!({}));
    field.wait_for(&again, "SUCCEED");
}

#[test]
fn a_node_restarts_after_a_termination_when_its_other_instances_have_ended_whatever_befalls_the_server() {
    let mut field = Field::start("[nodes.types.wide]\ncpu = 1\nmem_gb = 1\nslots = 2\n", 0);
    let wide = json!({"Placement": placement(), "ComputeEnv": {"EnvName": "wide", "DesiredComputeNodeCount": 1,
        "EnvData": {"InstanceType": "wide"}}});
    let env = field.official.batch("CreateComputeEnv", wide).expect("a right request")["EnvId"].clone();
    field.env = env.as_str().expect("an id").to_owned();
    let view = wait_for_nodes(&mut field.official, &field.env.clone(), 1);
    let node = view["ComputeNodeSet"][0]["ComputeNodeId"].as_str().expect("an id").to_owned();
    let before = wait::until("the agent", || agent_start(&field, &node));
    let (gate, begun) = (field.path("gate"), field.path("begun"));
    let mark = field.mark("run");
    let endless = mark.on(field.task("endless", "sleep 1000 & wait", 1));
    let waits = format!("touch {}; while ! [ -e {} ]; do sleep 0.05; done", begun.display(), gate.display());
    let other = field.task("other", &waits, 1);
    let job = field.submit(&[endless, other], json!({}));
    wait_for_file(&begun);
    mark.wait_for(1);
    terminate(&mut field, &job, "endless", 0);
    wait::until("the end of the terminated group", || mark.living().is_empty().then_some(()));
    wait::until("its failure", || (field.instances(&job, "endless")[0]["TaskInstanceState"] == "FAILED").then_some(()));
    assert_eq!(agent_start(&field, &node), Some(before.clone()), "another instance still runs there");
    assert_eq!(field.view()["ComputeNodeSet"][0]["TaskInstanceNumAvailable"], 0, "it takes no new one");
    field.server.kill9();
    field.server.restart();
    field.official.turn_to(field.server.address());
    std::fs::write(&gate, "").expect("the gate opens");
    wait::until("another agent", || agent_start(&field, &node).filter(|start| *start != before));
    wait_for_nodes(&mut field.official, &field.env.clone(), 1);
    assert_eq!(field.instances(&job, "other")[0]["TaskInstanceState"], "SUCCEED");
    assert_eq!(field.nodes(), [node]);
}

/// When the agent of a node was started, in the kernel's ticks, with its process id; `None`: there is none.
fn agent_start(field: &Field, node: &str) -> Option<(i32, String)> {
    let agent = field.agent(node)?;
    let stat = std::fs::read_to_string(format!("/proc/{agent}/stat")).ok()?;
    Some((agent.as_raw(), stat.rsplit(')').next()?.split_whitespace().nth(19)?.to_owned()))
}
