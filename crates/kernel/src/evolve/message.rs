//! How topics, queues, subscriptions, messages and deliveries change.

use std::sync::Arc;

use crate::change::What;
use crate::delivery::DeliveryKey;
use crate::evolve::queue;
use crate::limits;
use crate::queue::{Kept, KeptMessage, MessageKey, Queue, QueueMessage};
use crate::replay::Replay;
use crate::state::{RowKey, State};
use crate::subscription::{Subscription, SubscriptionKey};
use crate::time::Timestamp;
use crate::topic::StreamNo;

/// Applies a change of what carries messages.
pub(super) fn evolve(state: &mut State, what: &What, at: Timestamp) {
    match what {
        What::TopicCreated(topic) => {
            state.see_stream(topic.no);
            state.index.topic_names.insert((topic.name.to_lowercase(), topic.no));
            state.dirty.insert(RowKey::Topic(topic.no));
            state.topics.put(topic.no, topic.clone());
        }
        What::TopicGrew(topic, count) => topic_grew(state, *topic, *count),
        What::TopicModified(no, edit) => {
            state.dirty.insert(RowKey::Topic(*no));
            if let Some(topic) = state.topics.edit(no) {
                topic.max_msg_bytes = edit.max_msg_bytes.unwrap_or(topic.max_msg_bytes);
                topic.retention_s = edit.retention_s.unwrap_or(topic.retention_s);
                topic.trace = edit.trace.unwrap_or(topic.trace);
                topic.modified = at;
            }
        }
        What::TopicDeleted(no) => topic_deleted(state, *no),
        What::QueueCreated(_)
        | What::QueueModified { .. }
        | What::QueueCleared { .. }
        | What::QueueRewinding(..)
        | What::QueueRewound(_)
        | What::QueueDeleted(_) => queue::evolve(state, what, at),
        What::MessageStored(message) => message_stored(state, message),
        What::MessageReceived { key, visible, receipt } => edit_message(state, *key, |message| {
            message.visible = *visible;
            message.receipt = *receipt;
            message.dequeues = message.dequeues.saturating_add(1);
            message.first_dequeued.get_or_insert(at);
        }),
        What::MessageDeleted(key) => {
            message_deleted(state, *key);
        }
        What::MessageKept(key) => message_kept(state, *key, at),
        What::MessageRewound(key) => message_rewound(state, *key),
        What::KeptDropped(key) => {
            kept_dropped(state, *key);
        }
        What::Subscribed(subscription) => {
            let key = subscription.key;
            state.dirty.insert(RowKey::Topic(key.topic));
            if let Some(topic) = state.topics.edit(&key.topic) {
                topic.next_subscription = topic.next_subscription.max(key.no.saturating_add(1));
            }
            state.dirty.insert(RowKey::Subscription(key));
            state.subscriptions.put(key, (**subscription).clone());
        }
        What::SubscriptionModified(next) => edit_subscription(state, next.key, |row| {
            let (cursor, health, outlets) =
                (row.cursor, std::mem::take(&mut row.health), std::mem::take(&mut row.outlets));
            let replays = std::mem::take(&mut row.replays);
            *row = Subscription { cursor, health, outlets, replays, ..(**next).clone() };
        }),
        What::SubscriptionStaged(key, stage) => edit_subscription(state, *key, |row| row.stage = *stage),
        What::SubscriptionFared(key, health) => edit_subscription(state, *key, |row| row.health.clone_from(health)),
        What::Unsubscribed(key) => {
            state.dirty.insert(RowKey::Subscription(*key));
            state.subscriptions.remove(key);
        }
        What::CursorMoved(key, cursor) => {
            edit_subscription(state, *key, |row| row.cursor = row.cursor.max(*cursor));
        }
        What::ReplayPut(key, replay) => edit_subscription(state, *key, |row| put_replay(&mut row.replays, replay)),
        What::DeliveryPut(delivery) => {
            state.dirty.insert(RowKey::Delivery(delivery.key));
            state.deliveries.put(delivery.key, delivery.clone());
        }
        What::DeliveryCleared(subscription, seq) => {
            let key = DeliveryKey { subscription: *subscription, seq: *seq };
            state.dirty.insert(RowKey::Delivery(key));
            state.deliveries.remove(&key);
        }
        // An attempt is a row that only the store has.
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

fn edit_subscription(state: &mut State, key: SubscriptionKey, edit: impl FnOnce(&mut Subscription)) {
    state.dirty.insert(RowKey::Subscription(key));
    if let Some(subscription) = state.subscriptions.edit(&key) {
        edit(subscription);
    }
}

/// Replaces a replay or adds a new one; then the oldest that has ended goes, if there are many.
fn put_replay(replays: &mut Vec<Replay>, replay: &Replay) {
    match replays.iter_mut().find(|other| other.no == replay.no) {
        Some(other) => other.clone_from(replay),
        None => replays.push(replay.clone()),
    }
    if replays.len() > limits::REPLAYS
        && let Some(oldest) = replays.iter().position(|other| !other.is_running())
    {
        replays.remove(oldest);
    }
}

fn topic_deleted(state: &mut State, no: StreamNo) {
    state.dirty.insert(RowKey::Topic(no));
    if let Some(topic) = state.topics.remove(&no) {
        state.index.topic_names.remove(&(topic.name.to_lowercase(), no));
    }
}

fn message_stored(state: &mut State, message: &QueueMessage) {
    let key = message.key;
    edit_queue(state, key.heap, |queue| {
        queue.next_seq = queue.next_seq.max(key.seq + 1);
        queue.stored += 1;
    });
    state.index.visible.insert((key.heap, message.visible, key.seq));
    state.dirty.insert(RowKey::Message(key));
    state.messages.put(key, message.clone());
}

fn message_deleted(state: &mut State, key: MessageKey) -> Option<Arc<QueueMessage>> {
    let message = state.messages.remove(&key)?;
    state.index.visible.remove(&(key.heap, message.visible, key.seq));
    state.dirty.insert(RowKey::Message(key));
    edit_queue(state, key.heap, |queue| queue.stored = queue.stored.saturating_sub(1));
    Some(message)
}

fn message_kept(state: &mut State, key: MessageKey, at: Timestamp) {
    let Some(message) = message_deleted(state, key) else { return };
    let Some(kept) = state.queue_of(key.heap).and_then(|queue| queue.kept) else { return };
    let key = MessageKey { heap: kept.heap, seq: key.seq };
    edit_kept(state, key.heap, |kept| {
        kept.count += 1;
        kept.bytes += message.body.len() as u64;
    });
    let (body, origin) = (message.body.clone(), message.origin.clone());
    state.dirty.insert(RowKey::Kept(key));
    state.kept.put(key, KeptMessage { key, body, enqueued: message.enqueued, deleted: at, origin });
}

/// Its place among those that can be received is that of the time it was stored at: ahead of all that have waited
/// since, and in order.
fn message_rewound(state: &mut State, key: MessageKey) {
    let Some(kept) = kept_dropped(state, key) else { return };
    let Some(heap) = state.queue_of(key.heap).map(|queue| queue.heap) else { return };
    let message = QueueMessage {
        key: MessageKey { heap, seq: key.seq },
        body: kept.body.clone(),
        enqueued: kept.enqueued,
        visible: kept.enqueued,
        first_dequeued: None,
        dequeues: 0,
        receipt: 0,
        origin: kept.origin.clone(),
    };
    message_stored(state, &message);
}

fn kept_dropped(state: &mut State, key: MessageKey) -> Option<Arc<KeptMessage>> {
    let message = state.kept.remove(&key)?;
    state.dirty.insert(RowKey::Kept(key));
    edit_kept(state, key.heap, |kept| {
        kept.count = kept.count.saturating_sub(1);
        kept.bytes = kept.bytes.saturating_sub(message.body.len() as u64);
    });
    Some(message)
}

/// Changes the queue that stores its messages, or keeps deleted ones, under this number.
fn edit_queue(state: &mut State, heap: StreamNo, edit: impl FnOnce(&mut Queue)) {
    let Some(no) = state.index.heaps.get(&heap).copied() else { return };
    state.dirty.insert(RowKey::Queue(no));
    if let Some(queue) = state.queues.edit(&no) {
        edit(queue);
    }
}

fn edit_kept(state: &mut State, heap: StreamNo, edit: impl FnOnce(&mut Kept)) {
    edit_queue(state, heap, |queue| {
        if let Some(kept) = &mut queue.kept {
            edit(kept);
        }
    });
}

fn edit_message(state: &mut State, key: MessageKey, edit: impl FnOnce(&mut QueueMessage)) {
    let Some(message) = state.messages.edit(&key) else { return };
    state.index.visible.remove(&(key.heap, message.visible, key.seq));
    edit(message);
    state.index.visible.insert((key.heap, message.visible, key.seq));
    state.dirty.insert(RowKey::Message(key));
}
