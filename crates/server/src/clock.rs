//! The time. It never goes back and never stands still: when somebody sets the system's clock back, this one goes on
//! as fast as time passes until the other has caught up, so that pauses, delays and timeouts end when they should.

use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use kernel::time::Timestamp;

/// The time.
pub(crate) fn now() -> Timestamp {
    CLOCK.lock().unwrap_or_else(PoisonError::into_inner).read(Instant::now(), wall())
}

/// Lets [`now`] go on from `then`, the time of the last commit before this start, if that is later.
pub(crate) fn go_on_from(then: Timestamp) {
    CLOCK.lock().unwrap_or_else(PoisonError::into_inner).read(Instant::now(), then);
}

/// The time by the system's clock, as others have it: what the time of a signature is compared with.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

static CLOCK: Mutex<Clock> = Mutex::new(Clock { anchor: None });

struct Clock {
    /// A moment by the clock that nobody sets, and the time that it was.
    anchor: Option<(Instant, Timestamp)>,
}

impl Clock {
    /// The time at `at`, when the system's clock shows `system`.
    fn read(&mut self, at: Instant, system: Timestamp) -> Timestamp {
        let running = self.anchor.map_or(system, |(then, time)| {
            let passed = at.saturating_duration_since(then).as_millis();
            time.plus_ms(u64::try_from(passed).unwrap_or(u64::MAX))
        });
        if system >= running {
            self.anchor = Some((at, system));
        }
        system.max(running)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_that_is_set_back_neither_goes_back_nor_stands_still() {
        let (mut clock, start) = (Clock { anchor: None }, Instant::now());
        let mut read = |ms: u64, system: i64| clock.read(start + Duration::from_millis(ms), Timestamp(system)).0;
        assert_eq!(read(0, 10_000), 10_000);
        assert_eq!(read(50, 10_050), 10_050);
        assert_eq!(read(60, 5_000), 10_060, "set back");
        assert_eq!(read(1_060, 6_000), 11_060);
        assert_eq!(read(1_070, 60_000), 60_000, "set forward");
        assert_eq!(read(1_075, 60_001), 60_005, "a little behind");
    }
}
