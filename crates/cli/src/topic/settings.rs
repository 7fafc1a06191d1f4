//! What a topic can be told when it is made and when it is changed.

use serde_json::Value;

use crate::params;

/// Attributes of a topic.
#[derive(clap::Args)]
pub(super) struct Settings {
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

impl Settings {
    /// Adds what was given to a request.
    pub(super) fn add_to(&self, params: &mut Value) {
        let fields = [
            ("MsgRetentionSeconds", self.retention.map(Value::from)),
            ("MaxMsgSize", self.max_size.map(Value::from)),
            ("Trace", self.trace.map(Value::from)),
        ];
        params::add(params, fields);
    }
}
