//! Dead letters: messages that nobody can deal with move to another queue, in one commit with what they leave.

use std::sync::Arc;

use crate::change::What;
use crate::command::Refusal;
use crate::decide::Draft;
use crate::limits;
use crate::queue::{DeadLetter, DeadLetterRule, MessageKey, Origin, Queue, QueueMessage};
use crate::topic::StreamNo;

/// The binding of the queue called `name` to another; `no` is its number, if it exists already.
pub(super) fn bound(
    draft: &Draft<'_>,
    no: Option<StreamNo>,
    name: &str,
    to: &str,
    rule: DeadLetterRule,
    retention_s: u64,
) -> Result<DeadLetter, Refusal> {
    let refuse = |reason: &'static str| Refusal::BadDeadLetterQueue { queue: to.to_owned(), reason };
    if name.to_lowercase() == to.to_lowercase() {
        return Err(refuse("a queue cannot take its own dead letters"));
    }
    let target = draft.state.queue_named(to).ok_or_else(|| Refusal::NoDeadLetterQueue(to.to_owned()))?;
    if target.dead_letter.is_some() {
        return Err(refuse("it has a dead-letter queue itself"));
    }
    if no.is_some_and(|no| draft.state.dead_letter_sources(no).next().is_some()) {
        return Err(refuse("the queue to be bound takes the dead letters of others"));
    }
    let others = draft.state.dead_letter_sources(target.no).filter(|source| Some(source.no) != no).count();
    if others >= limits::DEAD_LETTER_SOURCES {
        return Err(refuse("it takes the dead letters of as many queues as are allowed, 6"));
    }
    check_age(Some(rule), retention_s)?;
    Ok(DeadLetter { queue: target.no, rule })
}

/// Refuses an age that no message reaches.
pub(super) fn check_age(rule: Option<DeadLetterRule>, retention_s: u64) -> Result<(), Refusal> {
    match rule {
        Some(DeadLetterRule::Age { seconds }) if seconds >= retention_s => {
            Err(Refusal::AgeOverRetention { age_s: seconds, retention_s })
        }
        _ => Ok(()),
    }
}

/// Moves a message to the queue that takes its queue's dead letters, if it has become one and that queue has room:
/// a message is rather received once more than lost. Says whether it has moved.
pub(super) fn bury(draft: &mut Draft<'_>, queue: &Queue, message: &QueueMessage) -> bool {
    if !queue.is_dead(message, draft.now) {
        return false;
    }
    let target = queue.dead_letter.and_then(|bound| draft.state.queue(bound.queue)).cloned();
    let Some(target) = target.filter(|target| target.room() > 0) else { return false };
    let origin = message.origin.clone().unwrap_or_else(|| {
        Arc::new(Origin {
            msg_id: message.msg_id().0,
            queue: queue.name.clone(),
            enqueued: message.enqueued,
            dequeues: message.dequeues,
        })
    });
    draft.record(What::MessageDeleted(message.key));
    draft.record(What::MessageStored(QueueMessage {
        key: MessageKey { heap: target.heap, seq: target.next_seq },
        body: message.body.clone(),
        enqueued: draft.now,
        visible: draft.now,
        first_dequeued: None,
        dequeues: 0,
        receipt: 0,
        origin: Some(origin),
    }));
    true
}

#[cfg(test)]
#[path = "dead_letter_tests.rs"]
mod tests;
