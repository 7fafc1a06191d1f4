//! `herald event list`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Limit, follow};
use crate::reply::{items, text, time};
use crate::table::Table;

/// List the events that a job or environment has sent and that its topics keep, the newest first
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).args(["job", "env"]))]
pub(crate) struct List {
    /// Those of this job
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Those of this environment
    #[arg(long, value_name = "ID")]
    env: Option<String>,
    /// Only those sent to this topic
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    #[command(flatten)]
    limit: Limit,
}

impl List {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = json!({});
        for (field, value) in [("JobId", &self.job), ("EnvId", &self.env), ("TopicName", &self.topic)] {
            if let Some(value) = value {
                params[field] = json!(value);
            }
        }
        let reply = follow(cx, "DescribeEvents", params, "EventSet", "events", self.limit.limit).await?;
        if cx.out.is_json() { cx.out.json(&reply) } else { cx.out.table(&table(&reply, &cx.zone)) }
    }
}

fn table(reply: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&["MESSAGE", "TOPIC", "SEQUENCE", "EVENT", "PUBLISHED", "EVENT ID"]);
    for event in items(reply, "EventSet") {
        table.row([
            text(event, "MsgId"),
            text(event, "TopicName"),
            text(event, "Sequence"),
            text(event, "EventName"),
            time(event, "PublishTime", zone),
            text(event, "EventId"),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_in_a_line_each() {
        let events = json!({"EventSet": [{"MsgId": "7", "TopicName": "t", "Sequence": 2, "EventName": "JOB_RUNNING",
            "EventId": "evt-1", "PublishTime": 1_520_509_720_000_u64}]});
        let wanted = "\
MESSAGE  TOPIC  SEQUENCE  EVENT        PUBLISHED            EVENT ID
7        t      2         JOB_RUNNING  2018-03-08 11:48:40  evt-1
";
        assert_eq!(table(&events, &TimeZone::UTC).render(None), wanted);
    }
}
