//! What instances may use, what is seen of what they use, and what they cannot leave behind. The nodes here have
//! control groups; where a machine has none, these tests cannot hold.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::events::batch_text;
use crate::support::field::{Field, Mark};
use crate::support::requests::{environment, placement, wait_for_nodes};
use crate::support::wait;

/// One core and 1 GiB for sixteen instances: 64 MiB and 16 processes for each.
const SIXTEEN: &str = "[nodes]\nslots = 16\npids_per_cpu = 256\nsample_ms = 50\n";

/// An environment of one node that is this machine, without limits.
fn local(field: &mut Field) -> String {
    let mut wanted = environment("local", 1);
    wanted["EnvData"] = json!({"InstanceType": "local"});
    let request = json!({"Placement": placement(), "ComputeEnv": wanted});
    let reply = field.official.batch("CreateComputeEnv", request).expect("a right request");
    let env = reply["EnvId"].as_str().expect("an id").to_owned();
    wait_for_nodes(&mut field.official, &env, 1);
    env
}

/// A task on another environment than the field's.
fn moved(mut task: Value, env: &str) -> Value {
    task["EnvId"] = env.into();
    task
}

#[test]
fn memory_that_runs_out_is_the_instances_reason() {
    let mut field = Field::start(SIXTEEN, 1);
    let large = field.task("large", "head -c 200m /dev/zero | tail > /dev/null", 1);
    let small = field.task("small", "head -c 20m /dev/zero | tail > /dev/null", 1);
    let job = field.submit(&[large, small], json!({"JobName": "memory"}));
    field.wait_for(&job, "FAILED");
    let reason = "OutOfMemory: needed more than the 64 MiB that it may use";
    let instance = &field.instances(&job, "large")[0];
    assert_eq!((&instance["StateReason"], &instance["ExitCode"]), (&json!(reason), &json!(137)));
    assert_eq!(field.instances(&job, "small")[0]["TaskInstanceState"], "SUCCEED");
    let log = field.job_events(&job, |log| log.count("TASK_INSTANCE_FAILED") > 0);
    assert_eq!(batch_text(log.named("TASK_INSTANCE_FAILED")[0], "StateReason"), reason);
}

#[test]
fn an_instance_has_no_more_processes_than_its_share() {
    let mut field = Field::start(SIXTEEN, 1);
    let sleepers = |count| format!("for n in $(seq {count}); do sleep 3600 & done");
    let (few, many) = (field.task("few", &sleepers(10), 1), field.task("many", &sleepers(40), 1));
    let job = field.submit(&[few, many], json!({"JobName": "processes"}));
    field.wait_for(&job, "FAILED");
    assert_eq!(field.instances(&job, "few")[0]["TaskInstanceState"], "SUCCEED");
    // The shell's own way of saying that it cannot fork.
    assert_eq!(field.instances(&job, "many")[0]["StateReason"], "ExitCode: 2");
}

#[test]
fn what_leaves_its_session_dies_with_its_run() {
    let mut field = Field::start("", 1);
    let env = local(&mut field);
    for (name, env) in [("bounded", field.env.clone()), ("local", env)] {
        let mark = field.mark(name);
        let task = mark.on(moved(field.task(name, "setsid sleep 3600 & (setsid sleep 3600 &); exit 0", 1), &env));
        let job = field.submit(&[task], json!({"JobName": name}));
        field.wait_for(&job, "SUCCEED");
        mark.assert_gone();
    }
}

#[test]
fn what_leaves_its_session_dies_with_its_node() {
    let mut field = Field::start("", 1);
    let env = local(&mut field);
    for (name, env) in [("bounded", field.env.clone()), ("local", env)] {
        let mark = field.mark(name);
        let task = mark.on(moved(field.task(name, "setsid sleep 3600 & sleep 3600", 1), &env));
        let job = field.submit(&[task], json!({"JobName": name}));
        let node = field.node_of(&job);
        mark.wait_for(3);
        field.signal_agent(&node, Signal::SIGKILL);
        field.wait_for(&job, "FAILED");
        mark.assert_gone();
        let reason = field.instances(&job, name)[0]["StateReason"].clone();
        assert!(reason.as_str().is_some_and(|reason| reason.starts_with("NodeLost")), "{reason}");
    }
}

#[test]
fn a_node_says_how_its_runs_are_bounded() {
    let mut field = Field::start("", 1);
    let node = field.nodes().remove(0);
    let log = fs::read_to_string(field.nodes_folder().join(&node).join("agent.log")).expect("the agent has a log");
    assert!(log.contains("cpu (cgroup v") && log.contains("memory (cgroup v"), "{log}");
}

