//! The loop that removes what is over its time: messages, attempts, finished jobs, and what deleted things have left
//! behind; and the folders of jobs that are gone.
//!
//! Rows go in chunks, in the background lane, so that nothing else waits long for them.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::id::JobId;
use kernel::time::Timestamp;
use tokio::time::MissedTickBehavior;

use crate::App;
use crate::effects::Signals;
use crate::ledger::SubmitError;

/// How often rows are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// The pause between two chunks, for others.
const PAUSE: Duration = Duration::from_millis(20);
/// The pause after a failure.
const TROUBLE: Duration = Duration::from_secs(30);
/// How often folders are looked for whose jobs are gone: those that a signal was lost for.
const FOLDERS: Duration = Duration::from_secs(3_600);

/// The loop's means.
#[derive(Clone)]
pub(crate) struct Expiry {
    pub(crate) app: App,
    pub(crate) signals: Arc<Signals>,
    /// How long finished jobs are kept.
    pub(crate) keep_jobs: Duration,
}

impl Expiry {
    /// Runs the loop; it does not end by itself.
    pub(crate) async fn run(self) {
        tokio::join!(self.remove_rows(), self.remove_erased(), self.remove_stray_folders());
    }

    async fn remove_rows(&self) {
        loop {
            let rest = match self.app.ledger.sweep(self.jobs_ended()).await {
                Ok(swept) => {
                    self.remove_folders(swept.jobs).await;
                    if swept.more { PAUSE } else { LOOK }
                }
                Err(SubmitError::Stopping) => return,
                Err(_) => TROUBLE,
            };
            tokio::time::sleep(rest).await;
        }
    }

    /// Finished jobs that ended at this moment or before go.
    fn jobs_ended(&self) -> Timestamp {
        let keep_ms = i64::try_from(self.keep_jobs.as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.app.clock().0.saturating_sub(keep_ms))
    }

    async fn remove_erased(&self) {
        loop {
            let jobs = self.signals.erased.next().await;
            self.remove_folders(jobs.into_iter().collect()).await;
        }
    }

    async fn remove_stray_folders(&self) {
        let mut looks = tokio::time::interval(FOLDERS);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let logs = self.app.logs.clone();
            let listed = tokio::task::spawn_blocking(move || list(&logs)).await;
            let Ok(Ok(jobs)) = listed else {
                tracing::warn!(?listed, "failed to list the folders of jobs");
                continue;
            };
            for job in jobs {
                // Only a job that the database surely does not have.
                if let Ok(None) = self.app.read(move |reader| reader.job(job)).await {
                    self.remove_folders(vec![job]).await;
                }
            }
        }
    }

    async fn remove_folders(&self, jobs: Vec<JobId>) {
        if jobs.is_empty() {
            return;
        }
        let logs = self.app.logs.clone();
        let remove = move || {
            for job in jobs {
                match std::fs::remove_dir_all(folder(&logs, job)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        tracing::warn!(%job, %error, "failed to remove the folder of a job's outputs");
                    }
                    _ => {}
                }
            }
        };
        // Cancelled only with the server; then the folders are found at its next start.
        let _ = tokio::task::spawn_blocking(remove).await;
    }
}

/// The folder of a job's outputs.
fn folder(logs: &Path, job: JobId) -> std::path::PathBuf {
    logs.join(job.to_string())
}

/// The jobs that have folders.
fn list(logs: &Path) -> io::Result<Vec<JobId>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(logs)? {
        found.extend(entry?.file_name().to_str().and_then(|name| name.parse::<JobId>().ok()));
    }
    Ok(found)
}
