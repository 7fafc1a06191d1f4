//! Jobs that somebody has run again, and instances that somebody ends: through a node, with the official clients.

use serde_json::{Value, json};

use crate::support::events::{Log, batch_text};
use crate::support::field::{Field, wait_for_file};
use crate::support::requests::edge;

const TWO_SLOTS: &str = "[nodes]\nslots = 2\ngrace_ms = 300\n";

/// A graph of three tasks, of which instance 1 of the second fails until the file `mended` is there.
fn graph(field: &mut Field) -> String {
    let mended = field.path("mended");
    let count = format!("[ $BATCH_TASK_INSTANCE_INDEX -ne 1 ] || [ -e {} ]", mended.display());
    let tasks =
        [field.task("split", "echo split", 1), field.task("count", &count, 3), field.task("merge", "echo merged", 1)];
    field.submit(&tasks, json!({"Dependences": [edge("split", "count"), edge("count", "merge")]}))
}

#[test]
fn a_failed_graph_runs_again_where_it_failed_and_its_events_count_on() {
    let mut field = Field::start(TWO_SLOTS, 1);
    let job = graph(&mut field);
    let view = field.wait_for(&job, "FAILED");
    assert_eq!(view["TaskMetrics"]["FailedCount"], 2, "{view}");
    let first = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    let before = first.names().len();
    first.assert_whole(before);
    let kept = [field.instances(&job, "split").remove(0), field.instances(&job, "count").remove(0)];

    std::fs::write(field.path("mended"), "").expect("a file in the test's own folder");
    field.official.batch("RetryJobs", json!({"JobIds": [job]})).expect("a failed job");
    let view = field.wait_for(&job, "SUCCEED");
    assert_eq!(view["TaskInstanceMetrics"]["SucceedCount"], 5, "{view}");
    assert_eq!((&view["StateReason"], &view["TaskMetrics"]["SucceedCount"]), (&json!(""), &json!(3)), "{view}");
    let all = field.job_events(&job, |log| log.count("JOB_SUCCEED") == 1);
    all.assert_whole(before + 11);
    let again = all.names().split_off(before);
    let wanted = "JOB_RETRIED TASK_INSTANCE_RUNNING TASK_RUNNING JOB_RUNNING TASK_INSTANCE_SUCCEED TASK_SUCCEED \
                  TASK_INSTANCE_RUNNING TASK_RUNNING TASK_INSTANCE_SUCCEED TASK_SUCCEED JOB_SUCCEED";
    assert_eq!(again.join(" "), wanted);
    assert_eq!(attempts(&all, "count", 1), [1, 2], "no number of an attempt is given twice");
    let now = [field.instances(&job, "split").remove(0), field.instances(&job, "count").remove(0)];
    assert_eq!(now, kept, "what had succeeded was not touched");
    let refusal = field.official.batch("RetryJobs", json!({"JobIds": [job]})).expect_err("a job that succeeded");
    assert_eq!(refusal.code, "UnsupportedOperation", "{refusal}");
    assert!(refusal.message.contains("JobIds.0") && refusal.message.contains("SUCCEED"), "{refusal}");
}

/// The attempts of an instance that have started, in their order.
fn attempts(log: &Log, task: &str, index: u64) -> Vec<u64> {
    let started = log.named("TASK_INSTANCE_RUNNING");
    let of = started
        .iter()
        .filter(|event| batch_text(event, "TaskName") == task && event["Batch"]["TaskInstanceIndex"] == index);
    of.map(|event| event["Batch"]["Attempt"].as_u64().expect("a number")).collect()
}

/// More instances than one commit makes ready again.
#[test]
fn a_retry_survives_the_death_of_the_server() {
    let mut field = Field::start(TWO_SLOTS, 1);
    let task = field.task("many", "sleep 1000", 1_100);
    let job = field.submit(&[task], json!({}));
    let terminate = |field: &mut Field| {
        field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
        field.wait_for(&job, "FAILED");
    };
    terminate(&mut field);
    field.official.batch("RetryJobs", json!({"JobIds": [job]})).expect("a failed job");
    field.server.kill9();
    field.server.restart();
    let address = field.server.address().to_owned();
    field.official.turn_to(&address);
    let view = field.wait_for(&job, "RUNNING");
    assert_eq!(view["TaskInstanceMetrics"]["FailedCount"], 0, "{view}");
    let states = field.instances(&job, "many");
    assert!(states.iter().all(|instance| instance["TaskInstanceState"] != "FAILED"), "{states:?}");
    terminate(&mut field);
    let log = field.job_events(&job, |log| log.count("JOB_FAILED") == 2);
    assert_eq!((log.count("JOB_RETRIED"), log.count("TASK_INSTANCE_FAILED")), (1, 2_200));
    log.assert_whole(log.names().len());
}

#[test]
fn a_job_whose_environment_is_gone_is_not_retried() {
    let mut field = Field::start(TWO_SLOTS, 1);
    let tasks = [field.task("lost", "false", 1)];
    let job = field.submit(&tasks, json!({}));
    let before = field.wait_for(&job, "FAILED");
    field.official.batch("DeleteComputeEnv", json!({"EnvId": field.env})).expect("the environment exists");
    field.env_events(|log| log.count("COMPUTE_ENV_DELETED") == 1);
    let refusal = field.official.batch("RetryJobs", json!({"JobIds": [job]})).expect_err("nowhere to run");
    assert_eq!(refusal.code, "UnsupportedOperation", "{refusal}");
    assert!(refusal.message.contains("`lost`") && refusal.message.contains(&field.env), "{refusal}");
    let after = field.wait_for(&job, "FAILED");
    assert_eq!(strip(before), strip(after), "nothing has changed");
}

