//! Moving the write-ahead log into the database, on a thread beside the ledger's.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use store::sqlite::Checkpointer;

use crate::chain::Chain;

/// How often the log is moved.
const EACH: Duration = Duration::from_secs(1);

/// The running thread.
pub(crate) struct Running {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

/// Starts the thread.
pub(crate) fn start(mut checkpointer: Checkpointer) -> std::io::Result<Running> {
    let (stop, stopped) = mpsc::channel();
    let body = move || {
        while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(EACH) {
            if let Err(error) = checkpointer.run() {
                // Nothing is lost: the log stays, and grows.
                tracing::warn!(error = %Chain(&error), "failed to move the write-ahead log");
            }
        }
    };
    let thread = std::thread::Builder::new().name("checkpoints".into()).spawn(body)?;
    Ok(Running { stop, thread })
}

impl Running {
    /// Ends the thread.
    pub(crate) fn stop(self) {
        drop(self.stop);
        // One that panicked has said so.
        let _ = self.thread.join();
    }
}
