//! A graph of three tasks in a row, of which one instance of the second fails: how it ends under each
//! `TaskExecutionDependOn`, with retries, with a timeout, and when it is terminated in each of its states.

use serde_json::{Value, json};

use crate::support::field::{Field, wait_for_file};
use crate::support::requests::edge;

const SLOTS: &str = "[nodes]\nslots = 2\ngrace_ms = 300\n[jobs]\nretry_pause_s = 0\n";

/// Submits tasks `a`, `b` and `c` in a row; `b` has two instances and runs `command`.
fn row(field: &mut Field, command: &str, mode: &str, more: &Value) -> String {
    let mut middle = field.task("b", command, 2);
    for (key, value) in more.as_object().expect("fields of a task") {
        middle[key] = value.clone();
    }
    let tasks = [field.task("a", "true", 1), middle, field.task("c", "true", 1)];
    field.submit(&tasks, json!({"TaskExecutionDependOn": mode, "Dependences": [edge("a", "b"), edge("b", "c")]}))
}

/// Waits until the job has ended in this state, and returns those of its tasks, in order.
fn ends(field: &mut Field, job: &str, state: &str) -> Vec<String> {
    let view = field.wait_for(job, state);
    let end = format!("JOB_{state}");
    let log = field.job_events(job, |log| log.count(&end) == 1);
    log.assert_whole(log.names().len());
    assert_eq!(log.names().last(), Some(&end.as_str()), "the job's end is its last event");
    let tasks = view["TaskSet"].as_array().expect("a list");
    tasks.iter().map(|task| task["TaskState"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn each_dependence_decides_what_follows_a_failed_instance() {
    let mut field = Field::start(SLOTS, 1);
    let (one, both) = ("[ $BATCH_TASK_INSTANCE_INDEX -eq 0 ]", "false");
    let table = [
        ("PRE_TASK_SUCCEED", one, "FAILED"),
        ("PRE_TASK_AT_LEAST_PARTLY_SUCCEED", one, "SUCCEED"),
        ("PRE_TASK_AT_LEAST_PARTLY_SUCCEED", both, "FAILED"),
        ("PRE_TASK_FINISHED", both, "SUCCEED"),
    ];
    let jobs = table.map(|(mode, command, _)| row(&mut field, command, mode, &json!({})));
    for ((mode, command, last), job) in table.into_iter().zip(jobs) {
        assert_eq!(ends(&mut field, &job, "FAILED"), ["SUCCEED", "FAILED", last], "{mode} {command}");
        let after = field.instances(&job, "c").remove(0);
        let unmet = if last == "FAILED" { "DependenceUnmet: b" } else { "" };
        assert_eq!(after["StateReason"], unmet, "{mode} {command}");
    }
}

#[test]
fn retries_and_timeouts_count_within_a_graph() {
    let mut field = Field::start(SLOTS, 1);
    let once =
        format!("f={}-$BATCH_TASK_INSTANCE_INDEX; [ -e $f ] || {{ touch $f; exit 7; }}", field.path("x").display());
    let mended = row(&mut field, &once, "PRE_TASK_SUCCEED", &json!({"MaxRetryCount": 1}));
    let in_vain = row(&mut field, "exit 7", "PRE_TASK_SUCCEED", &json!({"MaxRetryCount": 1}));
    let slow = "[ $BATCH_TASK_INSTANCE_INDEX -eq 0 ] || sleep 1000";
    let timed = row(&mut field, slow, "PRE_TASK_AT_LEAST_PARTLY_SUCCEED", &json!({"Timeout": 1, "MaxRetryCount": 1}));
    assert_eq!(ends(&mut field, &mended, "SUCCEED"), ["SUCCEED"; 3]);
    assert_eq!(ends(&mut field, &in_vain, "FAILED"), ["SUCCEED", "FAILED", "FAILED"]);
    assert_eq!(ends(&mut field, &timed, "FAILED"), ["SUCCEED", "FAILED", "SUCCEED"]);
    let retries = |field: &mut Field, job: &str| field.job_events(job, |_| true).count("TASK_INSTANCE_RETRYING");
    assert_eq!([&mended, &in_vain, &timed].map(|job| retries(&mut field, job)), [2, 2, 1]);
    let late = field.instances(&timed, "b").remove(1);
    assert_eq!(late["StateReason"], "Timeout: ran longer than 1 s", "{late}");
}

#[test]
fn a_graph_can_be_terminated_in_each_of_its_states() {
    let mut field = Field::start(SLOTS, 1);
    let ready = field.path("ready");
    // Before anything of it has a place: what is in the way is the job that is terminated while it runs.
    let block = format!("touch {}; sleep 1000", ready.display());
    let tasks = [field.task("block", &block, 2)];
    let running = field.submit(&tasks, json!({}));
    wait_for_file(&ready);
    let waiting = row(&mut field, "true", "PRE_TASK_FINISHED", &json!({}));
    field.wait_for(&waiting, "RUNNABLE");
    for job in [&waiting, &running] {
        field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
    }
    assert_eq!(ends(&mut field, &waiting, "FAILED"), ["FAILED"; 3]);
    assert_eq!(ends(&mut field, &running, "FAILED"), ["FAILED"]);
    // While the second task runs, the first is done and the third waits.
    let stays = format!("touch {}; sleep 1000", field.path("stays").display());
    let job = row(&mut field, &stays, "PRE_TASK_FINISHED", &json!({}));
    wait_for_file(&field.path("stays"));
    field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
    assert_eq!(ends(&mut field, &job, "FAILED"), ["SUCCEED", "FAILED", "FAILED"]);
    // When it has ended, nothing more happens.
    let before = field.job_events(&job, |_| true).names().len();
    field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
    let after = row(&mut field, "true", "PRE_TASK_SUCCEED", &json!({}));
    assert_eq!(ends(&mut field, &after, "SUCCEED"), ["SUCCEED"; 3]);
    field.official.batch("TerminateJob", json!({"JobId": after})).expect("the job exists");
    assert_eq!(field.wait_for(&after, "SUCCEED")["NextAction"], "");
    assert_eq!(field.job_events(&job, |_| true).names().len(), before);
}
