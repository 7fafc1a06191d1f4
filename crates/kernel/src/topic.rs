//! A topic: a log of messages that all its subscribers receive.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::audit::Audited;
use crate::event::{Event, Owner};
use crate::id::TopicId;
use crate::time::Timestamp;

/// Number of a stream: topics and queues draw theirs from one sequence, so a message id names its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamNo(pub u32);

/// Id of a message on the wire: the stream in the upper bits, the place in it in the lower 40. So it is a decimal
/// u64, as every CMQ client takes it, and leads to its message without an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MsgId(pub u64);

impl MsgId {
    const SEQ_BITS: u32 = 40;
    /// The greatest number of a stream that a message's id can name.
    pub const STREAM_MAX: StreamNo = StreamNo((1 << (u64::BITS - Self::SEQ_BITS)) - 1);

    /// The id of message `seq` of `stream`.
    #[must_use]
    pub fn new(stream: StreamNo, seq: u64) -> Self {
        Self((u64::from(stream.0) << Self::SEQ_BITS) | seq)
    }

    /// The stream it names.
    #[must_use]
    pub fn stream(self) -> StreamNo {
        StreamNo(u32::try_from(self.0 >> Self::SEQ_BITS).unwrap_or(u32::MAX))
    }

    /// Its place in the stream.
    #[must_use]
    pub fn seq(self) -> u64 {
        self.0 & ((1 << Self::SEQ_BITS) - 1)
    }
}

/// How a topic chooses among its subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterType {
    /// By tags: CMQ's filterType 1.
    #[default]
    Tags,
    /// By routing key: CMQ's filterType 2.
    Routing,
}

/// A topic as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its number.
    pub no: StreamNo,
    /// Its id.
    pub id: TopicId,
    /// Its name, as given; unique without regard to case.
    pub name: String,
    /// How it chooses among subscriptions.
    pub filter: FilterType,
    /// Largest message a client may publish, in bytes. Events are exempt.
    pub max_msg_bytes: u64,
    /// How long messages are kept, in seconds.
    pub retention_s: u64,
    /// Whether what is published to it is written to the server's log.
    pub trace: bool,
    /// Its tags, key and value.
    pub tags: Vec<(String, String)>,
    /// The place of the next message, from 1.
    pub next_seq: u64,
    /// The number of the next subscription, from 1. None is ever given twice, so what is left of a deleted
    /// subscription is never taken for that of a later one.
    pub next_subscription: u32,
    /// When it was made.
    pub created: Timestamp,
    /// When its attributes last changed.
    pub modified: Timestamp,
}

/// What changes on a topic; `None` stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TopicEdit {
    /// Largest message a client may publish, in bytes.
    pub max_msg_bytes: Option<u64>,
    /// How long messages are kept, in seconds.
    pub retention_s: Option<u64>,
    /// Whether what is published to it is written to the server's log.
    pub trace: Option<bool>,
}

impl Topic {
    /// The place of the last message there has been; 0 before the first.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.next_seq.saturating_sub(1)
    }

    /// Messages published at this moment or before are over their retention at `now`.
    #[must_use]
    pub fn keeps_since(&self, now: Timestamp) -> Timestamp {
        now.minus_s(self.retention_s)
    }
}

/// A message of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMessage {
    /// The topic.
    pub topic: StreamNo,
    /// Its place there.
    pub seq: u64,
    /// When it was published.
    pub published: Timestamp,
    /// Its text.
    pub body: Arc<str>,
    /// Its tags, on a topic that filters by tags.
    pub tags: Vec<String>,
    /// Its routing key, on a topic that routes.
    pub routing_key: String,
    /// The place of the event that the same job or environment sent to this topic before; 0 for its first one, and for
    /// what clients publish.
    pub previous: u64,
    /// Whose event it is; `None`: it is a client's text.
    pub owner: Option<Owner>,
}

/// A message that a decision adds to a topic. Events become text outside the kernel (`wire::event`).
#[derive(Debug, Clone, PartialEq)]
pub struct NewMessage {
    /// The topic.
    pub topic: StreamNo,
    /// Its place there.
    pub seq: u64,
    /// When it was published.
    pub published: Timestamp,
    /// What it says.
    pub body: NewBody,
    /// Its tags, on a topic that filters by tags.
    pub tags: Vec<String>,
    /// Its routing key, on a topic that routes.
    pub routing_key: String,
    /// The place of the event that the same job or environment sent to this topic before; 0 for its first one, and for
    /// what clients publish.
    pub previous: u64,
    /// Whose event it is; `None`: it is a client's text.
    pub owner: Option<Owner>,
}

/// What a new message says.
#[derive(Debug, Clone, PartialEq)]
pub enum NewBody {
    /// A client's text.
    Text(Arc<str>),
    /// An event.
    Event(Box<Event>),
    /// An entry of the audit trail.
    Audited(Arc<Audited>),
}
