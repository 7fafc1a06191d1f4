//! Wake-ups for those who wait for a message of a queue.
//!
//! A receiver listens first and looks afterwards, so that what arrives between the two wakes it. A wake-up is a hint:
//! it may come for nothing, and messages whose delay or visibility timeout ends come without one, so a receiver also
//! looks again from time to time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::topic::StreamNo;
use tokio::sync::Notify;

/// Who waits for which queue.
#[derive(Debug, Default)]
pub struct QueueWakes {
    bells: Mutex<BTreeMap<StreamNo, Bell>>,
}

#[derive(Debug, Default)]
struct Bell {
    notify: Arc<Notify>,
    listeners: usize,
}

/// Somebody who listens for messages of one queue.
#[derive(Debug)]
pub struct Listener {
    wakes: Arc<QueueWakes>,
    queue: StreamNo,
    notify: Arc<Notify>,
}

impl QueueWakes {
    /// Listens for messages of `queue`. What arrives from now on ends the next [`Listener::wait`].
    #[must_use]
    pub fn listen(self: &Arc<Self>, queue: StreamNo) -> Listener {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        let bell = bells.entry(queue).or_default();
        bell.listeners += 1;
        Listener { wakes: self.clone(), queue, notify: bell.notify.clone() }
    }

    /// Tells that `count` messages have come to `queue`: as many listeners wake.
    pub(crate) fn ring(&self, queue: StreamNo, count: usize) {
        let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get(&queue) {
            for _ in 0..count.min(bell.listeners) {
                bell.notify.notify_one();
            }
        }
    }

    /// Wakes all listeners: the server is stopping, as they find when they look.
    pub(crate) fn ring_all(&self) {
        let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        for bell in bells.values() {
            (0..bell.listeners).for_each(|_| bell.notify.notify_one());
        }
    }
}

impl Listener {
    /// Returns once a message may have come since this listener began, or since it last returned. Cancel-safe.
    pub async fn wait(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut bells = self.wakes.bells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get_mut(&self.queue) {
            bell.listeners -= 1;
            if bell.listeners == 0 {
                bells.remove(&self.queue);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::poll;

    const QUEUE: StreamNo = StreamNo(1);

    #[tokio::test]
    async fn what_comes_between_listening_and_waiting_wakes() {
        let wakes = Arc::new(QueueWakes::default());
        let listener = wakes.listen(QUEUE);
        wakes.ring(QUEUE, 1);
        listener.wait().await;
    }

    #[tokio::test]
    async fn one_message_wakes_one_listener() {
        let wakes = Arc::new(QueueWakes::default());
        let (one, other) = (wakes.listen(QUEUE), wakes.listen(QUEUE));
        let (mut one, mut other) = (Box::pin(one.wait()), Box::pin(other.wait()));
        assert!(poll(one.as_mut()).is_pending() && poll(other.as_mut()).is_pending());
        wakes.ring(QUEUE, 1);
        let woken = [poll(one.as_mut()).is_ready(), poll(other.as_mut()).is_ready()];
        assert_eq!(woken, [true, false]);
    }

    #[test]
    fn nothing_is_kept_for_queues_without_listeners() {
        let wakes = Arc::new(QueueWakes::default());
        let (one, other) = (wakes.listen(QUEUE), wakes.listen(QUEUE));
        drop(one);
        assert_eq!(wakes.bells.lock().unwrap().len(), 1);
        drop(other);
        wakes.ring(QUEUE, 1);
        assert_eq!(wakes.bells.lock().unwrap().len(), 0);
    }
}
