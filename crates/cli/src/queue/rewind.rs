//! `herald queue rewind`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::when;

/// Set a queue back: messages that were deleted since a moment come again
#[derive(clap::Args)]
pub(crate) struct Rewind {
    /// The queue's name
    name: String,
    /// The moment: 2026-11-26T08:00:00Z, the same without a zone for that of this machine, or 10m for so long ago
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    to: i64,
}

impl Rewind {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let params = json!({"QueueName": self.name, "StartConsumeTime": self.to});
        let reply = cx.client()?.tdmq("RewindCmqQueue", &params).await?;
        cx.done(&reply, format_args!("queue {} is set back", self.name))
    }
}
