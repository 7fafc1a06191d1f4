//! Jobs.

use std::sync::Arc;

use kernel::job::Job;
use kernel::task::Task;
use serde_json::{Value, json};

use super::placement::placement;
use super::tags;
use crate::metrics::Metrics;
use crate::time::Utc;

/// The reply of `DescribeJob`. `tasks` are the job's, in order.
#[must_use]
pub fn describe_job(job: &Job, tasks: &[Arc<Task>]) -> Value {
    let name = |task: u32| job.spec.tasks.get(task as usize).map_or("", |task| task.name.as_str());
    let task_set: Vec<Value> = tasks
        .iter()
        .map(|task| {
            json!({
                "TaskName": name(task.key.task),
                "TaskState": task.phase.as_str(),
                "CreateTime": Utc(task.created),
                "EndTime": task.ended.map(Utc),
            })
        })
        .collect();
    let edges = job.spec.dependences.iter();
    let edges: Vec<Value> =
        edges.map(|(first, then)| json!({"StartTask": name(*first), "EndTask": name(*then)})).collect();
    json!({
        "JobId": job.id,
        "JobName": job.spec.name,
        "Zone": job.spec.zone,
        "Priority": job.spec.priority,
        "JobState": job.phase.as_str(),
        "CreateTime": Utc(job.created),
        "EndTime": job.ended.map(Utc),
        "TaskSet": task_set,
        "DependenceSet": edges,
        "TaskMetrics": Metrics::of(&job.tasks),
        "TaskInstanceMetrics": Metrics::of(&job.instances),
        "StateReason": job.reason,
        "Tags": tags(&job.spec.tags),
        "NextAction": if job.terminating { "TERMINATING" } else { "" },
    })
}

/// The reply of `DescribeJobs`: some of `total` jobs.
#[must_use]
pub fn describe_jobs(total: u64, jobs: &[Arc<Job>]) -> Value {
    let jobs: Vec<Value> = jobs
        .iter()
        .map(|job| {
            json!({
                "JobId": job.id,
                "JobName": job.spec.name,
                "JobState": job.phase.as_str(),
                "Priority": job.spec.priority,
                "Placement": placement(&job.spec.zone, &job.spec.document),
                "CreateTime": Utc(job.created),
                "EndTime": job.ended.map(Utc),
                "TaskMetrics": Metrics::of(&job.tasks),
                "Tags": tags(&job.spec.tags),
            })
        })
        .collect();
    json!({"JobSet": jobs, "TotalCount": total})
}
