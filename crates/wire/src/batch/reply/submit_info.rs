//! What jobs were asked to do.

use kernel::job::Job;
use serde_json::{Value, json};

use super::tags;
use crate::batch::declared::{DEPENDENCE, TASK};
use crate::batch::schema;

/// The reply of `DescribeJobSubmitInfo`: the job as it was submitted, each field in its declared type, without
/// secrets. Only a task that was given no name has the one it got.
#[must_use]
pub fn describe_job_submit_info(job: &Job) -> Value {
    let document: Value = serde_json::from_str(&job.spec.document).unwrap_or_default();
    let asked = &document["Job"];
    let list = |key: &str| asked[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let tasks = list("Tasks").iter().zip(&job.spec.tasks).map(|(stored, spec)| {
        let mut task = schema::whole(stored, TASK);
        task["TaskName"] = json!(spec.name);
        task
    });
    let edges = list("Dependences").iter().map(|edge| schema::whole(edge, DEPENDENCE));
    json!({
        "JobId": job.id,
        "JobName": job.spec.name,
        "JobDescription": job.spec.description,
        "Priority": job.spec.priority,
        "Tasks": tasks.collect::<Vec<_>>(),
        "Dependences": edges.collect::<Vec<_>>(),
        "Tags": tags(&job.spec.tags),
    })
}
