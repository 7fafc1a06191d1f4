//! `herald topic update`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Change attributes of a topic
#[derive(clap::Args)]
pub(crate) struct Update {
    /// The topic's name
    name: String,
    /// How long messages are kept
    #[arg(long, value_name = "SECONDS")]
    retention: Option<u64>,
    /// The largest message
    #[arg(long, value_name = "BYTES")]
    max_size: Option<u64>,
    /// Write what is published to the server's log
    #[arg(long, value_name = "BOOL")]
    trace: Option<bool>,
}

impl Update {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = json!({"TopicName": self.name});
        for (field, number) in [("MsgRetentionSeconds", self.retention), ("MaxMsgSize", self.max_size)] {
            if let Some(number) = number {
                params[field] = json!(number);
            }
        }
        if let Some(trace) = self.trace {
            params["Trace"] = json!(trace);
        }
        let reply = cx.client()?.tdmq("ModifyCmqTopicAttribute", &params).await?;
        cx.done(&reply, format_args!("topic {} is changed", self.name))
    }
}
