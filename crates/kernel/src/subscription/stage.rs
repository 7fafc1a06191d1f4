//! Whether a subscription's messages leave, and how its last posts went.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::time::Timestamp;

/// Whether messages leave.
///
/// From `Active` a `Retry-After` leads to `Held`, failures to `Broken` where the subscription has a circuit breaker, a
/// 410 or a request to `Paused`. Time ends `Held`; a probe that succeeds ends `Broken`; only a request ends `Paused`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// They do.
    #[default]
    Active,
    /// The receiver has asked to be left alone.
    Held {
        /// Until then.
        until: Timestamp,
    },
    /// Too many posts running have failed: the circuit is open.
    Broken {
        /// Since then.
        since: Timestamp,
        /// At this time one post leaves, to find out: the circuit is half open.
        until: Timestamp,
        /// How many such probes have failed.
        probes: u32,
    },
    /// None leave until somebody resumes it. Its messages stay as long as the topic keeps them.
    Paused {
        /// Why.
        why: PauseReason,
        /// Since then.
        since: Timestamp,
    },
}

/// Why a subscription is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PauseReason {
    /// Somebody asked for it.
    Asked,
    /// The receiver answered 410.
    Gone,
}

impl PauseReason {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "ASKED",
            Self::Gone => "GONE",
        }
    }
}

impl Stage {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Held { .. } => "HELD",
            Self::Broken { .. } => "BROKEN",
            Self::Paused { .. } => "PAUSED",
        }
    }

    /// Whether only a request ends it.
    #[must_use]
    pub fn is_paused(self) -> bool {
        matches!(self, Self::Paused { .. })
    }
}

/// How the last posts went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Health {
    /// How many have failed running.
    pub failures: u32,
    /// The HTTP status of the last that failed, if there was an answer.
    pub last_status: Option<u16>,
    /// Why the last that failed had no answer; empty if there was one.
    pub last_error: String,
}

impl Health {
    /// Whether the subscription counts as failing.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failures >= limits::FAILING_AFTER
    }
}
