//! What commands about queues need of their messages.

use kernel::command::Command;
use kernel::limits::{DEAD_LETTERS_AT_ONCE, EXPIRE_ROWS, REWIND_MESSAGES};
use kernel::queue::{MessageKey, Queue};
use kernel::state::{Row, RowKey};
use kernel::topic::StreamNo;

use super::work::Work;
use crate::error::StoreError;
use crate::writer::{KeptAfter, Store, VisibleAfter};

impl Work<'_> {
    pub(super) fn load_messages_for(&mut self, command: &Command, store: &mut dyn Store) -> Result<(), StoreError> {
        match command {
            Command::Receive { queue, max } => self.load_visible(queue, *max, store),
            Command::DeleteMessages { queue, handles } => {
                let Some(heap) = self.overlay.queue_named(queue).map(|queue| queue.heap) else { return Ok(()) };
                self.load_messages(heap, handles.iter().map(|handle| handle.seq()), store)
            }
            Command::ExpireMessages { queue, seqs } => {
                let Some(heap) = self.overlay.queue(*queue).map(|queue| queue.heap) else { return Ok(()) };
                self.load_messages(heap, seqs.iter().copied(), store)
            }
            Command::RewindQueue { name, to } => {
                let Some(queue) = self.overlay.queue_named(name).cloned() else { return Ok(()) };
                self.load_oldest(&queue, store)?;
                let Some(kept) = queue.kept else { return Ok(()) };
                self.load_kept(KeptAfter { heap: kept.heap, from: *to, after: 0 }, REWIND_MESSAGES, store)
            }
            Command::GoOnRewinding(queue) => {
                let Some(queue) = self.overlay.queue(*queue) else { return Ok(()) };
                let (Some(kept), Some(rewinding)) = (queue.kept, queue.rewinding) else { return Ok(()) };
                let after = KeptAfter { heap: kept.heap, from: rewinding.from, after: rewinding.after };
                self.load_kept(after, REWIND_MESSAGES, store)
            }
            Command::DropKept(queue) => {
                let Some(kept) = self.overlay.queue(*queue).and_then(|queue| queue.kept) else { return Ok(()) };
                self.load_kept(KeptAfter::first(kept.heap), EXPIRE_ROWS, store)
            }
            _ => Ok(()),
        }
    }

    /// Loads the head of a queue: `max` messages, beside those that have become dead letters.
    fn load_visible(&mut self, queue: &str, max: usize, store: &mut dyn Store) -> Result<(), StoreError> {
        let Some(queue) = self.overlay.queue_named(queue).cloned() else { return Ok(()) };
        if self.fresh.contains(&RowKey::Queue(queue.no)) {
            return Ok(());
        }
        let (mut want, mut loaded) = (max, 0);
        while want > 0 && loaded < max + DEAD_LETTERS_AT_ONCE {
            let after = match self.loaded.heads.get(&queue.heap) {
                Some(None) => return Ok(()),
                Some(Some(place)) => Some(*place),
                None => None,
            };
            let kept = queue.keeps_since(self.now);
            let from = VisibleAfter { heap: queue.heap, now: self.now, kept, after };
            let rows = store.visible_messages(from, want)?;
            let (full, mut place, mut dead) = (rows.len() >= want, None, 0);
            loaded += rows.len();
            for row in rows {
                if let Row::Message(message) = &row {
                    place = Some((message.visible, message.key.seq));
                    dead += usize::from(queue.is_dead(message, self.now));
                }
                self.take_message(row);
            }
            self.loaded.heads.insert(queue.heap, if full { place } else { None });
            want = dead;
        }
        Ok(())
    }

    fn load_messages(
        &mut self,
        heap: StreamNo,
        seqs: impl Iterator<Item = u64>,
        store: &mut dyn Store,
    ) -> Result<(), StoreError> {
        let seqs: Vec<u64> = seqs
            .filter(|seq| {
                let key = MessageKey { heap, seq: *seq };
                self.overlay.message(key).is_none() && !self.loaded.messages.contains(&key)
            })
            .collect();
        if seqs.is_empty() {
            return Ok(());
        }
        self.loaded.messages.extend(seqs.iter().map(|seq| MessageKey { heap, seq: *seq }));
        store.messages(heap, &seqs)?.into_iter().for_each(|row| self.take_message(row));
        Ok(())
    }

    /// Loads the oldest message that waits in a queue: the store's, or a later one when this batch has deleted that.
    fn load_oldest(&mut self, queue: &Queue, store: &mut dyn Store) -> Result<(), StoreError> {
        let deleted = loaded_of(&self.loaded.messages, queue.heap);
        let rows = store.oldest_messages(queue.heap, queue.keeps_since(self.now), deleted + 1)?;
        rows.into_iter().for_each(|row| self.take_message(row));
        Ok(())
    }

    /// Loads the next kept messages: so many that `most` of them are left, whatever this batch has done with some.
    fn load_kept(&mut self, after: KeptAfter, most: usize, store: &mut dyn Store) -> Result<(), StoreError> {
        let rows = store.kept_messages(after, most + loaded_of(&self.loaded.kept, after.heap))?;
        for row in rows {
            if let Row::Kept(message) = &row
                && self.loaded.kept.insert(message.key)
            {
                self.loaded.found.insert(RowKey::Kept(message.key));
                self.overlay.load(row);
            }
        }
        Ok(())
    }

    fn take_message(&mut self, row: Row) {
        if let Row::Message(message) = &row {
            self.loaded.messages.insert(message.key);
            self.loaded.found.insert(RowKey::Message(message.key));
        }
        self.overlay.load(row);
    }
}

fn loaded_of(loaded: &std::collections::BTreeSet<MessageKey>, heap: StreamNo) -> usize {
    let at = |seq| MessageKey { heap, seq };
    loaded.range(at(0)..=at(u64::MAX)).count()
}
