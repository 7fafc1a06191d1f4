//! Moving the write-ahead log into the database, beside the writer.

use rusqlite::Connection;

use crate::error::StoreError;
use crate::sqlite::connection::store_error;
use crate::sqlite::open::{Place, connect};

/// A log longer than this, in pages of 4 KiB, is emptied although the writer has to wait for it.
const LONG_LOG_PAGES: i64 = 16_384;

/// Moves the log into the database: as far as nobody has to wait, each time it is asked; all of it when the log has
/// become long. Under a load that never pauses a log that is moved only in passing never starts anew, and grows.
pub struct Checkpointer {
    connection: Connection,
}

/// What a checkpoint found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpointed {
    /// Pages in the log.
    pub log_pages: i64,
    /// How many of them are in the database now.
    pub moved_pages: i64,
}

impl Checkpointer {
    pub(super) fn open(place: &Place) -> Result<Self, StoreError> {
        Ok(Self { connection: connect(place)? })
    }

    /// Moves what can be moved. Call it every second or so while there are commits.
    ///
    /// # Errors
    /// When the database cannot be written. Nothing is lost: the log stays.
    pub fn run(&mut self) -> Result<Checkpointed, StoreError> {
        let done = self.checkpoint("passive")?;
        // What came in meanwhile is little, so that the writer waits but shortly.
        if done.log_pages > LONG_LOG_PAGES { self.checkpoint("restart") } else { Ok(done) }
    }

    fn checkpoint(&mut self, how: &str) -> Result<Checkpointed, StoreError> {
        let text = format!("pragma wal_checkpoint({how})");
        self.connection
            .query_row(&text, [], |row| Ok(Checkpointed { log_pages: row.get(1)?, moved_pages: row.get(2)? }))
            .map_err(store_error("move the write-ahead log into the database"))
    }
}

#[cfg(test)]
mod tests {
    use crate::batch::Batch;
    use crate::sqlite::SqliteStore;
    use crate::writer::Store as _;

    #[test]
    fn a_checkpoint_moves_what_was_committed() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(&folder.path().join("herald.db")).unwrap();
        let mut checkpointer = store.checkpointer().unwrap();
        store.commit(&Batch::default()).unwrap();
        let done = checkpointer.run().unwrap();
        assert!(done.log_pages > 0);
        assert_eq!(done.log_pages, done.moved_pages);
        store.commit(&Batch { expected: 1, ..Batch::default() }).unwrap();
        assert!(checkpointer.run().unwrap().log_pages <= done.log_pages, "an emptied log is written from its start");
    }
}
