//! Queues: made, changed, emptied, deleted. What they hold is in [`message`](super::message).

use std::sync::Arc;

use crate::change::What;
use crate::command::{NewDeadLetter, QueueEdit, Refusal, Reply};
use crate::decide::{Draft, dead_letter, topic};
use crate::id::QueueId;
use crate::limits;
use crate::queue::{Kept, Queue, QueueSettings};
use crate::state::State;
use crate::subscription::{Endpoint, Subscription};
use crate::topic::StreamNo;

/// A queue to be made.
pub(super) struct NewQueue {
    pub(super) name: String,
    pub(super) settings: QueueSettings,
    pub(super) dead_letter: Option<NewDeadLetter>,
    pub(super) tags: Vec<(String, String)>,
}

pub(super) fn create(draft: &mut Draft<'_>, new: NewQueue) -> Result<Reply, Refusal> {
    let NewQueue { name, settings, dead_letter, tags } = new;
    if let Some(other) = draft.state.queue_named(&name) {
        return Err(Refusal::QueueExists(other.name.clone()));
    }
    if draft.state.queues.len() >= limits::QUEUES {
        return Err(Refusal::TooManyQueues(limits::QUEUES));
    }
    check(&settings)?;
    let dead_letter = dead_letter
        .map(|new| dead_letter::bound(draft, None, &name, &new.queue, new.rule, settings.retention_s))
        .transpose()?;
    let id = QueueId::draw(draft.rng);
    let [no, other] = topic::next_streams(draft)?;
    let kept = (settings.rewind_s > 0).then(|| Kept::none(other));
    let now = draft.now;
    draft.record(What::QueueCreated(Queue {
        no,
        id,
        name,
        settings,
        dead_letter,
        heap: no,
        next_seq: 1,
        stored: 0,
        kept,
        rewinding: None,
        tags,
        created: now,
        modified: now,
    }));
    Ok(Reply::Queue(id))
}

pub(super) fn modify(draft: &mut Draft<'_>, name: &str, edit: QueueEdit) -> Result<Reply, Refusal> {
    let queue = named(draft, name)?;
    let old = queue.settings;
    let settings = QueueSettings {
        max_messages: edit.max_messages.unwrap_or(old.max_messages),
        polling_wait_s: edit.polling_wait_s.unwrap_or(old.polling_wait_s),
        visibility_s: edit.visibility_s.unwrap_or(old.visibility_s),
        max_msg_bytes: edit.max_msg_bytes.unwrap_or(old.max_msg_bytes),
        retention_s: edit.retention_s.unwrap_or(old.retention_s),
        rewind_s: edit.rewind_s.unwrap_or(old.rewind_s),
        kept_max_bytes: edit.kept_max_bytes.unwrap_or(old.kept_max_bytes),
        trace: edit.trace.unwrap_or(old.trace),
    };
    check(&settings)?;
    let dead_letter = match (edit.dead_letter_queue, edit.dead_letter_rule) {
        (None, None) => queue.dead_letter,
        (to, rule) => {
            let old = queue.dead_letter;
            let bound = old.and_then(|old| draft.state.queue(old.queue)).map(|queue| queue.name.clone());
            let to = to.or(bound).ok_or_else(|| Refusal::NotBound(queue.name.clone()))?;
            let rule = rule.or(old.map(|old| old.rule)).ok_or_else(|| Refusal::NoDeadLetterRule(queue.name.clone()))?;
            Some(dead_letter::bound(draft, Some(queue.no), &queue.name, &to, rule, settings.retention_s)?)
        }
    };
    dead_letter::check_age(dead_letter.map(|bound| bound.rule), settings.retention_s)?;
    let begins_to_keep = settings.rewind_s > 0 && queue.kept.is_none();
    let kept = begins_to_keep.then(|| topic::next_streams(draft).map(|[kept, _]| kept)).transpose()?;
    if settings != queue.settings || dead_letter != queue.dead_letter {
        draft.record(What::QueueModified { queue: queue.no, settings, dead_letter, kept });
    }
    Ok(Reply::Done)
}

pub(super) fn unbind(draft: &mut Draft<'_>, name: &str) -> Result<Reply, Refusal> {
    let queue = named(draft, name)?;
    if queue.dead_letter.is_none() {
        return Err(Refusal::NotBound(queue.name.clone()));
    }
    let settings = queue.settings;
    draft.record(What::QueueModified { queue: queue.no, settings, dead_letter: None, kept: None });
    Ok(Reply::Done)
}

/// Gives the queue new numbers to store messages under: a small commit, however many messages that leaves behind.
pub(super) fn clear(draft: &mut Draft<'_>, name: &str) -> Result<Reply, Refusal> {
    let queue = named(draft, name)?;
    let [heap, other] = topic::next_streams(draft)?;
    let kept = queue.kept.map(|_| other);
    draft.record(What::QueueCleared { queue: queue.no, heap, kept });
    Ok(Reply::Done)
}

pub(super) fn delete(draft: &mut Draft<'_>, name: &str) -> Result<Reply, Refusal> {
    let queue = named(draft, name)?;
    let by = topic::list(subscriptions_to(&draft.state, queue.no));
    if !by.is_empty() {
        return Err(Refusal::QueueInUse { queue: queue.name.clone(), by });
    }
    let by = topic::list(draft.state.dead_letter_sources(queue.no).map(|source| source.name.clone()));
    if !by.is_empty() {
        return Err(Refusal::DeadLetterQueueInUse { queue: queue.name.clone(), by });
    }
    draft.record(What::QueueDeleted(queue.no));
    Ok(Reply::Done)
}

/// The queue that a request names.
pub(super) fn named(draft: &Draft<'_>, name: &str) -> Result<Arc<Queue>, Refusal> {
    draft.state.queue_named(name).cloned().ok_or_else(|| Refusal::NoQueue(name.to_owned()))
}

fn check(settings: &QueueSettings) -> Result<(), Refusal> {
    let QueueSettings { rewind_s, retention_s, .. } = *settings;
    if rewind_s > retention_s { Err(Refusal::RewindOverRetention { rewind_s, retention_s }) } else { Ok(()) }
}

/// Subscriptions that deliver to a queue, or give their dead letters to it, as `topic/subscription`.
fn subscriptions_to(state: &State, no: StreamNo) -> impl Iterator<Item = String> {
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
#[path = "queue_tests.rs"]
mod tests;
