//! Whether commits go through, for `/readyz`, and how many did, for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A commit that takes longer has stopped, as far as readiness goes.
const SLOW: Duration = Duration::from_secs(5);
/// How long trouble counts when nothing has been committed since.
const TROUBLED: Duration = Duration::from_secs(10);

/// The ledger's pulse.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    beat: Mutex<Beat>,
    commits: AtomicU64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Beat {
    /// When the batch began that is being committed.
    began: Option<Instant>,
    /// When a commit last failed, if none has succeeded since.
    troubled: Option<Instant>,
}

/// Why the server is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotReady {
    #[error("a commit takes longer than {} s", SLOW.as_secs())]
    Slow,
    #[error("the last commit failed")]
    Troubled,
}

impl Pulse {
    pub(crate) fn begin(&self) {
        self.edit(|beat| beat.began = Some(Instant::now()));
    }

    pub(crate) fn end(&self) {
        self.edit(|beat| beat.began = None);
    }

    pub(crate) fn trouble(&self) {
        self.edit(|beat| beat.troubled = Some(Instant::now()));
    }

    pub(crate) fn well(&self) {
        self.edit(|beat| beat.troubled = None);
    }

    /// So many batches have been committed since the database began.
    pub(crate) fn committed(&self, commits: u64) {
        self.commits.store(commits, Ordering::Relaxed);
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Whether commits go through at `now`.
    pub(crate) fn check(&self, now: Instant) -> Result<(), NotReady> {
        let beat = *self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        if beat.began.is_some_and(|began| now.saturating_duration_since(began) > SLOW) {
            return Err(NotReady::Slow);
        }
        if beat.troubled.is_some_and(|troubled| now.saturating_duration_since(troubled) <= TROUBLED) {
            return Err(NotReady::Troubled);
        }
        Ok(())
    }

    fn edit(&self, edit: impl FnOnce(&mut Beat)) {
        edit(&mut self.beat.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_does_not_end_is_not_ready() {
        let pulse = Pulse::default();
        pulse.begin();
        let now = Instant::now();
        assert_eq!(pulse.check(now), Ok(()));
        assert_eq!(pulse.check(now + SLOW * 2), Err(NotReady::Slow));
        pulse.end();
        assert_eq!(pulse.check(now + SLOW * 2), Ok(()));
    }

    #[test]
    fn trouble_lasts_until_a_commit_succeeds_or_is_long_past() {
        let pulse = Pulse::default();
        pulse.trouble();
        let now = Instant::now();
        assert_eq!(pulse.check(now), Err(NotReady::Troubled));
        assert_eq!(pulse.check(now + TROUBLED * 2), Ok(()));
        pulse.well();
        assert_eq!(pulse.check(now), Ok(()));
    }
}
