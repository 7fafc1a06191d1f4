//! A subscription: a cursor over its topic's log, what it does with each message, and how that goes.
//!
//! [`Strategy`] and [`Format`] are CMQ's; what goes beyond CMQ is its [`Manner`]. Whether posts leave is its [`Stage`];
//! how the last ones went is its [`Health`].

mod manner;
mod secret;
mod stage;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::Outlets;
use crate::id::SubscriptionId;
use crate::replay::Replay;
use crate::time::Timestamp;
use crate::topic::StreamNo;
pub use manner::{CircuitRule, DeadLetters, Manner, MannerEdit, Order, Signing};
pub use secret::{Secret, Secrets};
pub use stage::{Health, PauseReason, Stage};

/// Which subscription: its topic and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubscriptionKey {
    /// The topic.
    pub topic: StreamNo,
    /// Its number among the topic's subscriptions.
    pub no: u32,
}

/// A subscription as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Which one.
    pub key: SubscriptionKey,
    /// Its id.
    pub id: SubscriptionId,
    /// Its name; unique in its topic.
    pub name: String,
    /// Where messages go.
    pub endpoint: Endpoint,
    /// What happens after a failed delivery.
    pub strategy: Strategy,
    /// What a post's body is.
    pub format: Format,
    /// Tags it wants; empty: all.
    pub filter_tags: Vec<String>,
    /// Binding keys, on a topic that routes.
    pub binding_keys: Vec<String>,
    /// Where its messages begin: the topic's end when it was made.
    pub start: u64,
    /// What it asks for beyond CMQ.
    pub manner: Manner,
    /// What its posts are signed with; `None`: they are not.
    pub secrets: Option<Secrets>,
    /// Whether posts leave.
    pub stage: Stage,
    /// How the last posts went.
    pub health: Health,
    /// How many events of its own each topic has had.
    pub outlets: Outlets,
    /// Its replays, by number: those that go on and some that have ended.
    pub replays: Vec<Replay>,
    /// All messages up to this place are done with: delivered, given up, or not wanted.
    pub cursor: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When its attributes last changed.
    pub modified: Timestamp,
}

/// Where a subscription's messages go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "protocol", rename_all = "snake_case")]
pub enum Endpoint {
    /// Into a queue.
    Queue {
        /// Its number.
        queue: StreamNo,
        /// Its name, as it was given.
        name: String,
    },
    /// To an HTTP address.
    Http {
        /// The address.
        url: String,
    },
}

/// What happens after a failed delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Strategy {
    /// Three more tries, each 10 to 20 s after the last, in order: later messages wait. Then it is given up.
    BackoffRetry,
    /// Tries after 1, 2, 4 ... 512 s, then every 512 s, for one day, beside later messages.
    #[default]
    ExponentialDecayRetry,
}

impl Strategy {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BackoffRetry => "BACKOFF_RETRY",
            Self::ExponentialDecayRetry => "EXPONENTIAL_DECAY_RETRY",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a post's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Format {
    /// CMQ's envelope round the text.
    #[default]
    Json,
    /// The text itself.
    Simplified,
    /// A CloudEvent 1.0 in structured mode.
    #[serde(rename = "CLOUDEVENTS")]
    CloudEvents,
}

impl Format {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Simplified => "SIMPLIFIED",
            Self::CloudEvents => "CLOUDEVENTS",
        }
    }
}
