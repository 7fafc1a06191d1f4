//! Moving the write-ahead log into the database, on a thread beside the ledger's, which also sees to it that the
//! database is still where it was: what is committed to a removed file is gone with the process.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use store::sqlite::Checkpointer;

use crate::chain::Chain;
use crate::ledger::EXIT_RECOVER;

/// How often the log is moved.
const EACH: Duration = Duration::from_secs(1);

/// The running thread.
pub(crate) struct Running {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

/// Starts the thread.
pub(crate) fn start(mut checkpointer: Checkpointer, database: PathBuf) -> std::io::Result<Running> {
    let opened = identity(&database)?;
    let (stop, stopped) = mpsc::channel();
    let body = move || {
        while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(EACH) {
            if identity(&database).ok() != Some(opened) {
                tracing::error!(database = %database.display(), "the database has been moved or removed; the process ends");
                std::process::exit(EXIT_RECOVER);
            }
            if let Err(error) = checkpointer.run() {
                // Nothing is lost: the log stays, and grows.
                tracing::warn!(error = %Chain(&error), "failed to move the write-ahead log");
            }
        }
    };
    let thread = std::thread::Builder::new().name("checkpoints".into()).spawn(body)?;
    Ok(Running { stop, thread })
}

/// Which file this is.
fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    let found = std::fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

impl Running {
    /// Ends the thread.
    pub(crate) fn stop(self) {
        drop(self.stop);
        // One that panicked has said so.
        let _ = self.thread.join();
    }
}
