//! `herald queue list`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Limit, Source};
use crate::reply::{items, text, time};
use crate::table::Table;

/// List queues, newest first
#[derive(clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    limit: Limit,
}

const QUEUES: Source =
    Source { service: Service::Tdmq, action: "DescribeCmqQueues", set: "QueueList", things: "queues" };

impl List {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = QUEUES.fetch(cx, json!({}), &self.limit).await?;
        if cx.out.is_json() { cx.out.json(&reply) } else { cx.out.table(&table(&reply, &cx.zone)) }
    }
}

fn table(reply: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&["NAME", "ID", "VISIBLE", "HIDDEN", "CREATED"]);
    for queue in items(reply, QUEUES.set) {
        table.row([
            text(queue, "QueueName"),
            text(queue, "QueueId"),
            text(queue, "ActiveMsgNum"),
            text(queue, "InactiveMsgNum"),
            time(queue, "CreateTime", zone),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_told_in_a_line_each() {
        let queues = json!({"QueueList": [{"QueueName": "inbox", "QueueId": "queue-00000001", "ActiveMsgNum": 3,
            "InactiveMsgNum": 1, "CreateTime": 1_520_509_720_000_u64}]});
        let wanted = "\
NAME   ID              VISIBLE  HIDDEN  CREATED
inbox  queue-00000001  3        1       2018-03-08 11:48:40
";
        assert_eq!(table(&queues, &TimeZone::UTC).render(None), wanted);
    }
}
