//! What one commit writes.

use std::sync::Arc;

use kernel::delivery::Attempt;
use kernel::instance::InstanceKey;
use kernel::sample::Sample;
use kernel::state::{Row, RowKey};
use kernel::time::Timestamp;
use kernel::topic::TopicMessage;

/// What one commit writes, all of it or nothing.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The ledger's version that the decisions were made on. Another one refuses the batch; else it becomes one more.
    pub expected: u64,
    /// Who makes the commit: a number that no other ledger has, of at most 63 bits.
    pub writer: u64,
    /// The time of the decisions.
    pub now: Timestamp,
    /// Larger than the number of every topic and queue there ever was.
    pub next_stream: u32,
    /// Rows that have changed, as they stand now.
    pub rows: Vec<RowChange>,
    /// Messages added to topics.
    pub messages: Vec<Arc<TopicMessage>>,
    /// Attempts of deliveries that have ended.
    pub attempts: Vec<Arc<Attempt>>,
    /// Last output of runs that have ended.
    pub tails: Vec<LogTail>,
    /// Samples of what runs use.
    pub samples: Vec<Arc<Sample>>,
    /// Instances of whose attempts, up to this one, the samples go.
    pub dropped_samples: Vec<(InstanceKey, u32)>,
}

impl Batch {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let beside = self.messages.is_empty() && self.attempts.is_empty() && self.tails.is_empty();
        self.rows.is_empty() && beside && self.samples.is_empty() && self.dropped_samples.is_empty()
    }
}

/// A row as a commit leaves it.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    /// Which row.
    pub key: RowKey,
    /// Its image; `None`: it goes.
    pub row: Option<Row>,
    /// Whether it began in this batch. It is inserted then, so that a drawn id that is taken already is refused and
    /// nothing is overwritten.
    pub fresh: bool,
}

/// The last output of an instance's latest run that has ended. An empty one wipes out that of an earlier attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTail {
    /// Which instance.
    pub key: InstanceKey,
    /// The attempt it is of.
    pub attempt: u32,
    /// The last bytes of standard output.
    pub stdout: Arc<[u8]>,
    /// The last bytes of standard error.
    pub stderr: Arc<[u8]>,
}
