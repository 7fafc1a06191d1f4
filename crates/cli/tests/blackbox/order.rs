//! What runs when: how many instances at once, which job first, which task after which.

use std::fs;

use serde_json::{Value, json};

use crate::support::events::{Log, batch_text};
use crate::support::field::{Field, wait_for_file};
use crate::support::requests::edge;

/// Nodes that run four instances at once.
const FOUR_SLOTS: &str = "[nodes]\nslots = 4\n";

#[test]
fn a_task_runs_no_more_instances_at_once_than_it_allows() {
    let mut field = Field::start(FOUR_SLOTS, 1);
    let started = field.path("started");
    // The first two each wait for the other, so two do run at once.
    let command = format!("echo >> {0}; while [ $(wc -l < {0}) -lt 2 ]; do sleep 0.02; done", started.display());
    let mut task = field.task("few", &command, 10);
    task["MaxConcurrentNum"] = json!(2);
    let job = field.submit(&[task], json!({}));
    field.wait_for(&job, "SUCCEED");
    let events = field.job_events(&job, |log| log.count("JOB_SUCCEED") == 1);
    events.assert_whole(4 + 2 * 10);
    assert_eq!(most_at_once(&events), 2);
}

#[test]
fn jobs_of_higher_priority_go_first_and_equal_ones_take_turns() {
    let mut field = Field::start("", 1);
    let (gate, open, notes) = (field.path("gate"), field.path("open"), field.path("notes"));
    let command = format!("touch {}; while ! [ -e {} ]; do sleep 0.02; done", gate.display(), open.display());
    let blocker = field.task("block", &command, 1);
    let blocker = field.submit(&[blocker], json!({}));
    wait_for_file(&gate);
    let mut jobs = Vec::new();
    for (name, priority, instances) in [("low", 1, 1), ("mid", 5, 2), ("mid-too", 5, 2), ("high", 50, 1)] {
        let task = field.task(name, &format!("echo $BATCH_TASK_NAME >> {}", notes.display()), instances);
        jobs.push(field.submit(&[task], json!({"JobName": name, "Priority": priority})));
    }
    fs::write(&open, "").expect("the gate opens");
    field.wait_for(&blocker, "SUCCEED");
    for job in jobs {
        field.wait_for(&job, "SUCCEED");
    }
    let notes = fs::read_to_string(&notes).expect("the instances wrote notes");
    let order: Vec<&str> = notes.lines().collect();
    let mid = [["mid", "mid-too", "mid", "mid-too"], ["mid-too", "mid", "mid-too", "mid"]];
    assert!(order.len() == 6 && order[0] == "high" && order[5] == "low", "{order:?}");
    assert!(mid.iter().any(|turns| order[1..5] == *turns), "{order:?}");
}

#[test]
fn a_task_runs_after_others_as_its_job_wants_it() {
    let mut field = Field::start(FOUR_SLOTS, 1);
    let partly = "exit $BATCH_TASK_INSTANCE_INDEX";
    let table = [
        ("PRE_TASK_SUCCEED", "true", Ok(())),
        ("PRE_TASK_SUCCEED", partly, Err(())),
        ("PRE_TASK_AT_LEAST_PARTLY_SUCCEED", partly, Ok(())),
        ("PRE_TASK_AT_LEAST_PARTLY_SUCCEED", "false", Err(())),
        ("PRE_TASK_FINISHED", "false", Ok(())),
    ];
    for (mode, command, runs) in table {
        let tasks = [field.task("before", command, 2), field.task("after", "true", 1), field.task("last", "true", 1)];
        let edges = [edge("before", "after"), edge("after", "last")];
        let job = field.submit(&tasks, json!({"TaskExecutionDependOn": mode, "Dependences": edges}));
        let state = if command == "true" { "SUCCEED" } else { "FAILED" };
        field.wait_for(&job, state);
        let end = format!("JOB_{state}");
        let events = field.job_events(&job, |log| log.count(&end) == 1);
        assert_eq!(events.names().last(), Some(&end.as_str()), "{mode} {command}");
        match runs {
            Ok(()) => assert_ran(&events, mode),
            Err(()) => assert_never_ran(&mut field, &job, &events, mode),
        }
    }
}

/// Asserts that both successors ran, each after the one before it had ended.
fn assert_ran(events: &Log, mode: &str) {
    let position = |name: &str, task: &str| {
        let found = events.events().position(|event| event["EventName"] == name && event["Batch"]["TaskName"] == task);
        found.unwrap_or_else(|| panic!("{mode}: no {name} of {task}: {:?}", events.names()))
    };
    let ended = events.events().position(|event| {
        event["Batch"]["TaskName"] == "before" && ["TASK_SUCCEED", "TASK_FAILED"].contains(&name_of(event))
    });
    assert!(ended < Some(position("TASK_INSTANCE_RUNNING", "after")), "{mode}: {:?}", events.names());
    assert!(position("TASK_SUCCEED", "after") < position("TASK_INSTANCE_RUNNING", "last"), "{mode}");
    assert!(position("TASK_INSTANCE_SUCCEED", "last") < position("TASK_SUCCEED", "last"), "{mode}");
}

/// Asserts that neither successor ran, and that each says which task it waited for in vain.
fn assert_never_ran(field: &mut Field, job: &str, events: &Log, mode: &str) {
    for (task, waited_for) in [("after", "before"), ("last", "after")] {
        let of_task = || events.events().filter(|event| event["Batch"]["TaskName"] == task);
        let names: Vec<&str> = of_task().map(name_of).collect();
        assert_eq!(names, ["TASK_INSTANCE_FAILED", "TASK_FAILED"], "{mode} {task}");
        for event in of_task() {
            assert_eq!(batch_text(event, "StateReason"), format!("DependenceUnmet: {waited_for}"), "{mode}: {event}");
        }
        let instance = field.instances(job, task).remove(0);
        assert_eq!(instance["TaskInstanceState"], "FAILED", "{mode}: {instance}");
        assert_eq!(instance["RunningTime"], Value::Null, "{mode}: {instance}");
    }
}

fn name_of(event: &Value) -> &str {
    event["EventName"].as_str().unwrap_or_default()
}

/// The most instances that ran at once, as the events tell in their order.
fn most_at_once(events: &Log) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for name in events.names() {
        match name {
            "TASK_INSTANCE_RUNNING" => now += 1,
            "TASK_INSTANCE_SUCCEED" => now -= 1,
            _ => {}
        }
        most = most.max(now);
    }
    most
}
