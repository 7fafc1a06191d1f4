//! `herald queue show`.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{text, time};
use crate::table::Table;

/// Where a queue's dead letters go, and when, in words.
fn policy(queue: &Value) -> String {
    let policy = &queue["DeadLetterPolicy"];
    if policy.is_null() {
        return "nowhere".to_owned();
    }
    let to = text(policy, "DeadLetterQueue");
    match policy["Policy"].as_u64() {
        Some(1) => format!("{to}, when {} s old", text(policy, "MaxTimeToLive")),
        _ => format!("{to}, after {} receipts", text(policy, "MaxReceiveCount")),
    }
}

/// The queues whose dead letters a queue takes.
fn sources(queue: &Value) -> String {
    let names = queue["DeadLetterSource"].as_array().into_iter().flatten().map(|source| text(source, "QueueName"));
    let names: Vec<String> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

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
            ("Can be set back by, s", text(queue, "RewindSeconds")),
            ("Deleted, still kept", text(queue, "RewindMsgNum")),
            ("Dead letters go to", policy(queue)),
            ("Takes dead letters of", sources(queue)),
            ("Receivers wait, s", text(queue, "PollingWaitSeconds")),
            ("Largest message, bytes", text(queue, "MaxMsgSize")),
            ("Created", time(queue, "CreateTime", &cx.zone)),
            ("Changed", time(queue, "LastModifyTime", &cx.zone)),
        ]))
    }
}
