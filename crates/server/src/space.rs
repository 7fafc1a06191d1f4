//! How much room the disk of the data folder has. When it is nearly full, nothing more is taken that needs room, until
//! there is some again: what is running goes on, and what nodes report waits with them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::statvfs::statvfs;
use tokio::sync::watch;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(1);
const MB: u64 = 1_000_000;
/// So much more than is to stay free there must be before there is room again, or a tenth more where that is less.
const MORE_MB: u64 = 100;

/// Whether the disk is nearly full. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Space(watch::Receiver<bool>);

impl Space {
    /// There is always room.
    pub(crate) fn endless() -> Self {
        Self::with(false)
    }

    /// Whether there is room never changes.
    pub(crate) fn with(is_full: bool) -> Self {
        Self(watch::channel(is_full).1)
    }

    /// Whether the disk is nearly full.
    pub(crate) fn is_full(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until there is room.
    pub(crate) async fn wait(&self) {
        // Whoever looked has gone: the server stops, and nothing is kept from its end.
        let _ = self.0.clone().wait_for(|is_full| !is_full).await;
    }
}

/// Looks at the disk now and then, for as long as it lives.
pub(crate) struct Watch {
    data: PathBuf,
    keep_mb: u64,
    sender: watch::Sender<bool>,
}

/// What is looked at, and what is told: at least `keep_mb` are to stay free; 0: nothing is looked at.
pub(crate) fn watch(data: &Path, keep_mb: u64) -> (Watch, Space) {
    let is_full = free_mb(data).is_some_and(|free| free < keep_mb);
    let (sender, receiver) = watch::channel(is_full);
    tell(is_full, false, keep_mb);
    (Watch { data: data.to_owned(), keep_mb, sender }, Space(receiver))
}

impl Watch {
    /// Looks until the server stops.
    pub(crate) async fn run(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(free) = free_mb(&self.data) else { continue };
            let was_full = *self.sender.borrow();
            let is_full = is_full(free, self.keep_mb, was_full);
            tell(is_full, was_full, self.keep_mb);
            self.sender.send_if_modified(|full| std::mem::replace(full, is_full) != is_full);
        }
    }
}

/// What was full is so until there is a little more than is to stay free: else each megabyte would turn it.
fn is_full(free_mb: u64, keep_mb: u64, was_full: bool) -> bool {
    let more = if was_full { (keep_mb / 10).min(MORE_MB) } else { 0 };
    free_mb < keep_mb.saturating_add(more)
}

fn tell(is_full: bool, was_full: bool, keep_mb: u64) {
    match (is_full, was_full) {
        (true, false) => tracing::error!(keep_mb, "the disk is nearly full: nothing is taken that needs room"),
        (false, true) => tracing::info!("the disk has room again"),
        _ => {}
    }
}

fn free_mb(data: &Path) -> Option<u64> {
    match statvfs(data) {
        Ok(found) => Some(found.blocks_available().saturating_mul(found.fragment_size()) / MB),
        Err(error) => {
            tracing::warn!(%error, "failed to find out how full the disk is");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_needs_a_tenth_more_to_have_room() {
        for (free, was_full, expected) in
            [(499, false, true), (500, false, false), (549, true, true), (550, true, false), (0, false, true)]
        {
            assert_eq!(is_full(free, 500, was_full), expected, "{free} {was_full}");
        }
        assert!(!is_full(0, 0, false), "nothing is to stay free");
    }

    #[tokio::test]
    async fn this_disk_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!watch(folder.path(), 0).1.is_full());
        let (_watch, space) = watch(folder.path(), u64::MAX / 2);
        assert!(space.is_full());
        Space::endless().wait().await;
    }
}
