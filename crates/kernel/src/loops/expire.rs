//! What is over its time, and may be removed, in chunks of at most [`EXPIRE_ROWS`](crate::limits::EXPIRE_ROWS).
//!
//! Topic messages and attempts are rows that no decision looks at: whoever removes them does so by these bounds.
//! Messages of queues are counted, so their removal is a command,
//! [`ExpireMessages`](crate::command::Command::ExpireMessages).

use crate::limits;
use crate::state::State;
use crate::time::Timestamp;
use crate::topic::{StreamNo, Topic};

/// What is over its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cutoffs {
    /// One for each topic.
    pub topics: Vec<TopicCutoff>,
    /// For each queue the moment at which, or before which, a message over its retention was stored.
    pub queues: Vec<(StreamNo, Timestamp)>,
    /// Attempts that left at this moment or before.
    pub attempts: Timestamp,
}

/// Which messages of a topic are over their time: those for which [`takes`](Self::takes) is true, a beginning of its
/// log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicCutoff {
    /// The topic.
    pub topic: StreamNo,
    /// The retention of messages published at this moment or before has ended.
    pub over: Timestamp,
    /// Every subscription is done with the messages up to this place.
    pub through: u64,
    /// Messages published at this moment or before go, though a subscription is not done with them.
    pub lost: Timestamp,
}

impl TopicCutoff {
    /// Whether a message may be removed.
    #[must_use]
    pub fn takes(&self, seq: u64, published: Timestamp) -> bool {
        published <= self.lost || (published <= self.over && seq <= self.through)
    }
}

/// What is over its time at `now`.
#[must_use]
pub fn cutoffs(state: &State, now: Timestamp) -> Cutoffs {
    Cutoffs {
        topics: state.topics().map(|topic| topic_cutoff(state, topic, now)).collect(),
        queues: state.queues().map(|queue| (queue.no, queue.keeps_since(now))).collect(),
        attempts: now.minus_s(limits::ATTEMPTS_KEPT_S),
    }
}

fn topic_cutoff(state: &State, topic: &Topic, now: Timestamp) -> TopicCutoff {
    let over = topic.keeps_since(now);
    let through = state.subscriptions_of(topic.no).map(|subscription| subscription.cursor).min().unwrap_or(u64::MAX);
    TopicCutoff { topic: topic.no, over, through, lost: over.minus_s(limits::TOPIC_GRACE_S) }
}
