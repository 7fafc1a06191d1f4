//! Runs that are ended: because their time is over, because someone wants it; and runs that fail and are repeated.

use serde_json::{Value, json};

use crate::support::events::{Log, batch_text};
use crate::support::field::{Field, Mark, wait_for_file};

/// A grace that no test could wait for.
const LONG_GRACE: &str = "[nodes]\nslots = 2\ngrace_ms = 600000\n";
/// A grace that is over soon.
const SHORT_GRACE: &str = "[nodes]\nslots = 2\ngrace_ms = 300\n";
/// A run that failed is repeated at once.
const NO_PAUSE: &str = "[jobs]\nretry_pause_s = 0\n";

/// Ignores SIGTERM, as its child does.
const STUBBORN: &str = "trap '' TERM; (while :; do sleep 0.1; done) & touch $READY; while :; do sleep 0.1; done";
/// Says goodbye on SIGTERM and ends well.
const POLITE: &str = "trap 'echo goodbye; exit 0' TERM; touch $READY; while :; do sleep 0.1; done";

#[test]
fn a_run_that_ignores_the_end_of_its_time_is_killed() {
    let mut field = Field::start(SHORT_GRACE, 1);
    let mark = field.mark("run");
    let job = timed(&mut field, STUBBORN, &mark);
    let events = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    mark.assert_gone();
    assert_timed_out(&mut field, &job, &events);
}

#[test]
fn a_run_may_use_its_grace_to_end_in_order() {
    let mut field = Field::start(LONG_GRACE, 1);
    let mark = field.mark("run");
    let job = timed(&mut field, POLITE, &mark);
    let events = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    mark.assert_gone();
    assert_timed_out(&mut field, &job, &events);
    let request = json!({"JobId": job, "TaskName": "work"});
    let logs = field.official.batch("DescribeTaskLogs", request).expect("the job exists");
    assert_eq!(logs["TaskInstanceLogSet"][0]["StdoutLog"], "Z29vZGJ5ZQo=", "goodbye, in Base64: {logs}");
}

#[test]
fn a_run_that_fails_twice_succeeds_at_the_third_attempt() {
    let mut field = Field::start(NO_PAUSE, 1);
    let job = counting(&mut field, "[ $n -eq 3 ] || exit 7", 2);
    field.wait_for(&job, "SUCCEED");
    let events = field.job_events(&job, |log| log.count("JOB_SUCCEED") == 1);
    events.assert_whole(10);
    assert_eq!(attempts(&events, "TASK_INSTANCE_RUNNING"), [1, 2, 3]);
    assert_eq!(attempts(&events, "TASK_INSTANCE_RETRYING"), [1, 2]);
    assert_eq!(attempts(&events, "TASK_INSTANCE_SUCCEED"), [3]);
    for event in events.named("TASK_INSTANCE_RETRYING") {
        assert_eq!((&event["Batch"]["ExitCode"], batch_text(event, "StateReason")), (&json!(7), "ExitCode: 7"));
    }
    let changes = "TASK_INSTANCE_RUNNING TASK_RUNNING JOB_RUNNING TASK_INSTANCE_RETRYING TASK_INSTANCE_RUNNING \
                   TASK_INSTANCE_RETRYING TASK_INSTANCE_RUNNING TASK_INSTANCE_SUCCEED TASK_SUCCEED JOB_SUCCEED";
    assert_eq!(events.names().join(" "), changes);
    assert_eq!(std::fs::read_to_string(field.path("count")).expect("the runs count").trim(), "3");
}

#[test]
fn a_run_that_fails_once_too_often_has_failed() {
    let mut field = Field::start(NO_PAUSE, 1);
    let job = counting(&mut field, "kill -9 $$", 1);
    field.wait_for(&job, "FAILED");
    let events = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    events.assert_whole(8);
    assert_eq!(attempts(&events, "TASK_INSTANCE_RUNNING"), [1, 2]);
    assert_eq!(attempts(&events, "TASK_INSTANCE_FAILED"), [2]);
    let instance = field.instances(&job, "count").remove(0);
    assert_eq!((&instance["ExitCode"], &instance["StateReason"]), (&json!(137), &json!("Signal: 9")), "{instance}");
}

