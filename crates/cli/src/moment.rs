//! A moment as a user types it.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

/// A moment: `2026-11-26T08:00:00Z`, seconds since 1970, or how long ago: `90s`, `10m`, `2h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(Timestamp);

impl Moment {
    /// In milliseconds since 1970.
    pub(crate) fn ms(self) -> i64 {
        self.0.as_millisecond()
    }

    fn read(text: &str, now: Timestamp) -> Result<Self, &'static str> {
        const RULE: &str =
            "expected a time such as 2026-11-26T08:00:00Z, seconds since 1970, or how long ago, such as 10m";
        if let Ok(seconds) = text.parse() {
            return Timestamp::from_second(seconds).map(Self).map_err(|_| RULE);
        }
        if let Ok(at) = text.parse() {
            return Ok(Self(at));
        }
        let ago: SignedDuration = text.parse().map_err(|_| RULE)?;
        now.checked_sub(ago.abs()).map(Self).map_err(|_| RULE)
    }
}

impl FromStr for Moment {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, &'static str> {
        Self::read(text, Timestamp::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let now: Timestamp = "2026-11-26T08:00:00Z".parse().unwrap();
        let read = |text| Moment::read(text, now).map(|moment| moment.0.to_string());
        assert_eq!(read("2026-11-26T07:00:00+01:00"), Ok("2026-11-26T06:00:00Z".into()));
        assert_eq!(read("10m"), Ok("2026-11-26T07:50:00Z".into()));
        assert_eq!(read("1h 30m"), Ok("2026-11-26T06:30:00Z".into()));
        assert_eq!(read("1700000000"), Ok("2023-11-14T22:13:20Z".into()));
        for bad in ["", "yesterday", "10 parsecs", "2026-13-01T00:00:00Z"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
