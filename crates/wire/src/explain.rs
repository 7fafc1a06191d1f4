//! Why the tasks of a job do not run, as Herald's own `ExplainJob` says it.

use kernel::explain::Explained;
use kernel::id::JobId;
use serde_json::{Value, json};

use crate::time::Utc;

/// The reply of `ExplainJob`.
#[must_use]
pub fn explain_job(id: JobId, explained: &Explained) -> Value {
    let tasks: Vec<Value> = explained
        .tasks
        .iter()
        .map(|task| {
            json!({
                "TaskName": task.name,
                "TaskState": task.phase.as_str(),
                "Reason": task.why.as_str(),
                "Detail": task.detail,
                "Until": task.until.map(Utc),
            })
        })
        .collect();
    json!({
        "JobId": id,
        "JobState": explained.phase.as_str(),
        "StateReason": explained.reason,
        "NextAction": if explained.terminating { "TERMINATING" } else { "" },
        "TaskSet": tasks,
    })
}

#[cfg(test)]
mod tests {
    use kernel::explain::{TaskWhy, Why};
    use kernel::phase::Phase;

    use super::*;
    use crate::fixtures::AT;

    #[test]
    fn a_job_is_explained_task_by_task() {
        let task = |task, name: &str, phase, why, until| TaskWhy {
            task,
            name: name.into(),
            phase,
            why,
            detail: "because".into(),
            until,
        };
        let tasks = vec![
            task(0, "a", Phase::Runnable, Why::RetryPause, Some(AT)),
            task(1, "b", Phase::Pending, Why::Dependence, None),
        ];
        let explained = Explained { phase: Phase::Runnable, reason: String::new(), terminating: true, tasks };
        let wanted = json!({"JobId": "job-00000000", "JobState": "RUNNABLE", "StateReason": "",
        "NextAction": "TERMINATING", "TaskSet": [
            {"TaskName": "a", "TaskState": "RUNNABLE", "Reason": "RetryPause", "Detail": "because",
                "Until": "2018-06-15T14:43:17Z"},
            {"TaskName": "b", "TaskState": "PENDING", "Reason": "Dependence", "Detail": "because", "Until": null},
        ]});
        assert_eq!(explain_job(JobId::FIRST, &explained), wanted);
    }
}
