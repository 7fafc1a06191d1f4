//! Queues and their messages.

use std::sync::Arc;

use rand::RngExt;

use crate::change::What;
use crate::command::{Refusal, Reply};
use crate::decide::{Draft, topic};
use crate::id::QueueId;
use crate::limits;
use crate::queue::{Handle, MessageKey, Queue, QueueMessage, QueueSettings};
use crate::state::State;
use crate::subscription::{Endpoint, Subscription};
use crate::time::Timestamp;
use crate::topic::{MsgId, StreamNo};

pub(super) fn create_queue(draft: &mut Draft<'_>, name: String, settings: QueueSettings) -> Result<Reply, Refusal> {
    if let Some(other) = draft.state.queue_named(&name) {
        return Err(Refusal::QueueExists(other.name.clone()));
    }
    if draft.state.queues.len() >= limits::QUEUES {
        return Err(Refusal::TooManyQueues(limits::QUEUES));
    }
    let id = QueueId::draw(draft.rng);
    let (no, now) = (topic::next_stream(draft)?, draft.now);
    let queue = Queue { no, id, name, settings, next_seq: 1, stored: 0, created: now, modified: now };
    draft.record(What::QueueCreated(queue));
    Ok(Reply::Queue(id))
}

pub(super) fn delete_queue(draft: &mut Draft<'_>, name: &str) -> Result<Reply, Refusal> {
    let queue = named(draft, name)?;
    let by = topic::list(sources_of(&draft.state, queue.no));
    if !by.is_empty() {
        return Err(Refusal::QueueInUse { queue: queue.name.clone(), by });
    }
    draft.record(What::QueueDeleted(queue.no));
    Ok(Reply::Done)
}

pub(super) fn send(draft: &mut Draft<'_>, queue: &str, bodies: Vec<Arc<str>>, delay_s: u64) -> Result<Reply, Refusal> {
    let queue = named(draft, queue)?;
    topic::check_sizes(&bodies, queue.settings.max_msg_bytes)?;
    if queue.room() < bodies.len() as u64 {
        return Err(Refusal::QueueFull { queue: queue.name.clone(), limit: queue.settings.max_messages });
    }
    let visible = draft.now.plus_s(delay_s);
    let ids = bodies.into_iter().map(|body| store(draft, queue.no, body, visible)).collect();
    Ok(Reply::Messages(ids))
}

/// Puts a text into a queue, as its next message.
pub(super) fn store(draft: &mut Draft<'_>, queue: StreamNo, body: Arc<str>, visible: Timestamp) -> MsgId {
    let seq = draft.state.queue(queue).map_or(0, |queue| queue.next_seq);
    draft.record(What::MessageStored(QueueMessage {
        key: MessageKey { queue, seq },
        body,
        enqueued: draft.now,
        visible,
        first_dequeued: None,
        dequeues: 0,
        receipt: 0,
    }));
    MsgId::new(queue, seq)
}

pub(super) fn receive(draft: &mut Draft<'_>, queue: &str, max: usize) -> Result<Reply, Refusal> {
    let queue = named(draft, queue)?;
    let kept = queue.keeps_since(draft.now);
    let keys: Vec<MessageKey> = draft
        .state
        .visible(queue.no, draft.now)
        .filter(|message| message.enqueued > kept)
        .map(|message| message.key)
        .take(max)
        .collect();
    let visible = draft.now.plus_s(queue.settings.visibility_s);
    for key in &keys {
        let receipt = draft.rng.random_range(1..=Handle::RECEIPT_MAX);
        draft.record(What::MessageReceived { key: *key, visible, receipt });
    }
    Ok(Reply::Received(keys.iter().filter_map(|key| draft.state.message(*key).cloned()).collect()))
}

pub(super) fn delete(draft: &mut Draft<'_>, queue: &str, handles: &[Handle]) -> Result<Reply, Refusal> {
    let queue = named(draft, queue)?.no;
    let mut deleted = Vec::with_capacity(handles.len());
    for handle in handles {
        let key = MessageKey { queue, seq: handle.seq() };
        let valid = draft.state.message(key).is_some_and(|message| {
            message.receipt != 0 && message.receipt == handle.receipt() && draft.now < message.visible
        });
        if valid {
            draft.record(What::MessageDeleted(key));
        }
        deleted.push(valid);
    }
    Ok(Reply::Deleted(deleted))
}

/// Removes those of the messages that are over their queue's retention.
pub(super) fn expire(draft: &mut Draft<'_>, queue: StreamNo, seqs: &[u64]) -> Reply {
    let Some(kept) = draft.state.queue(queue).map(|queue| queue.keeps_since(draft.now)) else { return Reply::Done };
    for seq in seqs {
        let key = MessageKey { queue, seq: *seq };
        if draft.state.message(key).is_some_and(|message| message.enqueued <= kept) {
            draft.record(What::MessageDeleted(key));
        }
    }
    Reply::Done
}

/// The queue that a request names.
pub(super) fn named(draft: &Draft<'_>, name: &str) -> Result<Arc<Queue>, Refusal> {
    draft.state.queue_named(name).cloned().ok_or_else(|| Refusal::NoQueue(name.to_owned()))
}

/// Subscriptions that deliver to a queue, or give their dead letters to it, as `topic/subscription`.
fn sources_of(state: &State, no: StreamNo) -> impl Iterator<Item = String> {
    let to_it = move |subscription: &Subscription| {
        let letters = subscription.manner.dead_letters.as_ref().is_some_and(|letters| letters.queue == no);
        letters || matches!(subscription.endpoint, Endpoint::Queue { queue, .. } if queue == no)
    };
    state.subscriptions().filter(move |subscription| to_it(subscription)).map(|subscription| {
        let topic = state.topic(subscription.key.topic).map_or("", |topic| topic.name.as_str());
        format!("{topic}/{}", subscription.name)
    })
}

#[cfg(test)]
#[path = "message_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "message_tests.rs"]
pub(super) mod tests;
