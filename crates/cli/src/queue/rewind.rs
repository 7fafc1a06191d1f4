//! `herald queue rewind`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::moment::Moment;

/// Set a queue back: messages that were deleted since a moment come again
#[derive(clap::Args)]
pub(crate) struct Rewind {
    /// The queue's name
    name: String,
    /// The moment: 2026-11-26T08:00:00Z, seconds since 1970, or how long ago, such as 10m
    #[arg(long, value_name = "TIME")]
    to: Moment,
}

impl Rewind {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let params = json!({"QueueName": self.name, "StartConsumeTime": self.to.ms()});
        let reply = cx.client()?.tdmq("RewindCmqQueue", &params).await?;
        cx.done(&reply, format_args!("queue {} is set back", self.name))
    }
}
