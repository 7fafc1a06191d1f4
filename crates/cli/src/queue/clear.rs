//! `herald queue clear`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Remove all messages of a queue, those too that it could have been set back to
#[derive(clap::Args)]
pub(crate) struct Clear {
    /// The queue's name
    name: String,
}

impl Clear {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.tdmq("ClearCmqQueue", &json!({"QueueName": self.name})).await?;
        cx.done(&reply, format_args!("queue {} is empty", self.name))
    }
}
