//! `herald job show`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{counts, items, text, time};
use crate::table::Table;

/// How many failed tasks are looked into, and how many failed instances of each are shown.
const FAILURES: usize = 5;

/// Show a job, its tasks, and the first instances that failed
#[derive(clap::Args)]
pub(crate) struct Show {
    /// The job's id
    id: String,
}

impl Show {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let client = cx.client()?;
        let job = client.batch("DescribeJob", &json!({"JobId": self.id})).await?;
        if cx.out.is_json() {
            return cx.out.json(&job);
        }
        cx.out.table(&head(&job, &cx.zone))?;
        cx.out.line("")?;
        cx.out.table(&tasks(&job, &cx.zone))?;
        let failures = failures(&client, &job, &cx.zone).await?;
        if !failures.is_empty() {
            cx.out.line("")?;
            cx.out.table(&failures)?;
            cx.out.say(format_args!("`herald job logs {} TASK INSTANCE --stderr` shows what one said", self.id));
        }
        Ok(())
    }
}

fn head(job: &Value, zone: &TimeZone) -> Table {
    Table::of_pairs([
        ("Job", text(job, "JobId")),
        ("Name", text(job, "JobName")),
        ("State", text(job, "JobState")),
        ("Reason", text(job, "StateReason")),
        ("Next action", text(job, "NextAction")),
        ("Priority", text(job, "Priority")),
        ("Zone", text(job, "Zone")),
        ("Created", time(job, "CreateTime", zone)),
        ("Ended", time(job, "EndTime", zone)),
        ("Instances", counts(&job["TaskInstanceMetrics"])),
    ])
}

fn tasks(job: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&["TASK", "STATE", "AFTER", "CREATED", "ENDED"]);
    for task in items(job, "TaskSet") {
        let name = text(task, "TaskName");
        let edges = items(job, "DependenceSet").iter().filter(|edge| edge["EndTask"] == name.as_str());
        let after: Vec<String> = edges.map(|edge| text(edge, "StartTask")).collect();
        let state = text(task, "TaskState");
        table.row([name, state, after.join(", "), time(task, "CreateTime", zone), time(task, "EndTime", zone)]);
    }
    table
}

async fn failures(client: &Client, job: &Value, zone: &TimeZone) -> Result<Table, Failure> {
    let mut table = Table::new(&["FAILED TASK", "INSTANCE", "EXIT CODE", "ENDED", "REASON"]);
    let failed = items(job, "TaskSet").iter().filter(|task| text(task, "TaskState").starts_with("FAILED"));
    for task in failed.take(FAILURES) {
        let params = json!({"JobId": job["JobId"], "TaskName": task["TaskName"], "Limit": FAILURES,
            "Filters": [{"Name": "task-instance-state", "Values": ["FAILED", "FAILED_INTERRUPTED"]}]});
        let reply = client.batch("DescribeTask", &params).await?;
        for instance in items(&reply, "TaskInstanceSet") {
            table.row([
                text(task, "TaskName"),
                text(instance, "TaskInstanceIndex"),
                text(instance, "ExitCode"),
                time(instance, "EndTime", zone),
                text(instance, "StateReason"),
            ]);
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_told_with_its_graph() {
        let job = json!({"JobId": "job-00000001", "JobName": "count", "JobState": "FAILED", "Priority": 0,
        "StateReason": "TaskFailed: b", "NextAction": "", "Zone": "ap-guangzhou-1",
        "CreateTime": "2018-03-08T11:48:40Z", "EndTime": null,
        "TaskInstanceMetrics": {"SucceedCount": 1, "FailedCount": 2},
        "DependenceSet": [{"StartTask": "a", "EndTask": "b"}],
        "TaskSet": [
            {"TaskName": "a", "TaskState": "SUCCEED", "CreateTime": "2018-03-08T11:48:40Z"},
            {"TaskName": "b", "TaskState": "FAILED", "CreateTime": "2018-03-08T11:48:40Z"},
        ]});
        let wanted = "\
Job        job-00000001
Name       count
State      FAILED
Reason     TaskFailed: b
Priority   0
Zone       ap-guangzhou-1
Created    2018-03-08 11:48:40
Instances  1 SUCCEED, 2 FAILED
";
        assert_eq!(head(&job, &TimeZone::UTC).render(None), wanted);
        let wanted = "\
TASK  STATE    AFTER  CREATED              ENDED
a     SUCCEED         2018-03-08 11:48:40
b     FAILED   a      2018-03-08 11:48:40
";
        assert_eq!(tasks(&job, &TimeZone::UTC).render(None), wanted);
    }
}
