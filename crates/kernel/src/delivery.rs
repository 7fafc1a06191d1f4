//! Deliveries to HTTP subscribers: those that are not simply behind the cursor, and every attempt of each.

use serde::{Deserialize, Serialize};

use crate::filter;
use crate::subscription::{Endpoint, Subscription, SubscriptionKey};
use crate::time::Timestamp;
use crate::topic::{FilterType, TopicMessage};

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

/// How a delivery stands, as it is told: most have no row, and stand as their subscription's cursor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its turn has not come, or its first attempt has not ended.
    Pending,
    /// It failed, and will be tried again at this time.
    Retrying {
        /// When.
        next: Timestamp,
    },
    /// The subscriber has taken it.
    Delivered,
    /// It was copied into the subscription's queue.
    Copied,
    /// Given up: kept, counted, repeatable.
    Dead,
    /// The subscription does not want it.
    Unwanted,
    /// The subscription began after it.
    Before,
}

impl Standing {
    /// All words.
    pub const WORDS: [&'static str; 7] =
        ["PENDING", "RETRYING", "DELIVERED", "COPIED", "DEAD", "SKIPPED", "NOT_SUBSCRIBED"];

    /// The word it is told by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Retrying { .. } => "RETRYING",
            Self::Delivered => "DELIVERED",
            Self::Copied => "COPIED",
            Self::Dead => "DEAD",
            Self::Unwanted => "SKIPPED",
            Self::Before => "NOT_SUBSCRIBED",
        }
    }
}

/// How the delivery of the message at `seq` stands. `subscription` was read after `row`, its delivery's row, and
/// `last`, its last attempt: so a row that is gone because the cursor has passed it is not taken for one that never was.
/// `message` is missing when the topic's retention has ended.
#[must_use]
pub fn standing(
    filter: FilterType,
    subscription: &Subscription,
    seq: u64,
    message: Option<&TopicMessage>,
    row: Option<DeliveryStage>,
    last: Option<&Attempt>,
) -> Standing {
    match row {
        Some(DeliveryStage::Dead) => return Standing::Dead,
        Some(DeliveryStage::Delivered) => return Standing::Delivered,
        Some(DeliveryStage::Retrying { next }) if seq > subscription.cursor => return Standing::Retrying { next },
        _ => {}
    }
    if last.is_some_and(|last| last.outcome.is_success()) {
        return Standing::Delivered;
    }
    if seq <= subscription.start {
        return Standing::Before;
    }
    if message.is_some_and(|message| !filter::wants_message(filter, subscription, message)) {
        return Standing::Unwanted;
    }
    match &subscription.endpoint {
        _ if seq > subscription.cursor => Standing::Pending,
        Endpoint::Queue { .. } => Standing::Copied,
        Endpoint::Http { .. } => Standing::Delivered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::push::tests::{KEY, START, attempt, message, subscription};
    use crate::subscription::Strategy;

    #[test]
    fn a_delivery_without_a_row_stands_as_the_cursor_says() {
        let http = Subscription { start: 2, cursor: 5, ..subscription(Strategy::default(), &["wanted"]) };
        let endpoint = Endpoint::Queue { queue: KEY.topic, name: "q".into() };
        let queue = Subscription { endpoint, ..http.clone() };
        let next = START.plus_ms(9);
        let retrying = Some(DeliveryStage::Retrying { next });
        let (wanted, other) = ("wanted", "other");
        let table = [
            (2, wanted, None, "NOT_SUBSCRIBED", "NOT_SUBSCRIBED"),
            (3, wanted, None, "DELIVERED", "COPIED"),
            (5, other, None, "SKIPPED", "SKIPPED"),
            (6, wanted, None, "PENDING", "PENDING"),
            (6, wanted, retrying, "RETRYING", "RETRYING"),
            // The cursor was read after the row: the delivery has ended since.
            (4, wanted, retrying, "DELIVERED", "COPIED"),
            (6, wanted, Some(DeliveryStage::Delivered), "DELIVERED", "DELIVERED"),
            (4, wanted, Some(DeliveryStage::Dead), "DEAD", "DEAD"),
        ];
        for (seq, tag, row, by_http, by_queue) in table {
            let message = message(seq, START, tag);
            let word =
                |subscription| standing(FilterType::Tags, subscription, seq, Some(&*message), row, None).as_str();
            assert_eq!((word(&http), word(&queue)), (by_http, by_queue), "{seq} {tag} {row:?}");
        }
        // Whatever the subscription wants now, what it got it got.
        let got = attempt(2, 1, START, 204);
        let stands = |last| standing(FilterType::Tags, &http, 2, None, None, last);
        assert_eq!((stands(Some(&*got)), stands(None)), (Standing::Delivered, Standing::Before));
        let words = [Standing::Pending, Standing::Retrying { next }, Standing::Delivered, Standing::Copied];
        let more = [Standing::Dead, Standing::Unwanted, Standing::Before];
        assert_eq!(words.into_iter().chain(more).map(Standing::as_str).collect::<Vec<_>>(), Standing::WORDS);
    }
}
