//! What a queue can be told when it is made and when it is changed.

use serde_json::Value;

use crate::params;

/// Attributes of a queue.
#[derive(clap::Args)]
pub(super) struct Settings {
    /// How long a received message stays hidden before it comes again, unless acknowledged
    #[arg(long, value_name = "SECONDS")]
    visibility: Option<u64>,
    /// How long messages are kept
    #[arg(long, value_name = "SECONDS")]
    retention: Option<u64>,
    /// How long a receive waits for a message unless it says otherwise
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// The largest message
    #[arg(long, value_name = "BYTES")]
    max_size: Option<u64>,
    /// How far back the queue can be set; 0: deleted messages are gone
    #[arg(long, value_name = "SECONDS")]
    rewind: Option<u64>,
    /// The queue that takes the messages nobody can deal with
    #[arg(long, value_name = "QUEUE")]
    dead_letters: Option<String>,
    /// A message goes there when it has been received so often
    #[arg(long, value_name = "COUNT", conflicts_with = "max_age")]
    max_receives: Option<u64>,
    /// A message goes there when it is so old
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,
    /// Write what happens to each message to the server's log
    #[arg(long, value_name = "BOOL")]
    trace: Option<bool>,
}

impl Settings {
    /// Adds what was given to a request.
    pub(super) fn add_to(self, params: &mut Value) {
        let policy = self.max_age.map(|_| 1).or(self.max_receives.map(|_| 0));
        let fields = [
            ("VisibilityTimeout", self.visibility.map(Value::from)),
            ("MsgRetentionSeconds", self.retention.map(Value::from)),
            ("PollingWaitSeconds", self.wait.map(Value::from)),
            ("MaxMsgSize", self.max_size.map(Value::from)),
            ("RewindSeconds", self.rewind.map(Value::from)),
            ("MaxReceiveCount", self.max_receives.map(Value::from)),
            ("MaxTimeToLive", self.max_age.map(Value::from)),
            ("Policy", policy.map(Value::from)),
            ("DeadLetterQueueName", self.dead_letters.map(Value::from)),
            ("Trace", self.trace.map(Value::from)),
        ];
        params::add(params, fields);
    }
}
