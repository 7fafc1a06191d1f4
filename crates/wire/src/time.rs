//! Moments as users read them: UTC, whole seconds, `2018-06-15T14:43:17Z`.

use std::fmt;

use kernel::time::Timestamp;
use serde::{Serialize, Serializer};

/// A moment, written in UTC with whole seconds, rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utc(pub Timestamp);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A moment that no calendar has is written as the last one that it has.
        let moment = jiff::Timestamp::from_second(self.0.seconds()).unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{moment:.0}")
    }
}

impl Serialize for Utc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_whole_seconds_in_utc() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_529_073_797_999, "2018-06-15T14:43:17Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (i64::MAX, "9999-12-30T22:00:00Z"),
        ] {
            assert_eq!(Utc(Timestamp(ms)).to_string(), text);
        }
    }
}