fn strip(mut view: Value) -> Value {
    view["RequestId"] = Value::Null;
    view
}

#[test]
fn instances_are_ended_one_by_one() {
    let mut field = Field::start(TWO_SLOTS, 1);
    let mark = field.mark("run");
    let ready = field.path("ready");
    let command = format!("touch {}-$BATCH_TASK_INSTANCE_INDEX; sleep 1000", ready.display());
    let mut task = mark.on(field.task("long", &command, 4));
    task["MaxRetryCount"] = json!(5);
    let job = field.submit(&[task], json!({}));
    for index in [0, 1] {
        wait_for_file(&field.path(&format!("ready-{index}")));
    }
    let terminate = |field: &mut Field, index: u64| {
        let request = json!({"JobId": job, "TaskName": "long", "TaskInstanceIndex": index});
        field.official.batch("TerminateTaskInstance", request).expect("the instance exists");
    };
    terminate(&mut field, 3);
    let waiting = field.instances(&job, "long").remove(3);
    assert_eq!((&waiting["TaskInstanceState"], &waiting["StateReason"]), (&json!("FAILED"), &json!("Terminated")));
    terminate(&mut field, 0);
    let log = field.job_events(&job, |log| log.count("TASK_INSTANCE_FAILED") == 2);
    assert_eq!(log.indexes("TASK_INSTANCE_FAILED"), [0, 3]);
    // The node is restarted once its other run has ended, and then takes the one that waited.
    terminate(&mut field, 1);
    wait_for_file(&field.path("ready-2"));
    terminate(&mut field, 0);
    terminate(&mut field, 2);
    let view = field.wait_for(&job, "FAILED");
    assert_eq!(view["TaskInstanceMetrics"]["FailedCount"], 4, "{view}");
    mark.assert_gone();
    let log = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    assert_eq!(log.count("TASK_INSTANCE_RETRYING"), 0, "no retry follows");
    log.assert_whole(log.names().len());
    for (task, index) in [("long", 4), ("short", 0)] {
        let request = json!({"JobId": job, "TaskName": task, "TaskInstanceIndex": index});
        let refusal = field.official.batch("TerminateTaskInstance", request).expect_err("no such instance");
        assert_eq!(refusal.code, "ResourceNotFound.TaskInstance", "{refusal}");
    }
}

#[test]
fn tccli_retries_ends_and_reads_what_was_submitted() {
    let mut field = Field::start(TWO_SLOTS, 1);
    let mut task = field.task("sleep", "sleep 1000", 1);
    task["Timeout"] = json!("3600");
    task["EnvVars"] = json!([{"Name": "A", "Value": "1"}]);
    let more = json!({"JobName": "asked", "JobDescription": "for an echo", "Priority": "3",
        "Tags": [{"Key": "team", "Value": "a"}]});
    let job = field.submit(&[task], more);
    let asked = field.server.tccli(&["batch", "DescribeJobSubmitInfo", "--JobId", &job]);
    assert_eq!((&asked["JobName"], &asked["JobDescription"]), (&json!("asked"), &json!("for an echo")), "{asked}");
    assert_eq!((&asked["Priority"], &asked["Dependences"]), (&json!(3), &json!([])), "{asked}");
    assert_eq!(asked["Tags"], json!([{"Key": "team", "Value": "a"}]), "{asked}");
    let echoed = &asked["Tasks"][0];
    assert_eq!((&echoed["Timeout"], &echoed["TaskInstanceNum"]), (&json!(3600), &json!(1)), "{echoed}");
    assert_eq!((&echoed["EnvId"], &echoed["EnvVars"][0]["Name"]), (&json!(field.env), &json!("A")), "{echoed}");
    let typed = field.official.batch("DescribeJobSubmitInfo", json!({"JobId": job})).expect("the job exists");
    assert_eq!(typed["Tasks"], asked["Tasks"], "both clients read the same");

    let ids = json!([job]).to_string();
    let refused = field.server.try_tccli(&["batch", "RetryJobs", "--JobIds", &ids]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("UnsupportedOperation"), "{told}");
    let end = ["batch", "TerminateTaskInstance", "--JobId", &job, "--TaskName", "sleep", "--TaskInstanceIndex", "0"];
    field.server.tccli(&end);
    field.wait_for(&job, "FAILED");
    field.server.tccli(&["batch", "RetryJobs", "--JobIds", &ids]);
    field.wait_for(&job, "RUNNING");
    let malformed = field.official.batch("RetryJobs", json!({"JobIds": [job, "job-1"]})).expect_err("a wrong id");
    assert_eq!(malformed.code, "InvalidParameter.JobIdMalformed", "{malformed}");
    assert!(malformed.message.contains("JobIds.1"), "{malformed}");
    let unknown = field.official.batch("DescribeJobSubmitInfo", json!({"JobId": "job-00000000"})).expect_err("none");
    assert_eq!(unknown.code, "ResourceNotFound.Job", "{unknown}");
}
