//! Setting a queue back: deleted messages that are kept come again, in the order they were stored.
//!
//! They can be many, so they come in chunks, the first with the request itself. How far that is stands in the queue's
//! row ([`Rewinding`]), so a restart goes on from there. A consumer may receive and delete what is back already while
//! the rest is on its way: what it deletes lies behind that place, and stays deleted.

use std::sync::Arc;

use crate::change::What;
use crate::command::{Refusal, Reply};
use crate::decide::{Draft, queue};
use crate::limits;
use crate::queue::{KeptMessage, MessageKey, Queue, Rewinding};
use crate::time::Timestamp;
use crate::topic::StreamNo;

pub(super) fn rewind(draft: &mut Draft<'_>, name: &str, to: Timestamp) -> Result<Reply, Refusal> {
    let queue = queue::named(draft, name)?;
    if queue.kept.is_none() {
        return Err(Refusal::NoRewind(queue.name.clone()));
    }
    // Clients speak of seconds.
    let earliest = queue.rewinds_to(draft.now).seconds();
    let latest = oldest_waiting(draft, &queue).unwrap_or(draft.now).seconds();
    if to.seconds() < earliest || to.seconds() > latest {
        return Err(Refusal::RewindTime { asked: to.seconds(), earliest, latest });
    }
    draft.record(What::QueueRewinding(queue.no, Rewinding { at: draft.now, from: to, after: 0 }));
    Ok(go_on(draft, queue.no))
}

pub(super) fn go_on(draft: &mut Draft<'_>, no: StreamNo) -> Reply {
    let Some(queue) = draft.state.queue(no).cloned() else { return Reply::Done };
    let (Some(kept), Some(rewinding)) = (queue.kept, queue.rewinding) else { return Reply::Done };
    let next: Vec<Arc<KeptMessage>> = draft
        .state
        .kept_after(kept.heap, rewinding.after)
        .filter(|message| message.enqueued >= rewinding.from)
        .take(limits::REWIND_MESSAGES)
        .cloned()
        .collect();
    let earliest = queue.rewinds_to(draft.now);
    for message in &next {
        if message.deleted <= rewinding.at && message.enqueued > earliest {
            draft.record(What::MessageRewound(message.key));
        }
    }
    match next.last().filter(|_| next.len() == limits::REWIND_MESSAGES) {
        Some(last) => {
            let so_far = Rewinding { from: last.enqueued, after: last.key.seq, ..rewinding };
            draft.record(What::QueueRewinding(no, so_far));
        }
        None => draft.record(What::QueueRewound(no)),
    }
    Reply::Done
}

/// Drops kept messages that the queue cannot be set back to any more, or has no room for, the oldest first.
pub(super) fn drop_kept(draft: &mut Draft<'_>, no: StreamNo) -> Reply {
    let Some(queue) = draft.state.queue(no).cloned() else { return Reply::Done };
    let Some(kept) = queue.kept else { return Reply::Done };
    let oldest: Vec<(MessageKey, Timestamp)> = draft
        .state
        .kept_after(kept.heap, 0)
        .map(|message| (message.key, message.enqueued))
        .take(limits::EXPIRE_ROWS)
        .collect();
    for (key, enqueued) in oldest {
        let too_much = draft.state.queue(no).is_some_and(|queue| queue.keeps_too_much());
        if enqueued > queue.rewinds_to(draft.now) && !too_much {
            break;
        }
        draft.record(What::KeptDropped(key));
    }
    Reply::Done
}

/// When the oldest message was stored that waits in a queue.
fn oldest_waiting(draft: &Draft<'_>, queue: &Queue) -> Option<Timestamp> {
    let over = queue.keeps_since(draft.now);
    draft.state.messages_of(queue.heap).map(|message| message.enqueued).find(|enqueued| *enqueued > over)
}

#[cfg(test)]
#[path = "rewind_tests.rs"]
mod tests;
