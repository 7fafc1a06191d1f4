//! A queue: messages that one consumer at a time receives, and deletes when done.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::QueueId;
use crate::time::Timestamp;
use crate::topic::{MsgId, StreamNo};

/// A queue as it stands. Its messages are rows, loaded only while a command needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its number.
    pub no: StreamNo,
    /// Its id.
    pub id: QueueId,
    /// Its name, as given; unique without regard to case.
    pub name: String,
    /// Its settings.
    pub settings: QueueSettings,
    /// Where messages go that nobody can deal with, if anywhere.
    pub dead_letter: Option<DeadLetter>,
    /// The number its messages are stored under. A clear gives it another one: what has the old number is gone at
    /// once, however much it is, and its rows go later.
    pub heap: StreamNo,
    /// The place of the next message, from 1.
    pub next_seq: u64,
    /// How many messages are in it, received or not.
    pub stored: u64,
    /// The deleted messages that it can be set back to; `None`: it cannot be set back.
    pub kept: Option<Kept>,
    /// That it is being set back.
    pub rewinding: Option<Rewinding>,
    /// Its tags, key and value.
    pub tags: Vec<(String, String)>,
    /// When it was made.
    pub created: Timestamp,
    /// When its attributes last changed.
    pub modified: Timestamp,
}

impl Queue {
    /// Messages stored at this moment or before are over their retention at `now`.
    #[must_use]
    pub fn keeps_since(&self, now: Timestamp) -> Timestamp {
        now.minus_s(self.settings.retention_s)
    }

    /// Deleted messages stored before this moment cannot be brought back at `now`.
    #[must_use]
    pub fn rewinds_to(&self, now: Timestamp) -> Timestamp {
        now.minus_s(self.settings.rewind_s)
    }

    /// Messages stored at this moment or before are over their time at `now`: their retention has ended, or they are
    /// too old and become dead letters.
    #[must_use]
    pub fn over_since(&self, now: Timestamp) -> Timestamp {
        match self.dead_letter {
            Some(DeadLetter { rule: DeadLetterRule::Age { seconds }, .. }) => {
                self.keeps_since(now).max(now.minus_s(seconds))
            }
            _ => self.keeps_since(now),
        }
    }

    /// Whether `message`, one of its own, has become a dead letter by `now`. What somebody holds, or is delayed, has
    /// not yet.
    #[must_use]
    pub fn is_dead(&self, message: &QueueMessage, now: Timestamp) -> bool {
        let Some(dead_letter) = self.dead_letter else { return false };
        message.visible <= now
            && match dead_letter.rule {
                DeadLetterRule::Receives { most } => message.dequeues >= most,
                DeadLetterRule::Age { seconds } => message.enqueued <= now.minus_s(seconds),
            }
    }

    /// Whether it keeps more bytes of deleted messages than it may.
    #[must_use]
    pub fn keeps_too_much(&self) -> bool {
        let most = self.settings.kept_max_bytes;
        most > 0 && self.kept.is_some_and(|kept| kept.bytes > most)
    }

    /// How many more messages it takes.
    #[must_use]
    pub fn room(&self) -> u64 {
        self.settings.max_messages.saturating_sub(self.stored)
    }
}

/// What can be set on a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueSettings {
    /// Most messages it holds.
    pub max_messages: u64,
    /// How long a receive waits unless it says otherwise, in seconds.
    pub polling_wait_s: u64,
    /// How long a received message stays hidden, in seconds.
    pub visibility_s: u64,
    /// Largest message a client may send, in bytes. Events are exempt.
    pub max_msg_bytes: u64,
    /// How long messages are kept, in seconds.
    pub retention_s: u64,
    /// How far back it can be set, in seconds; 0: deleted messages are gone.
    pub rewind_s: u64,
    /// Bytes of deleted messages that are kept for that at most; 0: as many as there are.
    pub kept_max_bytes: u64,
    /// Whether what happens to its messages is written to the server's log.
    pub trace: bool,
}

