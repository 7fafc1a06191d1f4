//! `herald topic show`.

use serde_json::json;

use super::filter;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{text, time};
use crate::table::Table;

/// Show a topic
#[derive(clap::Args)]
pub(crate) struct Show {
    /// The topic's name
    name: String,
}

impl Show {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.tdmq("DescribeCmqTopicDetail", &json!({"TopicName": self.name})).await?;
        if cx.out.is_json() {
            return cx.out.json(&reply);
        }
        let topic = &reply["TopicDescribe"];
        cx.out.table(&Table::of_pairs([
            ("Topic", text(topic, "TopicName")),
            ("Id", text(topic, "TopicId")),
            ("Filtered by", filter(topic)),
            ("Messages", text(topic, "MsgCount")),
            ("Kept for, s", text(topic, "MsgRetentionSeconds")),
            ("Largest message, bytes", text(topic, "MaxMsgSize")),
            ("Subscriptions", text(topic, "SubscriptionCount")),
            ("Created", time(topic, "CreateTime", &cx.zone)),
            ("Changed", time(topic, "LastModifyTime", &cx.zone)),
        ]))
    }
}
