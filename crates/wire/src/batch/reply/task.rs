//! Tasks, their instances, and what those wrote.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::id::JobId;
use kernel::instance::Instance;
use kernel::job::{JobSpec, TaskSpec};
use kernel::phase::Phase;
use kernel::setup::{Redirect, Setup};
use kernel::task::Task;
use kernel::time::Timestamp;
use serde_json::{Value, json};

use crate::metrics::Metrics;
use crate::setup::file_name;
use crate::time::Utc;

/// What an instance wrote: the last bytes of each stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The instance.
    pub index: u32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// The reply of `DescribeTask`. `instances` are those asked for, by [`instance`] and [`bulk_instance`].
#[must_use]
pub fn describe_task(spec: &JobSpec, task: &Task, instances: Vec<Value>) -> Value {
    json!({
        "JobId": task.key.job,
        "TaskName": spec.tasks.get(task.key.task as usize).map_or("", |task| task.name.as_str()),
        "TaskState": task.phase.as_str(),
        "CreateTime": Utc(task.created),
        "EndTime": task.ended.map(Utc),
        "TaskInstanceTotalCount": task.instances.total(),
        "TaskInstanceSet": instances,
        "TaskInstanceMetrics": Metrics::of(&task.instances),
    })
}

/// An instance of a task in the reply of `DescribeTask`.
#[must_use]
pub fn instance(task: &TaskSpec, instance: &Instance) -> Value {
    let phase = instance.phase();
    json!({
        "TaskInstanceIndex": instance.key.index,
        "TaskInstanceState": phase.as_str(),
        "ExitCode": instance.exit_code,
        "StateReason": instance.reason,
        "ComputeNodeInstanceId": instance.machine.map(|id| id.to_string()).unwrap_or_default(),
        "CreateTime": Utc(instance.created),
        "LaunchTime": instance.launched.map(Utc),
        "RunningTime": instance.running.map(Utc),
        "EndTime": instance.ended.map(Utc),
        "RedirectInfo": redirect_info(instance.key.job, task, instance.key.index),
        "StateDetailedReason": if phase == Phase::Succeed { "successful" } else { instance.reason.as_str() },
    })
}

/// An instance of a job's task that has not left the state in which its task's instances began.
#[must_use]
pub fn bulk_instance(job: JobId, task: &TaskSpec, index: u32, phase: Phase, created: Timestamp) -> Value {
    json!({
        "TaskInstanceIndex": index,
        "TaskInstanceState": phase.as_str(),
        "ExitCode": null,
        "StateReason": "",
        "ComputeNodeInstanceId": "",
        "CreateTime": Utc(created),
        "LaunchTime": null,
        "RunningTime": null,
        "EndTime": null,
        "RedirectInfo": redirect_info(job, task, index),
        "StateDetailedReason": "",
    })
}

/// Where the outputs of an instance are copied to when it ends: the folders as they were given, and the names that the
/// files get there. Empty for an output that is copied nowhere.
fn redirect_info(job: JobId, task: &TaskSpec, index: u32) -> Value {
    let path = |redirect: &Redirect| redirect.remote.as_ref().map_or_else(String::new, |remote| remote.url.clone());
    let name = |redirect: &Redirect, stream: &str| match redirect.remote {
        Some(_) => file_name(&redirect.remote_name, stream, job, &task.name, index),
        None => String::new(),
    };
    let Setup { stdout, stderr, .. } = &task.setup;
    json!({
        "StdoutRedirectPath": path(stdout),
        "StderrRedirectPath": path(stderr),
        "StdoutRedirectFileName": name(stdout, "stdout"),
        "StderrRedirectFileName": name(stderr, "stderr"),
    })
}

/// The reply of `DescribeTaskLogs`: what some of a task's instances wrote, in Base64.
#[must_use]
pub fn describe_task_logs(job: JobId, task: &TaskSpec, logs: &[Log]) -> Value {
    let logs: Vec<Value> = logs
        .iter()
        .map(|log| {
            let mut view = json!({
                "TaskInstanceIndex": log.index,
                "StdoutLog": STANDARD.encode(&log.stdout),
                "StderrLog": STANDARD.encode(&log.stderr),
            });
            if let (Value::Object(view), Value::Object(info)) = (&mut view, redirect_info(job, task, log.index)) {
                view.extend(info);
            }
            view
        })
        .collect();
    json!({"TotalCount": task.instances, "TaskInstanceLogSet": logs})
}
