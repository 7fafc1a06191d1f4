//! Messages of queues: sent, received, deleted, over their time.

use std::sync::Arc;

use rand::RngExt;

use crate::change::What;
use crate::command::{Refusal, Reply};
use crate::decide::queue::named;
use crate::decide::{Draft, dead_letter, topic};
use crate::limits;
use crate::mistake::Mistake;
use crate::queue::{Handle, MessageKey, QueueMessage};
use crate::time::Timestamp;
use crate::topic::{MsgId, StreamNo};

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
    let (heap, seq) = draft.state.queue(queue).map_or((queue, 0), |queue| (queue.heap, queue.next_seq));
    draft.record(What::MessageStored(QueueMessage {
        key: MessageKey { heap, seq },
        body,
        enqueued: draft.now,
        visible,
        first_dequeued: None,
        dequeues: 0,
        receipt: 0,
        origin: None,
    }));
    MsgId::new(heap, seq)
}

pub(super) fn receive(draft: &mut Draft<'_>, queue: &str, max: usize) -> Result<Reply, Refusal> {
    let queue = named(draft, queue)?;
    let kept = queue.keeps_since(draft.now);
    // Dead letters among them move instead.
    let beside = if queue.dead_letter.is_some() { limits::DEAD_LETTERS_AT_ONCE } else { 0 };
    let candidates: Vec<Arc<QueueMessage>> = draft
        .state
        .visible(queue.heap, draft.now)
        .filter(|message| message.enqueued > kept)
        .take(max + beside)
        .cloned()
        .collect();
    let mut keys: Vec<MessageKey> = Vec::with_capacity(max);
    for message in candidates {
        if keys.len() == max {
            break;
        }
        if !dead_letter::bury(draft, &queue, &message) {
            keys.push(message.key);
        }
    }
    let visible = draft.now.plus_s(queue.settings.visibility_s);
    for key in &keys {
        let receipt = draft.rng.random_range(1..=Handle::RECEIPT_MAX);
        draft.record(What::MessageReceived { key: *key, visible, receipt });
    }
    Ok(Reply::Received(keys.iter().filter_map(|key| draft.state.message(*key).cloned()).collect()))
}

pub(super) fn delete(draft: &mut Draft<'_>, queue: &str, handles: &[Handle]) -> Result<Reply, Refusal> {
    let queue = named(draft, queue)?;
    let mut deleted = Vec::with_capacity(handles.len());
    for handle in handles {
        let key = MessageKey { heap: queue.heap, seq: handle.seq() };
        let valid = draft.state.message(key).is_some_and(|message| {
            message.receipt != 0 && message.receipt == handle.receipt() && draft.now < message.visible
        });
        if valid && !draft.errs(Mistake::DeleteNothing) {
            let keeps = queue.kept.is_some();
            draft.record(if keeps { What::MessageKept(key) } else { What::MessageDeleted(key) });
        }
        deleted.push(valid);
    }
    Ok(Reply::Deleted(deleted))
}

/// Moves those of the messages that have become dead letters, and removes those that are over their retention.
pub(super) fn expire(draft: &mut Draft<'_>, queue: StreamNo, seqs: &[u64]) -> Reply {
    let Some(queue) = draft.state.queue(queue).cloned() else { return Reply::Done };
    let kept = queue.keeps_since(draft.now);
    for seq in seqs {
        let Some(message) = draft.state.message(MessageKey { heap: queue.heap, seq: *seq }).cloned() else { continue };
        if !dead_letter::bury(draft, &queue, &message) && message.enqueued <= kept {
            draft.record(What::MessageDeleted(message.key));
        }
    }
    Reply::Done
}

#[cfg(test)]
#[path = "message_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "message_tests.rs"]
pub(super) mod tests;
