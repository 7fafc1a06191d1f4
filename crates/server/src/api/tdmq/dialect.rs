//! The two products of API 3.0 that speak of CMQ: what differs between them. The actions are the same.

use std::ops::RangeInclusive;

use kernel::id::{QueueId, TopicId};
use kernel::time::Timestamp;

use crate::api::cmq::limits::{MESSAGE_BYTES, MESSAGE_DEFAULT_BYTES, QUEUE_RETENTION_S};

/// Whose words an action is asked in and answers in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Dialect {
    /// `tdmq` 2020-02-17: times in milliseconds, tags, larger messages.
    Tdmq,
    /// `cmq` 2019-03-04: times in seconds.
    Cmq,
}

impl Dialect {
    /// A moment, in the product's unit.
    pub(super) fn time(self, at: Timestamp) -> i64 {
        match self {
            Self::Tdmq => at.0,
            Self::Cmq => at.seconds(),
        }
    }

    /// The moment that a number says, in the product's unit; `None`: none is so late.
    pub(super) fn moment(self, number: u64) -> Option<Timestamp> {
        let number = i64::try_from(number).ok()?;
        match self {
            Self::Tdmq => Some(Timestamp(number)),
            Self::Cmq => number.checked_mul(1_000).map(Timestamp),
        }
    }

    /// The id of a queue.
    pub(super) fn queue_id(self, id: QueueId) -> String {
        match self {
            Self::Tdmq => id.to_string().replacen(QueueId::PREFIX, "cmqq-", 1),
            Self::Cmq => id.to_string(),
        }
    }

    /// The id of a topic.
    pub(super) fn topic_id(self, id: TopicId) -> String {
        match self {
            Self::Tdmq => id.to_string().replacen(TopicId::PREFIX, "cmqt-", 1),
            Self::Cmq => id.to_string(),
        }
    }

    /// Bytes that a queue's largest message may be set to, and what they are unless told otherwise.
    pub(super) fn queue_message_bytes(self) -> (RangeInclusive<u64>, u64) {
        match self {
            Self::Tdmq => (MESSAGE_BYTES, 1_048_576),
            Self::Cmq => (1_024..=65_536, MESSAGE_DEFAULT_BYTES),
        }
    }

    /// How long a queue may keep messages, in seconds.
    pub(super) fn retention_s(self) -> RangeInclusive<u64> {
        match self {
            Self::Tdmq => QUEUE_RETENTION_S,
            Self::Cmq => 60..=1_296_000,
        }
    }
}
