//! A queue: messages that one consumer at a time receives, and deletes when done.

use std::sync::Arc;

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
    /// The place of the next message, from 1.
    pub next_seq: u64,
    /// How many messages are in it, received or not.
    pub stored: u64,
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
}

/// Which message of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey {
    /// The queue.
    pub queue: StreamNo,
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
}

impl QueueMessage {
    /// Its id on the wire.
    #[must_use]
    pub fn msg_id(&self) -> MsgId {
        MsgId::new(self.key.queue, self.key.seq)
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
