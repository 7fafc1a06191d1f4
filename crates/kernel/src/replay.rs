//! Replays: messages that a subscription is sent once more, beside its live cursor, which never moves back.
//!
//! A rewind replays a part of the topic's log; a redelivery the deliveries that were given up, or some messages by
//! name. A replay has a place of its own, a rate of its own, and goes on after a restart. What it covers has ended for
//! the live cursor, and no two replays cover the same message, so that attempts are numbered by one loop at a time.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A replay as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Its number among the subscription's, from 1.
    pub no: u32,
    /// Which messages.
    pub which: Which,
    /// Its first place.
    pub from: u64,
    /// Its last place.
    pub to: u64,
    /// All messages before this place are done with.
    pub next: u64,
    /// At most so many messages a second.
    pub rate_per_s: u32,
    /// How it stands.
    pub stage: ReplayStage,
    /// Messages that the subscriber has taken, or that were copied.
    pub delivered: u64,
    /// Messages that were given up.
    pub failed: u64,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// Which messages between a replay's first place and its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "which", rename_all = "snake_case")]
pub enum Which {
    /// All that the subscription wants.
    All,
    /// Those that were given up at this moment or later.
    Dead {
        /// The moment.
        since: Timestamp,
    },
    /// Those at these places, in order.
    These {
        /// The places.
        seqs: Vec<u64>,
    },
}

/// How a replay stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum ReplayStage {
    /// It goes on.
    Running,
    /// It has come to its end.
    Done,
    /// Somebody has stopped it.
    Stopped,
    /// It could not go on.
    Failed {
        /// Why.
        reason: String,
    },
}

impl ReplayStage {
    /// The word it is told by.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Done => "DONE",
            Self::Stopped => "STOPPED",
            Self::Failed { .. } => "FAILED",
        }
    }
}

impl Replay {
    /// Whether it goes on.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.stage == ReplayStage::Running
    }

    /// Whether it may still come to a message that `other` may come to as well.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (&self.which, &other.which) {
            (Which::These { seqs }, _) => seqs.iter().any(|seq| *seq >= self.next && other.may_come_to(*seq)),
            (_, Which::These { .. }) => other.overlaps(self),
            _ => self.next <= other.to && other.next <= self.to,
        }
    }

    fn may_come_to(&self, seq: u64) -> bool {
        let among = match &self.which {
            Which::These { seqs } => seqs.contains(&seq),
            _ => true,
        };
        among && (self.next..=self.to).contains(&seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replays_overlap_where_both_may_come() {
        let replay = |which, from, to| Replay {
            no: 1,
            which,
            from,
            to,
            next: from,
            rate_per_s: 1,
            stage: ReplayStage::Running,
            delivered: 0,
            failed: 0,
            created: Timestamp(0),
            ended: None,
        };
        let these = |seqs: &[u64]| replay(Which::These { seqs: seqs.to_vec() }, seqs[0], seqs[seqs.len() - 1]);
        let all = |from, to| replay(Which::All, from, to);
        let dead = |from, to| replay(Which::Dead { since: Timestamp(0) }, from, to);
        let table = [
            (all(1, 5), all(5, 9), true),
            (all(1, 4), dead(5, 9), false),
            (all(1, 4), these(&[4, 9]), true),
            (all(5, 8), these(&[4, 9]), false),
            (these(&[1, 3]), these(&[2, 4]), false),
            (these(&[1, 3]), these(&[3]), true),
            (Replay { next: 4, ..these(&[1, 3, 5]) }, all(1, 4), false),
        ];
        for (one, other, overlap) in table {
            assert_eq!((one.overlaps(&other), other.overlaps(&one)), (overlap, overlap), "{one:?} {other:?}");
        }
    }
}
