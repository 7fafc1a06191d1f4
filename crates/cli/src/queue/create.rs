//! `herald queue create`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Create a queue and print its id
#[derive(clap::Args)]
pub(crate) struct Create {
    /// The queue's name
    name: String,
    /// How long a received message stays hidden before it comes again, unless acknowledged
    #[arg(long, value_name = "SECONDS")]
    visibility: Option<u64>,
    /// How long messages are kept
    #[arg(long, value_name = "SECONDS")]
    retention: Option<u64>,
}

impl Create {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = json!({"QueueName": self.name});
        for (field, seconds) in [("VisibilityTimeout", self.visibility), ("MsgRetentionSeconds", self.retention)] {
            if let Some(seconds) = seconds {
                params[field] = json!(seconds);
            }
        }
        let reply = cx.client()?.tdmq("CreateCmqQueue", &params).await?;
        cx.made(&reply, "QueueId")
    }
}
