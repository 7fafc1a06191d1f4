//! What time makes due in queues. An index offers candidates; the commands that name them are decided like all others.

use std::sync::Arc;

use kernel::command::Command;
use kernel::limits::{DEAD_LETTERS_AT_ONCE, REWIND_MESSAGES};
use kernel::queue::{DeadLetterRule, Queue};
use kernel::state::Row;
use kernel::time::Timestamp;

use crate::error::StoreError;
use crate::writer::{KeptAfter, Store, VisibleAfter};

/// Commands for what is due in these queues, for about `limit` messages together; and the last queue looked at.
pub(super) fn due(
    store: &mut dyn Store,
    queues: &[Arc<Queue>],
    now: Timestamp,
    limit: usize,
) -> Result<(Vec<Command>, Option<Arc<Queue>>), StoreError> {
    let mut left = limit;
    let (mut commands, mut looked) = (Vec::new(), None);
    for queue in queues {
        looked = Some(queue.clone());
        if queue.rewinding.is_some() {
            commands.push(Command::GoOnRewinding(queue.no));
            left = left.saturating_sub(REWIND_MESSAGES);
        }
        let mut seqs = store.expired_messages(queue.heap, queue.over_since(now), left)?;
        seqs.extend(dead_at_head(store, queue, now)?);
        left = left.saturating_sub(seqs.len());
        if !seqs.is_empty() {
            commands.push(Command::ExpireMessages { queue: queue.no, seqs });
        }
        if drops_kept(store, queue, now)? {
            commands.push(Command::DropKept(queue.no));
            left = left.saturating_sub(REWIND_MESSAGES);
        }
        if left == 0 {
            break;
        }
    }
    Ok((commands, looked))
}

/// Places of messages at the head of a queue that were received as often as they may be: behind it are others that
/// have waited for less long, so their turn has not come.
fn dead_at_head(store: &mut dyn Store, queue: &Queue, now: Timestamp) -> Result<Vec<u64>, StoreError> {
    let by_receives = |rule| matches!(rule, DeadLetterRule::Receives { .. });
    if queue.stored == 0 || !queue.dead_letter.is_some_and(|bound| by_receives(bound.rule)) {
        return Ok(Vec::new());
    }
    let from = VisibleAfter { heap: queue.heap, now, kept: queue.keeps_since(now), after: None };
    let head = store.visible_messages(from, DEAD_LETTERS_AT_ONCE)?;
    let dead = head.into_iter().filter_map(|row| match row {
        Row::Message(message) if queue.is_dead(&message, now) => Some(message.key.seq),
        _ => None,
    });
    Ok(dead.collect())
}

/// Whether a queue keeps deleted messages that it need not keep.
fn drops_kept(store: &mut dyn Store, queue: &Queue, now: Timestamp) -> Result<bool, StoreError> {
    let Some(kept) = queue.kept.filter(|kept| kept.count > 0) else { return Ok(false) };
    if queue.keeps_too_much() {
        return Ok(true);
    }
    let oldest = store.kept_messages(KeptAfter::first(kept.heap), 1)?;
    let too_old = |row: &Row| matches!(row, Row::Kept(message) if message.enqueued <= queue.rewinds_to(now));
    Ok(oldest.iter().any(too_old))
}
