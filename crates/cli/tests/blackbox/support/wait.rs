//! Waiting for a fact.

use std::time::{Duration, Instant};

/// How long a fact may take before a test gives up: far longer than on a loaded machine with slow disks.
pub(crate) const DEADLINE: Duration = Duration::from_secs(180);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(40);

/// Looks until there is something to see, and returns it.
///
/// The state of a server is seen only by asking it, as its users do; so this looks again and again, with a pause that
/// leaves the processor to the server. Facts that are announced (a callback, a message in a queue) are waited for
/// where they arrive, not here.
///
/// # Panics
/// After [`DEADLINE`], naming what was waited for.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(fact) = look() {
            return fact;
        }
        assert!(start.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain: {what}");
        std::thread::sleep(PAUSE);
    }
}
