//! How queues change, but for the counts of what they hold.

use crate::change::What;
use crate::queue::{Kept, MessageKey, Queue};
use crate::state::{RowKey, State};
use crate::time::Timestamp;
use crate::topic::StreamNo;

/// Applies a change of a queue.
pub(super) fn evolve(state: &mut State, what: &What, at: Timestamp) {
    match what {
        What::QueueCreated(queue) => {
            state.index_queue(queue);
            state.dirty.insert(RowKey::Queue(queue.no));
            state.queues.put(queue.no, queue.clone());
        }
        What::QueueModified { queue: no, settings, dead_letter, kept } => {
            edit(state, *no, |queue| {
                queue.settings = *settings;
                queue.dead_letter = *dead_letter;
                queue.modified = at;
                if settings.rewind_s == 0 {
                    (queue.kept, queue.rewinding) = (None, None);
                }
                queue.kept = kept.map(Kept::none).or(queue.kept);
            });
        }
        What::QueueCleared { queue: no, heap, kept } => {
            edit(state, *no, |queue| {
                (queue.heap, queue.stored) = (*heap, 0);
                (queue.kept, queue.rewinding) = (kept.map(Kept::none), None);
            });
        }
        What::QueueRewinding(no, rewinding) => edit(state, *no, |queue| queue.rewinding = Some(*rewinding)),
        What::QueueRewound(no) => edit(state, *no, |queue| queue.rewinding = None),
        What::QueueDeleted(no) => deleted(state, *no),
        _ => {}
    }
}

/// Changes a queue. The rows under a number that it stores nothing under any more go: those that are not loaded as
/// what the number leaves behind.
fn edit(state: &mut State, no: StreamNo, edit: impl FnOnce(&mut Queue)) {
    state.dirty.insert(RowKey::Queue(no));
    let Some(queue) = state.queues.edit(&no) else { return };
    let before = (queue.heap, queue.kept.map(|kept| kept.heap));
    edit(queue);
    let queue = queue.clone();
    state.index_queue(&queue);
    if queue.heap != before.0 {
        drop_heap(state, before.0);
    }
    if let Some(kept) = before.1.filter(|kept| queue.kept.is_none_or(|now| now.heap != *kept)) {
        drop_kept_heap(state, kept);
    }
}

fn deleted(state: &mut State, no: StreamNo) {
    state.dirty.insert(RowKey::Queue(no));
    let Some(queue) = state.queues.remove(&no) else { return };
    state.index.queue_names.remove(&(queue.name.to_lowercase(), no));
    drop_heap(state, queue.heap);
    if let Some(kept) = queue.kept {
        drop_kept_heap(state, kept.heap);
    }
}

fn drop_heap(state: &mut State, heap: StreamNo) {
    state.index.heaps.remove(&heap);
    state.dirty.insert(RowKey::Heap(heap));
    let loaded: Vec<(MessageKey, Timestamp)> =
        state.messages_of(heap).map(|message| (message.key, message.visible)).collect();
    for (key, visible) in loaded {
        state.messages.remove(&key);
        state.dirty.insert(RowKey::Message(key));
        state.index.visible.remove(&(heap, visible, key.seq));
    }
}

fn drop_kept_heap(state: &mut State, heap: StreamNo) {
    state.index.heaps.remove(&heap);
    state.dirty.insert(RowKey::KeptHeap(heap));
    let loaded: Vec<MessageKey> = state.kept_after(heap, 0).map(|message| message.key).collect();
    for key in loaded {
        state.kept.remove(&key);
        state.dirty.insert(RowKey::Kept(key));
    }
}
