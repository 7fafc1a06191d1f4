//! `herald topic list`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::filter;
use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Limit, Source};
use crate::reply::{items, text, time};
use crate::table::Table;

/// List topics, newest first
#[derive(clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    limit: Limit,
}

const TOPICS: Source =
    Source { service: Service::Tdmq, action: "DescribeCmqTopics", set: "TopicList", things: "topics" };

impl List {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = TOPICS.fetch(cx, json!({}), &self.limit).await?;
        if cx.out.is_json() { cx.out.json(&reply) } else { cx.out.table(&table(&reply, &cx.zone)) }
    }
}

fn table(reply: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&["NAME", "ID", "FILTERED BY", "MESSAGES", "SUBSCRIPTIONS", "CREATED"]);
    for topic in items(reply, TOPICS.set) {
        table.row([
            text(topic, "TopicName"),
            text(topic, "TopicId"),
            filter(topic),
            text(topic, "MsgCount"),
            text(topic, "SubscriptionCount"),
            time(topic, "CreateTime", zone),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_told_in_a_line_each() {
        let topics = json!({"TopicList": [{"TopicName": "job-message", "TopicId": "topic-00000001", "FilterType": 1,
            "MsgCount": 7, "SubscriptionCount": 2, "CreateTime": 1_520_509_720_000_u64}]});
        let wanted = "\
NAME         ID              FILTERED BY  MESSAGES  SUBSCRIPTIONS  CREATED
job-message  topic-00000001  tags         7         2              2018-03-08 11:48:40
";
        assert_eq!(table(&topics, &TimeZone::UTC).render(None), wanted);
    }
}
