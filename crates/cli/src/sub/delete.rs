//! `herald sub delete`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// End a subscription
#[derive(clap::Args)]
pub(crate) struct Delete {
    /// The topic's name
    topic: String,
    /// The subscription's name
    name: String,
}

impl Delete {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let params = json!({"TopicName": self.topic, "SubscriptionName": self.name});
        let reply = cx.client()?.tdmq("DeleteCmqSubscribe", &params).await?;
        cx.done(&reply, format_args!("subscription {} of {} is deleted", self.name, self.topic))
    }
}
