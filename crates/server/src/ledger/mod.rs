//! The way into the ledger, and the thread that it lives on.
//!
//! Commands wait in bounded [lanes](Lane). The thread takes what has come while its last commit ran, commits it once,
//! and only then sends the replies; a full lane answers [`SubmitError::Busy`], or lets the loops wait.

mod lanes;
mod thread;

use std::sync::Arc;

use crate::caller;
use crate::space::Space;
use kernel::command::{Command, Refusal, Reply};
use kernel::time::Timestamp;
use store::Swept;
use tokio::sync::oneshot;

use lanes::Work;
pub(crate) use lanes::{LANE_LIMITS, Lanes};
pub(crate) use thread::{Committed, EXIT_RECOVER, spawn};

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
    /// The database did not take it, or its fate is unknown. The server's log has the reason.
    #[error("the command could not be committed")]
    Internal,
    /// The disk is nearly full; nothing happened.
    #[error("the server's disk is nearly full, and this needs room; remove what is not needed, and try again")]
    Full,
    /// The server is stopping; nothing happened.
    #[error("the server is stopping")]
    Stopping,
}

/// The way to submit commands. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LedgerHandle {
    lanes: Arc<Lanes>,
    space: Space,
}

/// A command on its way.
#[derive(Debug)]
pub(crate) struct Pending(oneshot::Receiver<Result<Reply, SubmitError>>);

impl LedgerHandle {
    pub(crate) fn new(lanes: Arc<Lanes>, space: Space) -> Self {
        Self { lanes, space }
    }

    /// Submits a command and waits for its commit. Who stops waiting does not stop the command.
    ///
    /// # Errors
    /// [`SubmitError`], each kind.
    pub async fn submit(&self, lane: Lane, command: Command) -> Result<Reply, SubmitError> {
        if self.space.is_full() && command.needs_room() {
            return Err(SubmitError::Full);
        }
        let (sender, receiver) = oneshot::channel();
        // The traffic of messages is no part of the audit trail.
        let command = if lane == Lane::Api { caller::named(command) } else { command };
        self.lanes.push(lane, Work::Command(command, sender))?;
        Pending(receiver).wait().await
    }

    /// Puts a command into its lane, waiting for room there, and on the disk for what needs it. Commands put in one
    /// after another keep their order.
    pub(crate) async fn queue(&self, lane: Lane, command: Command) -> Result<Pending, SubmitError> {
        if command.needs_room() {
            self.space.wait().await;
        }
        let (sender, receiver) = oneshot::channel();
        self.lanes.push_patiently(lane, Work::Command(command, sender)).await?;
        Ok(Pending(receiver))
    }

    /// Submits a command whose fate nobody waits for.
    ///
    /// # Errors
    /// [`SubmitError::Busy`] and [`SubmitError::Stopping`]: nothing happened.
    pub(crate) fn offer(&self, lane: Lane, command: Command) -> Result<(), SubmitError> {
        if self.space.is_full() && command.needs_room() {
            return Err(SubmitError::Busy);
        }
        let (sender, _) = oneshot::channel();
        self.lanes.push(lane, Work::Command(command, sender))
    }

    /// Submits a command, waiting for room and then for its commit.
    pub(crate) async fn submit_patiently(&self, lane: Lane, command: Command) -> Result<Reply, SubmitError> {
        self.queue(lane, command).await?.wait().await
    }

    /// Whether the server stops, so that nothing more is taken.
    pub(crate) fn is_stopping(&self) -> bool {
        self.lanes.is_stopping()
    }

    /// Has a chunk of rows removed whose time is over; with them finished jobs that ended at `jobs` or before.
    pub(crate) async fn sweep(&self, jobs: Timestamp) -> Result<Swept, SubmitError> {
        let (sender, receiver) = oneshot::channel();
        self.lanes.push_patiently(Lane::Background, Work::Sweep(jobs, sender)).await?;
        receiver.await.unwrap_or(Err(SubmitError::Stopping))
    }
}

impl Pending {
    /// Waits for the commit.
    pub(crate) async fn wait(self) -> Result<Reply, SubmitError> {
        // The ledger answers everything that it has taken, unless its thread is gone.
        self.0.await.unwrap_or(Err(SubmitError::Stopping))
    }
}
