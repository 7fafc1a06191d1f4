//! Moments as users read them: UTC, whole seconds, `2018-06-15T14:43:17Z`.

use std::fmt;

use kernel::time::Timestamp;
use serde::{Serialize, Serializer};

/// A moment, written in UTC with whole seconds, rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utc(pub Timestamp);

/// The moment that a text of such a form names; other offsets than UTC's are told by `+08:00` in the place of `Z`.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(moment.as_millisecond()))
}

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

    #[test]
    fn moments_are_read() {
        for (text, ms) in [
            ("2018-06-15T14:43:17Z", Some(1_529_073_797_000)),
            ("2018-06-15T22:43:17.5+08:00", Some(1_529_073_797_500)),
            ("2018-06-15T14:43:17", None),
            ("2018-06-15", None),
            ("1529073797", None),
            ("", None),
        ] {
            assert_eq!(parse(text), ms.map(Timestamp), "{text}");
        }
    }
}
