//! How topics, queues, subscriptions, messages and deliveries change.

use crate::change::What;
use crate::state::{RowKey, State};
use crate::time::Timestamp;
use crate::topic::StreamNo;

/// Applies a change of what carries messages.
pub(super) fn evolve(state: &mut State, what: &What, at: Timestamp) {
    let _ = at;
    match what {
        What::TopicGrew(topic, count) => topic_grew(state, *topic, *count),
        _ => {}
    }
}

/// Counts messages added to a topic.
pub(super) fn topic_grew(state: &mut State, topic: StreamNo, count: u64) {
    state.dirty.insert(RowKey::Topic(topic));
    if let Some(topic) = state.topics.edit(&topic) {
        topic.next_seq += count;
    }
}
