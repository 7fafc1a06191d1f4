//! `herald queue delete`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Delete a queue with its messages
#[derive(clap::Args)]
pub(crate) struct Delete {
    /// The queue's name
    name: String,
}

impl Delete {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.tdmq("DeleteCmqQueue", &json!({"QueueName": self.name})).await?;
        cx.done(&reply, format_args!("queue {} is deleted", self.name))
    }
}
