//! Deliveries and attempts as replies show them. Times are in milliseconds.

use kernel::delivery::{Attempt, Outcome, Standing};
use kernel::topic::{MsgId, TopicMessage};
use serde_json::{Value, json};
use wire::received::{self, Received, ReceivedEvent};

use super::list::Listed;
use crate::api::cmq::words;

/// A delivery.
pub(super) fn delivery(listed: &Listed) -> Value {
    let Listed { topic, subscription, seq, message, row, last, standing } = listed;
    let (protocol, endpoint) = words::endpoint(&subscription.endpoint);
    let event = message.as_deref().and_then(event);
    let next = match standing {
        Standing::Retrying { next } => Some(next.0),
        _ => None,
    };
    let attempts = row.as_ref().map(|row| row.attempts).max(last.as_ref().map(|last| last.number)).unwrap_or(0);
    json!({
        "TopicName": topic.name,
        "SubscriptionName": subscription.name,
        "Protocol": protocol,
        "Endpoint": endpoint,
        "MsgId": MsgId::new(topic.no, *seq).0.to_string(),
        "Place": seq,
        "PublishTime": message.as_ref().map(|message| message.published.0),
        "EventName": event.as_ref().map(|event| &event.name),
        "EventId": event.as_ref().map(|event| &event.id),
        "Owner": event.as_ref().map(|event| &event.owner),
        "Sequence": event.as_ref().map(|event| event.sequence),
        "State": standing.as_str(),
        "Attempts": attempts,
        "NextTime": next,
        "LastAttempt": last.as_deref().map(attempt),
    })
}

/// An attempt.
pub(super) fn attempt(attempt: &Attempt) -> Value {
    let (status, reply, error) = match &attempt.outcome {
        Outcome::Replied { status, body } => (Some(*status), Some(body), None),
        Outcome::Failed { error } => (None, None, Some(error)),
    };
    json!({
        "MsgId": MsgId::new(attempt.key.subscription.topic, attempt.key.seq).0.to_string(),
        "Number": attempt.number,
        "Time": attempt.at.0,
        "Address": attempt.address,
        "DurationMs": attempt.duration_ms,
        "Succeeded": attempt.outcome.is_success(),
        "Status": status,
        "Reply": reply,
        "Error": error,
    })
}

/// The event that a message is, if it is one.
pub(crate) fn event(message: &TopicMessage) -> Option<ReceivedEvent> {
    match received::read(&serde_json::from_str(&message.body).ok()?) {
        Received::Events(events) => events.into_iter().next(),
        _ => None,
    }
}
