//! SQLite: one file, one writer, any number of readers.
//!
//! The journal is a write-ahead log and every commit waits for the disk (`synchronous = FULL`), so a commit is one
//! sync. The log is not moved into the database by the writer, which would make some commits many times as long as
//! the others: that is done beside it, on a connection of its own ([`Checkpointer`]).

mod checkpoint;
mod connection;
mod open;
#[cfg(test)]
mod plan_tests;
mod reader;

use std::path::Path;

use kernel::id::JobId;
use kernel::instance::InstanceKey;
use kernel::state::Row;
use kernel::task::TaskKey;
use kernel::time::Timestamp;
use kernel::topic::StreamNo;

use crate::batch::Batch;
use crate::engine::first;
use crate::error::{CommitError, OpenError, StoreError};
use crate::page::JobRows;
use crate::reader::Reader;
use crate::rows::ledger;
use crate::writer::{Cutoffs, KeptAfter, Loaded, Stamp, Store, Swept, VisibleAfter};
use crate::{load, read, sweep, write};
pub use checkpoint::{Checkpointed, Checkpointer};
use connection::Connection;
use open::Place;
use reader::SqliteReader;

/// The writing connection to a SQLite database.
pub struct SqliteStore {
    place: Place,
    connection: Connection,
}

impl SqliteStore {
    /// Opens the database in a file, makes it if there is none, and brings its schema up to date. Before an older
    /// schema is changed the file is copied to `<path>.v<schema>`.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::at(Place::file(path))
    }

    /// Copies the database in a file into another file, as it stands at one moment, while a server may write to it. The
    /// answer is the version of the ledger in the copy.
    ///
    /// # Errors
    /// [`OpenError`]: there is no database, it is damaged or of a later version, or the copy cannot be made.
    pub fn copy(path: &Path, copy: &Path) -> Result<u64, OpenError> {
        open::copy_aside(path, copy)
    }

    /// Opens a new database in memory, for tests. It lives as long as one of its connections.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_in_memory() -> Result<Self, OpenError> {
        Self::at(Place::memory())
    }

    /// A further writing connection to the same database, as a second server would have. The database was checked and
    /// brought up to date when this one was opened, and is not looked through again.
    ///
    /// # Errors
    /// When the connection cannot be opened.
    pub fn another(&self) -> Result<Self, StoreError> {
        let connection = Connection::new(open::connect(&self.place)?);
        Ok(Self { place: self.place.clone(), connection })
    }

    /// What moves the write-ahead log into the database.
    ///
    /// # Errors
    /// When the connection cannot be opened.
    pub fn checkpointer(&self) -> Result<Checkpointer, StoreError> {
        Checkpointer::open(&self.place)
    }

    fn at(place: Place) -> Result<Self, OpenError> {
        let connection = open::migrated(&place)?;
        Ok(Self { place, connection })
    }
}

impl Store for SqliteStore {
    fn load(&mut self) -> Result<Loaded, StoreError> {
        self.connection.reading("load the state", load::load)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), CommitError> {
        self.connection.writing("commit a batch", |engine| write::write(engine, batch))
    }

    fn stamp(&mut self) -> Result<Stamp, StoreError> {
        let row = self
            .connection
            .reading("read the ledger's version", |engine| first(engine, &ledger::select(), ledger::read))?;
        Ok(row.map_or(Stamp::default(), |row| Stamp { version: row.version, writer: row.writer }))
    }

    fn job(&mut self, id: JobId) -> Result<Option<JobRows>, StoreError> {
        self.connection.reading("load a job", |engine| read::job::job(engine, id))
    }

    fn failed_instances(&mut self, task: TaskKey, from: u32, limit: usize) -> Result<Vec<Row>, StoreError> {
        let operation = "load failed instances of a task";
        self.connection.reading(operation, |engine| read::instance::failed(engine, task, from, limit))
    }

    fn instance(&mut self, key: InstanceKey) -> Result<Option<Row>, StoreError> {
        let row = self.connection.reading("load an instance", |engine| read::instance::instance(engine, key))?;
        Ok(row.map(Row::Instance))
    }

    fn visible_messages(&mut self, after: VisibleAfter, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.connection.reading("load the head of a queue", |engine| load::visible(engine, after, limit))
    }

    fn messages(&mut self, heap: StreamNo, seqs: &[u64]) -> Result<Vec<Row>, StoreError> {
        self.connection.reading("load messages of a queue", |engine| load::messages(engine, heap, seqs))
    }

    fn oldest_messages(&mut self, heap: StreamNo, kept: Timestamp, limit: usize) -> Result<Vec<Row>, StoreError> {
        let operation = "load the oldest messages of a queue";
        self.connection.reading(operation, |engine| load::oldest(engine, heap, kept, limit))
    }

    fn kept_messages(&mut self, after: KeptAfter, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.connection.reading("load deleted messages", |engine| load::kept(engine, after, limit))
    }

    fn expired_messages(&mut self, heap: StreamNo, kept: Timestamp, limit: usize) -> Result<Vec<u64>, StoreError> {
        let operation = "look for messages over their retention";
        self.connection.reading(operation, |engine| read::queue::expired(engine, heap, kept, limit))
    }

    fn sweep(&mut self, cutoffs: &Cutoffs, limit: usize) -> Result<Swept, CommitError> {
        let operation = "remove old rows";
        self.connection.writing(operation, |engine| {
            sweep::sweep(engine, cutoffs, limit).map_err(|error| write::failed(error, operation))
        })
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(SqliteReader::new(open::reading(&self.place)?)))
    }
}
