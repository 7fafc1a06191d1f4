//! The time: that of the system's clock, by the rule of [`Clock`] when somebody sets that.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use kernel::time::{Clock, Timestamp};

/// The time.
pub(crate) fn now() -> Timestamp {
    read(wall())
}

/// Lets [`now`] go on from `then`, the time of the last commit before this start, if that is later.
pub(crate) fn go_on_from(then: Timestamp) {
    read(then);
}

/// The time by the system's clock, as others have it: what the time of a signature is compared with.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn read(system: Timestamp) -> Timestamp {
    /// The clock that nobody sets runs from here.
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    static CLOCK: Mutex<Clock> = Mutex::new(Clock::new());
    let mut clock = CLOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let running_ms = u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX);
    clock.read(running_ms, system)
}
