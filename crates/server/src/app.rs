//! What every part of the server can reach.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::state::State;
use kernel::time::Timestamp;
use store::{Reader, StoreError};

use crate::clock;
use crate::console::Logins;
use crate::keys::Keys;
use crate::ledger::LedgerHandle;
use crate::machines::Machines;
use crate::readers::Readers;
use crate::settings::Settings;
use crate::signatures::Signatures;
use crate::tally::Tally;
use crate::wakes::QueueWakes;

/// The running server, as its parts see it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    /// Where commands go.
    pub ledger: LedgerHandle,
    /// Region, zones and instance types.
    pub settings: Arc<Settings>,
    /// Who may call.
    pub keys: Arc<Keys>,
    /// Requests that were made and may not be made again.
    pub(crate) signatures: Arc<Signatures>,
    /// Lets people into the console.
    pub(crate) logins: Arc<Logins>,
    /// Wake-ups for long polls.
    pub queue_wakes: Arc<QueueWakes>,
    /// The machines that joined.
    pub(crate) machines: Arc<Machines>,
    /// The folder with the outputs of instances; `agent::log_file` names what is in it.
    pub logs: Arc<Path>,
    pub(crate) state: Arc<StateCell>,
    /// What has happened since the start.
    pub(crate) tally: Arc<Tally>,
    pub(crate) readers: Readers,
}

impl App {
    /// The time.
    #[must_use]
    pub fn clock(&self) -> Timestamp {
        clock::now()
    }

    /// The state after the last commit: what is alive. A snapshot: cheap to have, and it does not change.
    #[must_use]
    pub fn state(&self) -> State {
        self.state.get()
    }

    /// Reads the store, on a thread that may block. Each call of the reader sees the last commit or a later one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.read(read).await
    }
}

/// Holds the state that was last committed, for those who want to look at it.
#[derive(Debug, Default)]
pub(crate) struct StateCell(Mutex<State>);

impl StateCell {
    pub(crate) fn new(state: State) -> Self {
        Self(Mutex::new(state))
    }

    pub(crate) fn get(&self) -> State {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, state: State) {
        let earlier = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), state);
        // What only the earlier state held is let go without the lock.
        drop(earlier);
    }
}
