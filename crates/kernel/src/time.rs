//! Moments and their order. The kernel never asks for the time; it is told.

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// A moment that never comes.
    pub const NEVER: Self = Self(i64::MAX);

    /// The moment `ms` milliseconds later.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// The moment `seconds` later.
    #[must_use]
    pub fn plus_s(self, seconds: u64) -> Self {
        self.plus_ms(seconds.saturating_mul(1000))
    }

    /// The moment `seconds` earlier.
    #[must_use]
    pub fn minus_s(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)))
    }

    /// Milliseconds from `earlier` to this moment; 0 when it is not later.
    #[must_use]
    pub fn since_ms(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// Whole seconds since 1970, rounded down, as CMQ writes times.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// What a server takes for the time: it never goes back and never stands still. When somebody sets the system's clock
/// back, this one goes on as fast as time passes until the other has caught up, so that pauses, delays and timeouts end
/// when they should.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    /// A moment by a clock that nobody sets, in milliseconds, and the time that it was.
    anchor: Option<(u64, Timestamp)>,
}

impl Clock {
    /// A clock that has not been read yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { anchor: None }
    }

    /// The time at `running_ms` by the clock that nobody sets, when the system's shows `system`.
    pub fn read(&mut self, running_ms: u64, system: Timestamp) -> Timestamp {
        let running = self.anchor.map_or(system, |(then, time)| time.plus_ms(running_ms.saturating_sub(then)));
        if system >= running {
            self.anchor = Some((running_ms, system));
        }
        system.max(running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_neither_goes_back_nor_stands_still() {
        let mut clock = Clock::new();
        let mut read = |running_ms: u64, system: i64| clock.read(running_ms, Timestamp(system)).0;
        assert_eq!(read(0, 10_000), 10_000);
        assert_eq!(read(50, 10_050), 10_050);
        assert_eq!(read(60, 5_000), 10_060, "set back");
        assert_eq!(read(1_060, 6_000), 11_060);
        assert_eq!(read(1_070, 60_000), 60_000, "set forward");
        assert_eq!(read(1_075, 60_001), 60_005, "a little behind");
    }
}
