//! `herald job explain`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{items, text, time};
use crate::table::Table;

/// Tell why each task of a job that does not run does not run
#[derive(clap::Args)]
pub(crate) struct Explain {
    /// The job's id
    id: String,
}

impl Explain {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let job = cx.client()?.call(Service::Herald, "ExplainJob", &json!({"JobId": self.id})).await?;
        if cx.out.is_json() {
            return cx.out.json(&job);
        }
        cx.out.table(&head(&job))?;
        cx.out.line("")?;
        cx.out.table(&tasks(&job, &cx.zone))
    }
}

fn head(job: &Value) -> Table {
    Table::of_pairs([
        ("Job", text(job, "JobId")),
        ("State", text(job, "JobState")),
        ("Reason", text(job, "StateReason")),
        ("Next action", text(job, "NextAction")),
    ])
}

fn tasks(job: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&["TASK", "STATE", "WHY", "DETAIL", "UNTIL"]);
    for task in items(job, "TaskSet") {
        let [name, state, why, detail] = ["TaskName", "TaskState", "Reason", "Detail"].map(|field| text(task, field));
        table.row([name, state, why, detail, time(task, "Until", zone)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_task_is_told_in_a_line() {
        let job = json!({"JobId": "job-00000001", "JobState": "RUNNABLE", "StateReason": "", "NextAction": "",
        "TaskSet": [
            {"TaskName": "a", "TaskState": "RUNNABLE", "Reason": "RetryPause", "Detail": "1 instance waits for a place",
                "Until": "2018-03-08T11:48:40Z"},
            {"TaskName": "b", "TaskState": "PENDING", "Reason": "Dependence", "Detail": "waits for `a` (RUNNABLE)",
                "Until": null},
        ]});
        assert_eq!(head(&job).render(None), "Job    job-00000001\nState  RUNNABLE\n");
        let wanted = "\
TASK  STATE     WHY         DETAIL                        UNTIL
a     RUNNABLE  RetryPause  1 instance waits for a place  2018-03-08 11:48:40
b     PENDING   Dependence  waits for `a` (RUNNABLE)
";
        assert_eq!(tasks(&job, &TimeZone::UTC).render(None), wanted);
    }
}
