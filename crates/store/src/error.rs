//! What can go wrong with a store, told apart by what follows from it.

use std::path::PathBuf;

/// An operation of a store failed.
#[derive(Debug, thiserror::Error)]
#[error("failed to {operation}")]
pub struct StoreError {
    /// What was tried: completes "failed to ...".
    pub operation: &'static str,
    /// Why it failed.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl StoreError {
    /// An error of `operation`.
    pub fn new(operation: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { operation, source: source.into() }
    }
}

/// Why a commit did not, or may not, have taken effect.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Somebody else has committed since the state was loaded. Nothing was written: reload and decide again.
    #[error("the ledger is at version {found}, not where this batch began")]
    Conflict {
        /// The version that was found.
        found: u64,
    },
    /// The database refused a row of the batch. Nothing was written: the other commands of the batch may do without
    /// the one that led to it.
    #[error("the database refused the batch")]
    Refused {
        /// Which row, and why.
        #[source]
        source: StoreError,
    },
    /// The database could not be written for a reason that no row is to blame for: locked, full. Nothing was written.
    #[error("the database could not be written")]
    Unavailable {
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The commit itself failed, and may have taken effect: the version tells.
    #[error("the outcome of the commit is unknown")]
    Unknown {
        /// Why.
        #[source]
        source: StoreError,
    },
    /// What was written may not have reached the disk, and no later write proves anything about it: the process must
    /// exit and recover.
    #[error("the disk did not confirm the commit")]
    SyncFailed {
        /// Why.
        #[source]
        source: StoreError,
    },
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A later version of Herald has written it.
    #[error("the database has schema {found}, and this version knows none above {known}: use a newer Herald")]
    NewerSchema {
        /// The schema's number.
        found: i64,
        /// The highest that is known.
        known: i64,
    },
    /// What is in the file is not what was written: it was cut, or something else has changed it.
    #[error("the database is damaged ({found}): nothing is served from it; restore a backup with `herald restore`")]
    Damaged {
        /// What was found first.
        found: String,
    },
    /// The copy that is made before a migration could not be made. Nothing was changed.
    #[error("failed to copy the database to {} before its migration", path.display())]
    Copy {
        /// Where the copy should have gone.
        path: PathBuf,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The schema could not be brought up to date.
    #[error("failed to migrate the database")]
    Migrate {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It could not be opened or read.
    #[error(transparent)]
    Store(#[from] StoreError),
}