/// A curve of an instance: its period, and its values without those that are missing.
fn curve(field: &mut Field, job: &str, metric: &str, more: Value) -> (i64, Vec<f64>) {
    let mut request = json!({"JobId": job, "TaskName": "busy", "TaskInstanceIndex": 0, "MetricName": metric});
    for (key, value) in more.as_object().expect("members") {
        request[key] = value.clone();
    }
    let reply = field.official.batch("DescribeJobMonitorData", request).expect("a right request");
    let points = &reply["DataPoints"];
    let (times, values) = (points["Timestamps"].as_array(), points["Values"].as_array());
    let (times, values) = (times.expect("a list"), values.expect("a list"));
    assert_eq!(times.len(), values.len(), "{reply}");
    assert!(times.iter().all(|time| time.as_i64().is_some_and(|time| time > 1_700_000_000)), "{reply}");
    let values: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
    assert!(values.iter().all(|value| (0.0..=100.0).contains(value)), "{reply}");
    (reply["Period"].as_i64().expect("a number"), values)
}

fn busy(field: &Field) -> Value {
    // 40 MiB of 64 are held by one process, since nobody reads what it writes; another uses what processor time it gets.
    let command = "head -c 40m /dev/zero | tail -c 40m | sleep 3600 & while :; do :; done";
    field.task("busy", command, 1)
}

#[test]
fn what_an_instance_uses_is_shown_as_a_curve() {
    let mut field = Field::start(SIXTEEN, 1);
    let env = local(&mut field);
    let bounded = busy(&field);
    let (unbounded, own) = (moved(bounded.clone(), &env), field.env.clone());
    for task in [moved(bounded, &own), unbounded] {
        let job = field.submit(&[task], json!({"JobName": "busy"}));
        let max = |(_, values): (i64, Vec<f64>)| values.into_iter().fold(0.0, f64::max);
        wait::until("a curve of processor time", || {
            (max(curve(&mut field, &job, "CpuUsage", json!({}))) > 5.0).then_some(())
        });
        wait::until("a curve of memory", || (max(curve(&mut field, &job, "MemUsage", json!({}))) > 0.05).then_some(()));
        assert!(max(curve(&mut field, &job, "MaxDiskUsage", json!({}))) > 0.0);
        refused(&mut field, &job);
        field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
        field.wait_for(&job, "FAILED");
        // What has ended keeps its curve; what lies outside its life has none.
        let (period, values) = curve(&mut field, &job, "CpuUsage", json!({"StartTime": "2020-01-01T00:00:00Z"}));
        assert!(period == 1 && !values.is_empty());
        let early = json!({"StartTime": "2020-01-01T00:00:00Z", "EndTime": "2020-01-02T00:00:00Z"});
        assert_eq!(curve(&mut field, &job, "CpuUsage", early), (1, vec![]));
    }
}

/// What cannot be asked for, with its code and the field that the message names.
fn refused(field: &mut Field, job: &str) {
    let request = json!({"JobId": job, "TaskName": "busy", "TaskInstanceIndex": 0, "MetricName": "CpuUsage"});
    let disk = json!([{"Name": "diskname", "Value": "none"}]);
    for (more, code, path) in [
        (json!({"JobId": "job-00000000"}), "ResourceNotFound.Job", "job "),
        (json!({"TaskName": "other"}), "ResourceNotFound.Task", "TaskName"),
        (json!({"TaskInstanceIndex": 1}), "ResourceNotFound.TaskInstance", "TaskInstanceIndex"),
        (json!({"MetricName": "Temperature"}), "InvalidParameterValue", "MetricName"),
        (json!({"MetricName": "LanIntraffic"}), "UnsupportedOperation", "MetricName"),
        (json!({"StartTime": "noon"}), "InvalidParameterValue", "StartTime"),
        (json!({"MetricName": "TargetDiskUsage", "Dimensions": disk}), "InvalidParameterValue", "Dimensions"),
    ] {
        let mut request = request.clone();
        for (key, value) in more.as_object().expect("members") {
            request[key] = value.clone();
        }
        let refusal = field.official.batch("DescribeJobMonitorData", request).expect_err("a wrong request");
        assert_eq!(refusal.code, code, "{refusal}");
        assert!(refusal.message.starts_with(path), "{refusal}");
    }
}

#[test]
fn an_endless_output_does_not_fill_the_disk() {
    let mut field = Field::start("", 1);
    let mark: Mark = field.mark("endless");
    let task = mark.on(field.task("endless", "echo first; exec yes", 1));
    let job = field.submit(&[task], json!({"JobName": "endless"}));
    let path = field.server.folder().join("data/logs").join(&job).join("endless.0.stdout");
    wait::until("an output that takes less than was written", || {
        let metadata = fs::metadata(&path).ok()?;
        (metadata.len() > 300_000_000 && metadata.blocks() * 512 < 100_000_000).then_some(())
    });
    field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
    field.wait_for(&job, "FAILED");
    mark.assert_gone();
    let kept = fs::read(&path).expect("the output is kept");
    // It may have been killed between the two bytes of a line.
    let whole = kept.starts_with(b"first\ny\n") && (kept.ends_with(b"y\n") || kept.ends_with(b"y"));
    assert!(
        kept.len() < 1_200_000 && whole,
        "{} bytes that begin with {:?} and end with {:?}",
        kept.len(),
        String::from_utf8_lossy(&kept[..20]),
        String::from_utf8_lossy(&kept[kept.len() - 20..])
    );
}