#[test]
fn a_terminated_job_leaves_no_process() {
    let mut field = Field::start(SHORT_GRACE, 1);
    let mark = field.mark("run");
    let job = terminated(&mut field, [STUBBORN, POLITE], &mark);
    let events = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    mark.assert_gone();
    assert_eq!(events.count("TASK_INSTANCE_RUNNING"), 2, "{:?}", events.names());
    assert_eq!(events.indexes("TASK_INSTANCE_FAILED"), [0, 0, 1]);
    for event in events.named("TASK_INSTANCE_FAILED") {
        assert_eq!(batch_text(event, "StateReason"), "Terminated", "{event}");
    }
    assert_eq!(events.names().last(), Some(&"JOB_FAILED"));
    events.assert_whole(2 + 2 + 1 + 3 + 2 + 1);
    let view = field.wait_for(&job, "FAILED");
    assert_eq!((&view["StateReason"], &view["NextAction"]), (&json!("Terminated"), &json!("")), "{view}");
    assert_eq!(view["TaskInstanceMetrics"]["FailedCount"], 3, "{view}");
}

#[test]
fn a_terminated_job_whose_runs_obey_needs_no_grace() {
    let mut field = Field::start(LONG_GRACE, 1);
    let mark = field.mark("run");
    let job = terminated(&mut field, [POLITE, POLITE], &mark);
    field.wait_for(&job, "FAILED");
    mark.assert_gone();
}

#[test]
fn a_job_terminated_between_two_attempts_ends_at_once() {
    // The first pause is of one second, the next of two, and so on: there is none after which all is over.
    let mut field = Field::start("", 1);
    let mut task = field.task("work", "false", 1);
    task["MaxRetryCount"] = json!(100);
    let job = field.submit(&[task], json!({}));
    field.job_events(&job, |log| log.count("TASK_INSTANCE_RETRYING") == 2);
    field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
    field.wait_for(&job, "FAILED");
    let events = field.job_events(&job, |log| log.count("JOB_FAILED") == 1);
    let failed = events.named("TASK_INSTANCE_FAILED")[0];
    assert_eq!(batch_text(failed, "StateReason"), "Terminated", "{failed}");
    events.assert_whole(events.names().len());
}

/// Submits a job of one run with a second or two of time.
fn timed(field: &mut Field, command: &str, mark: &Mark) -> String {
    let mut task = mark.on(field.task("work", &ready(field, command, "ready"), 1));
    task["Timeout"] = json!("2");
    field.submit(&[task], json!({}))
}

/// The command with `READY` set to a path in the test's folder.
fn ready(field: &Field, command: &str, name: &str) -> String {
    format!("READY={}; {command}", field.path(name).display())
}

fn assert_timed_out(field: &mut Field, job: &str, events: &Log) {
    events.assert_whole(6);
    let failed = events.named("TASK_INSTANCE_FAILED")[0];
    assert_eq!(batch_text(failed, "StateReason"), "Timeout: ran longer than 2 s", "{failed}");
    let instance = field.instances(job, "work").remove(0);
    assert_eq!(instance["StateReason"], "Timeout: ran longer than 2 s", "{instance}");
    assert_eq!(instance["ExitCode"], Value::Null, "{instance}");
}

/// Submits a job whose run counts its attempts in the file `count`, has the number in `n`, and goes on with `command`.
fn counting(field: &mut Field, command: &str, retries: u64) -> String {
    let file = field.path("count");
    let counted = format!("n=$(($(cat {0} 2>/dev/null || echo 0) + 1)); echo $n > {0}; {command}", file.display());
    let mut task = field.task("count", &counted, 1);
    task["MaxRetryCount"] = json!(retries);
    field.submit(&[task], json!({}))
}

/// The attempts that the events of this name tell of, in their order.
fn attempts(events: &Log, name: &str) -> Vec<u64> {
    events.named(name).iter().map(|event| event["Batch"]["Attempt"].as_u64().expect("a number")).collect()
}

/// Terminates a job of two tasks, the second of two instances, while one instance of each runs and one waits.
fn terminated(field: &mut Field, commands: [&str; 2], mark: &Mark) -> String {
    let first = mark.on(field.task("first", &ready(field, commands[0], "first"), 1));
    let second = mark.on(field.task("second", &ready(field, commands[1], "second"), 2));
    let job = field.submit(&[first, second], json!({}));
    for name in ["first", "second"] {
        wait_for_file(&field.path(name));
    }
    field.job_events(&job, |log| log.count("TASK_INSTANCE_RUNNING") == 2);
    field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
    job
}