/// Where messages go that nobody can deal with, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadLetter {
    /// The queue they go to.
    pub queue: StreamNo,
    /// When.
    pub rule: DeadLetterRule,
}

/// When a message becomes a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterRule {
    /// After so many receipts without a deletion: CMQ's policy 0.
    Receives {
        /// How many receipts it gets.
        most: u32,
    },
    /// When it has not been deleted for so long: CMQ's policy 1.
    Age {
        /// For how long, in seconds.
        seconds: u64,
    },
}

/// The deleted messages that a queue can be set back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The number they are stored under.
    pub heap: StreamNo,
    /// How many they are.
    pub count: u64,
    /// Bytes of their texts.
    pub bytes: u64,
}

impl Kept {
    /// None yet, to be stored under `heap`.
    #[must_use]
    pub fn none(heap: StreamNo) -> Self {
        Self { heap, count: 0, bytes: 0 }
    }
}

/// How far a queue has been set back. Deleted messages come back in the order they were stored, a chunk a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewinding {
    /// When that was asked for: what was deleted later stays deleted.
    pub at: Timestamp,
    /// Those that were stored at this time or later come back,
    pub from: Timestamp,
    /// and are behind this place: those before it are back.
    pub after: u64,
}

/// Which message of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey {
    /// The number that the queue's messages are stored under.
    pub heap: StreamNo,
    /// Its place there.
    pub seq: u64,
}

/// A message of a queue as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMessage {
    /// Which one.
    pub key: MessageKey,
    /// Its text.
    pub body: Arc<str>,
    /// When it was stored.
    pub enqueued: Timestamp,
    /// When it can be received: the end of its delay, or of the visibility timeout of its last receipt.
    pub visible: Timestamp,
    /// When it was first received.
    pub first_dequeued: Option<Timestamp>,
    /// How often it was received.
    pub dequeues: u32,
    /// The chance part of its latest receipt's handle; 0 before the first.
    pub receipt: u32,
    /// Where a dead letter comes from.
    pub origin: Option<Arc<Origin>>,
}

/// What a dead letter was in the queue it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its id there, which it keeps.
    pub msg_id: u64,
    /// The queue's name.
    pub queue: String,
    /// When it was stored there.
    pub enqueued: Timestamp,
    /// How often it was received there.
    pub dequeues: u32,
}

/// A deleted message that can be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMessage {
    /// The number that the queue's deleted messages are stored under, and the place it had in the queue.
    pub key: MessageKey,
    /// Its text.
    pub body: Arc<str>,
    /// When it was stored.
    pub enqueued: Timestamp,
    /// When it was deleted.
    pub deleted: Timestamp,
    /// Where a dead letter comes from.
    pub origin: Option<Arc<Origin>>,
}

impl QueueMessage {
    /// Its id on the wire.
    #[must_use]
    pub fn msg_id(&self) -> MsgId {
        self.origin.as_ref().map_or(MsgId::new(self.key.heap, self.key.seq), |origin| MsgId(origin.msg_id))
    }

    /// The handle of its latest receipt.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle::new(self.key.seq, self.receipt)
    }
}

/// A receipt handle: the message's place and a number drawn at each receipt, so that only the latest handle is good
/// and no index is needed to find its message. A decimal u64 on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub u64);

impl Handle {
    const RECEIPT_BITS: u32 = 23;
    /// Receipts are drawn from 1 to this.
    pub const RECEIPT_MAX: u32 = (1 << Self::RECEIPT_BITS) - 1;

    /// The handle of a receipt of message `seq`.
    #[must_use]
    pub fn new(seq: u64, receipt: u32) -> Self {
        Self((seq << Self::RECEIPT_BITS) | u64::from(receipt))
    }

    /// The message's place in its queue.
    #[must_use]
    pub fn seq(self) -> u64 {
        self.0 >> Self::RECEIPT_BITS
    }

    /// The number drawn at the receipt.
    #[must_use]
    pub fn receipt(self) -> u32 {
        u32::try_from(self.0 & u64::from(Self::RECEIPT_MAX)).expect("23 bits")
    }
}
