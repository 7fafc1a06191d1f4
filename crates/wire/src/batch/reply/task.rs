//! Tasks, their instances, and what those wrote.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::instance::Instance;
use kernel::job::JobSpec;
use kernel::phase::Phase;
use kernel::task::Task;
use kernel::time::Timestamp;
use serde_json::{Value, json};

use crate::metrics::Metrics;
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

/// An instance in the reply of `DescribeTask`.
#[must_use]
pub fn instance(instance: &Instance) -> Value {
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
        "RedirectInfo": redirect_info(),
        "StateDetailedReason": if phase == Phase::Succeed { "successful" } else { instance.reason.as_str() },
    })
}

/// An instance that has not left the state in which its task's instances began.
#[must_use]
pub fn bulk_instance(index: u32, phase: Phase, created: Timestamp) -> Value {
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
        "RedirectInfo": redirect_info(),
        "StateDetailedReason": "",
    })
}

/// Output is not sent anywhere else.
fn redirect_info() -> Value {
    json!({
        "StdoutRedirectPath": "",
        "StderrRedirectPath": "",
        "StdoutRedirectFileName": "",
        "StderrRedirectFileName": "",
    })
}

/// The reply of `DescribeTaskLogs`: what some of a task's `total` instances wrote, in Base64.
#[must_use]
pub fn describe_task_logs(total: u64, logs: &[Log]) -> Value {
    let logs: Vec<Value> = logs
        .iter()
        .map(|log| {
            json!({
                "TaskInstanceIndex": log.index,
                "StdoutLog": STANDARD.encode(&log.stdout),
                "StderrLog": STANDARD.encode(&log.stderr),
                "StdoutRedirectPath": "",
                "StderrRedirectPath": "",
                "StdoutRedirectFileName": "",
                "StderrRedirectFileName": "",
            })
        })
        .collect();
    json!({"TotalCount": total, "TaskInstanceLogSet": logs})
}
