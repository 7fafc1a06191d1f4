//! What every part of the server can reach.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use kernel::state::State;
use kernel::time::Timestamp;

use crate::keys::Keys;
use crate::ledger::LedgerHandle;
use crate::settings::Settings;
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
    /// Wake-ups for long polls.
    pub queue_wakes: Arc<QueueWakes>,
    /// The folder with the outputs of instances; `agent::paths` names what is in it.
    pub logs: Arc<Path>,
}

impl App {
    /// The time.
    #[must_use]
    pub fn clock(&self) -> Timestamp {
        now()
    }

    /// The state after the last commit. A snapshot: cheap to have, and it does not change.
    #[must_use]
    pub fn state(&self) -> State {
        State::default()
    }
}

/// The time by the system's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
