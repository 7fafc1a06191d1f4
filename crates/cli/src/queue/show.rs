//! `herald queue show`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{text, time};
use crate::table::Table;

/// Show a queue
#[derive(clap::Args)]
pub(crate) struct Show {
    /// The queue's name
    name: String,
}

impl Show {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.tdmq("DescribeCmqQueueDetail", &json!({"QueueName": self.name})).await?;
        if cx.out.is_json() {
            return cx.out.json(&reply);
        }
        let queue = &reply["QueueDescribe"];
        cx.out.table(&Table::of_pairs([
            ("Queue", text(queue, "QueueName")),
            ("Id", text(queue, "QueueId")),
            ("Visible messages", text(queue, "ActiveMsgNum")),
            ("Hidden messages", text(queue, "InactiveMsgNum")),
            ("Delayed messages", text(queue, "DelayMsgNum")),
            ("Hidden for, s", text(queue, "VisibilityTimeout")),
            ("Kept for, s", text(queue, "MsgRetentionSeconds")),
            ("Receivers wait, s", text(queue, "PollingWaitSeconds")),
            ("Largest message, bytes", text(queue, "MaxMsgSize")),
            ("Created", time(queue, "CreateTime", &cx.zone)),
            ("Changed", time(queue, "LastModifyTime", &cx.zone)),
        ]))
    }
}
