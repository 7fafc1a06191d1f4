//! `herald sub list`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Limit, Source};
use crate::reply::{items, text, time};
use crate::table::Table;

/// List a topic's subscriptions
#[derive(clap::Args)]
pub(crate) struct List {
    /// The topic's name
    topic: String,
    #[command(flatten)]
    limit: Limit,
}

/// A topic's subscriptions.
pub(super) const SUBSCRIPTIONS: Source = Source {
    service: Service::Tdmq,
    action: "DescribeCmqSubscriptionDetail",
    set: "SubscriptionSet",
    things: "subscriptions",
};

impl List {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = SUBSCRIPTIONS.fetch(cx, json!({"TopicName": self.topic}), &self.limit).await?;
        if cx.out.is_json() { cx.out.json(&reply) } else { cx.out.table(&table(&reply, &cx.zone)) }
    }
}

fn table(reply: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&["NAME", "ID", "PROTOCOL", "ENDPOINT", "WAITING", "CREATED"]);
    for subscription in items(reply, SUBSCRIPTIONS.set) {
        table.row([
            text(subscription, "SubscriptionName"),
            text(subscription, "SubscriptionId"),
            text(subscription, "Protocol"),
            text(subscription, "Endpoint"),
            text(subscription, "MsgCount"),
            time(subscription, "CreateTime", zone),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_are_told_in_a_line_each() {
        let subscriptions = json!({"SubscriptionSet": [{"SubscriptionName": "in", "SubscriptionId": "subsc-00000001",
            "Protocol": "http", "Endpoint": "http://a/b", "MsgCount": 0, "CreateTime": 1_520_509_720_000_u64}]});
        let wanted = "\
NAME  ID              PROTOCOL  ENDPOINT    WAITING  CREATED
in    subsc-00000001  http      http://a/b  0        2018-03-08 11:48:40
";
        assert_eq!(table(&subscriptions, &TimeZone::UTC).render(None), wanted);
    }
}
