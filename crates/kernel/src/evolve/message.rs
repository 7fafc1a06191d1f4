//! How topics, queues, subscriptions, messages and deliveries change.

use crate::change::What;
use crate::delivery::DeliveryKey;
use crate::queue::{MessageKey, QueueMessage};
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
        What::TopicDeleted(no) => topic_deleted(state, *no),
        What::QueueCreated(queue) => {
            state.see_stream(queue.no);
            state.index.queue_names.insert((queue.name.to_lowercase(), queue.no));
            state.dirty.insert(RowKey::Queue(queue.no));
            state.queues.put(queue.no, queue.clone());
        }
        What::QueueDeleted(no) => queue_deleted(state, *no),
        What::MessageStored(message) => message_stored(state, message),
        What::MessageReceived { key, visible, receipt } => edit_message(state, *key, |message| {
            message.visible = *visible;
            message.receipt = *receipt;
            message.dequeues = message.dequeues.saturating_add(1);
            message.first_dequeued.get_or_insert(at);
        }),
        What::MessageDeleted(key) => message_deleted(state, *key),
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
            *row = Subscription { cursor, health, outlets, ..(**next).clone() };
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

fn topic_deleted(state: &mut State, no: StreamNo) {
    state.dirty.insert(RowKey::Topic(no));
    if let Some(topic) = state.topics.remove(&no) {
        state.index.topic_names.remove(&(topic.name.to_lowercase(), no));
    }
}

fn queue_deleted(state: &mut State, no: StreamNo) {
    state.dirty.insert(RowKey::Queue(no));
    if let Some(queue) = state.queues.remove(&no) {
        state.index.queue_names.remove(&(queue.name.to_lowercase(), no));
    }
    // Those that are not loaded go with the queue's row.
    let at = |seq| MessageKey { queue: no, seq };
    let loaded: Vec<MessageKey> = state.messages.range(at(0)..=at(u64::MAX)).map(|(key, _)| *key).collect();
    for key in loaded {
        message_deleted(state, key);
    }
}

fn message_stored(state: &mut State, message: &QueueMessage) {
    let key = message.key;
    state.dirty.insert(RowKey::Queue(key.queue));
    if let Some(queue) = state.queues.edit(&key.queue) {
        queue.next_seq = queue.next_seq.max(key.seq + 1);
        queue.stored += 1;
    }
    state.index.visible.insert((key.queue, message.visible, key.seq));
    state.dirty.insert(RowKey::Message(key));
    state.messages.put(key, message.clone());
}

fn message_deleted(state: &mut State, key: MessageKey) {
    let Some(message) = state.messages.remove(&key) else { return };
    state.index.visible.remove(&(key.queue, message.visible, key.seq));
    state.dirty.insert(RowKey::Message(key));
    state.dirty.insert(RowKey::Queue(key.queue));
    if let Some(queue) = state.queues.edit(&key.queue) {
        queue.stored = queue.stored.saturating_sub(1);
    }
}

fn edit_message(state: &mut State, key: MessageKey, edit: impl FnOnce(&mut QueueMessage)) {
    let Some(message) = state.messages.edit(&key) else { return };
    state.index.visible.remove(&(key.queue, message.visible, key.seq));
    edit(message);
    state.index.visible.insert((key.queue, message.visible, key.seq));
    state.dirty.insert(RowKey::Message(key));
}
