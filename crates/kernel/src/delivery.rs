//! Deliveries to HTTP subscribers: those that are not simply behind the cursor, and every attempt of each.

use serde::{Deserialize, Serialize};

use crate::subscription::SubscriptionKey;
use crate::time::Timestamp;

/// Which delivery: a subscription, and a message of its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey {
    /// The subscription.
    pub subscription: SubscriptionKey,
    /// The message's place in the topic.
    pub seq: u64,
}

/// A delivery that has failed, or has succeeded ahead of the cursor. All others have no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which one.
    pub key: DeliveryKey,
    /// How it stands.
    pub stage: DeliveryStage,
    /// How many attempts have ended.
    pub attempts: u32,
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum DeliveryStage {
    /// Will be tried again at this time.
    Retrying {
        /// When.
        next: Timestamp,
    },
    /// Done, while an earlier message is not.
    Delivered,
    /// Given up: kept, counted, repeatable.
    Dead,
}

/// One attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which delivery.
    pub key: DeliveryKey,
    /// Its number, from 1.
    pub number: u32,
    /// When the request left.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The address it went to.
    pub address: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A reply with this status and the beginning of its body, as text.
    Replied {
        /// The HTTP status.
        status: u16,
        /// At most the first 1,024 bytes, what is not UTF-8 replaced.
        body: String,
    },
    /// No reply, for this reason.
    Failed {
        /// What went wrong.
        error: String,
    },
}

impl Outcome {
    /// Whether it ends the delivery: a status of 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Replied { status: 200..=299, .. })
    }
}
