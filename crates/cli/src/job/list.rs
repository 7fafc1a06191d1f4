//! `herald job list`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Limit, Source};
use crate::reply::{counts, items, text, time};
use crate::table::Table;

/// List jobs, newest first
#[derive(clap::Args)]
pub(crate) struct List {
    /// Only jobs in this state, such as RUNNING; may be given several times
    #[arg(long, value_name = "STATE")]
    state: Vec<String>,
    /// Only jobs of this name; may be given several times
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
    /// Only jobs in this zone; may be given several times
    #[arg(long, value_name = "ZONE")]
    zone: Vec<String>,
    /// Only jobs with this tag, or with a tag of this key; may be given several times
    #[arg(long, value_name = "KEY[=VALUE]")]
    tag: Vec<String>,
    #[command(flatten)]
    limit: Limit,
}

const JOBS: Source = Source { service: Service::Batch, action: "DescribeJobs", set: "JobSet", things: "jobs" };

impl List {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let filters = self.filters();
        let params = if filters.is_empty() { json!({}) } else { json!({"Filters": filters}) };
        let reply = JOBS.fetch(cx, params, &self.limit).await?;
        if cx.out.is_json() { cx.out.json(&reply) } else { cx.out.table(&table(&reply, &cx.zone)) }
    }
}

impl List {
    fn filters(&self) -> Vec<Value> {
        let mut filters: Vec<(String, Vec<&str>)> = Vec::new();
        for (name, values) in [("job-state", &self.state), ("job-name", &self.name), ("zone", &self.zone)] {
            if !values.is_empty() {
                filters.push((name.to_owned(), values.iter().map(String::as_str).collect()));
            }
        }
        for tag in &self.tag {
            let (name, value) = match tag.split_once('=') {
                Some((key, value)) => (format!("tag:{key}"), value),
                None => ("tag-key".to_owned(), tag.as_str()),
            };
            // The server takes a filter once, with all its values.
            match filters.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value),
                None => filters.push((name, vec![value])),
            }
        }
        filters.into_iter().map(|(name, values)| json!({"Name": name, "Values": values})).collect()
    }
}

fn table(reply: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&["ID", "NAME", "STATE", "PRIORITY", "TASKS", "CREATED", "ENDED"]);
    for job in items(reply, JOBS.set) {
        table.row([
            text(job, "JobId"),
            text(job, "JobName"),
            text(job, "JobState"),
            text(job, "Priority"),
            counts(&job["TaskMetrics"]),
            time(job, "CreateTime", zone),
            time(job, "EndTime", zone),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_becomes_filters() {
        let list = List {
            state: vec!["RUNNING".into(), "FAILED".into()],
            name: vec!["count".into()],
            zone: Vec::new(),
            tag: ["team=a", "team=b", "kind", "x=y=z"].map(str::to_owned).to_vec(),
            limit: Limit { limit: 1 },
        };
        let wanted = json!([
            {"Name": "job-state", "Values": ["RUNNING", "FAILED"]},
            {"Name": "job-name", "Values": ["count"]},
            {"Name": "tag:team", "Values": ["a", "b"]},
            {"Name": "tag-key", "Values": ["kind"]},
            {"Name": "tag:x", "Values": ["y=z"]},
        ]);
        assert_eq!(Value::Array(list.filters()), wanted);
    }

    #[test]
    fn jobs_are_told_in_a_line_each() {
        let jobs = json!({"JobSet": [
            {"JobId": "job-00000002", "JobName": "count", "JobState": "RUNNING", "Priority": 1,
                "TaskMetrics": {"RunningCount": 2, "SucceedCount": 1, "FailedCount": 0},
                "CreateTime": "2018-03-08T11:48:43Z", "EndTime": null},
            {"JobId": "job-00000001", "JobName": "", "JobState": "SUCCEED", "Priority": 0,
                "TaskMetrics": {"SucceedCount": 1},
                "CreateTime": "2018-03-08T11:48:40Z", "EndTime": "2018-03-08T11:48:42Z"},
        ]});
        let told = table(&jobs, &TimeZone::UTC).render(None);
        let wanted = "\
ID            NAME   STATE    PRIORITY  TASKS                 CREATED              ENDED
job-00000002  count  RUNNING  1         2 RUNNING, 1 SUCCEED  2018-03-08 11:48:43
job-00000001         SUCCEED  0         1 SUCCEED             2018-03-08 11:48:40  2018-03-08 11:48:42
";
        assert_eq!(told, wanted);
    }
}
