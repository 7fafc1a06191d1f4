//! `herald topic delete`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Delete a topic with its subscriptions and messages
#[derive(clap::Args)]
pub(crate) struct Delete {
    /// The topic's name
    name: String,
}

impl Delete {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.tdmq("DeleteCmqTopic", &json!({"TopicName": self.name})).await?;
        cx.done(&reply, format_args!("topic {} is deleted", self.name))
    }
}
