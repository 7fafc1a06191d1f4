//! A few connections that read, shared by all who want to.

use std::sync::{Arc, Mutex, PoisonError};

use store::{Reader, StoreError};
use tokio::sync::Semaphore;

/// Readers, each used by one at a time on a thread that may block. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<Box<dyn Reader>>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(readers: Vec<Box<dyn Reader>>) -> Self {
        let turns = Arc::new(Semaphore::new(readers.len()));
        Self { idle: Arc::new(Mutex::new(readers)), turns }
    }

    /// Reads, once a reader is free.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = self.turns.clone().acquire_owned().await.expect("nobody closes the semaphore");
        let idle = self.idle.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut lent = Lent::take(&idle);
            let found = lent.reader().and_then(read);
            // First back, then the next one's turn.
            drop(lent);
            drop(turn);
            found
        });
        match reading.await {
            Ok(found) => found,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(StoreError::new("read: the server is stopping", "cancelled")),
            },
        }
    }
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").field("free", &self.turns.available_permits()).finish_non_exhaustive()
    }
}

/// A reader on loan; it goes back also when whoever has it panics.
struct Lent<'a> {
    idle: &'a Mutex<Vec<Box<dyn Reader>>>,
    reader: Option<Box<dyn Reader>>,
}

impl<'a> Lent<'a> {
    fn take(idle: &'a Mutex<Vec<Box<dyn Reader>>>) -> Self {
        let reader = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { idle, reader }
    }

    fn reader(&mut self) -> Result<&mut dyn Reader, StoreError> {
        match &mut self.reader {
            Some(reader) => Ok(reader.as_mut()),
            None => Err(StoreError::new("read: there is no reader", "as many turns as readers were given out")),
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        }
    }
}
