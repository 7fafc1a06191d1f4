//! Moments and places as users write them on the command line.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};

/// A place in a topic, or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// The place, from 1.
    Place(u64),
    /// Unix milliseconds.
    Time(i64),
}

/// Reads `At`: a number is a place, all else a time.
///
/// # Errors
/// What would be right, in words.
pub(crate) fn at(text: &str) -> Result<At, String> {
    if let Ok(place) = text.parse::<u64>() {
        return if place == 0 { Err("places begin at 1".to_owned()) } else { Ok(At::Place(place)) };
    }
    time(text).map(At::Time).map_err(|wrong| format!("a place (a number), or {wrong}"))
}

/// Reads a time: `2018-06-15T14:43:17Z`, the same without a zone for the user's own, or `90m`, `1d 2h` for so long ago.
///
/// # Errors
/// What would be right, in words.
pub(crate) fn time(text: &str) -> Result<i64, String> {
    time_from(text, Timestamp::now(), &TimeZone::system())
}

fn time_from(text: &str, now: Timestamp, zone: &TimeZone) -> Result<i64, String> {
    let there = text.parse::<Timestamp>().ok();
    let here = || text.parse::<DateTime>().ok().and_then(|at| zone.to_timestamp(at).ok());
    let right = "a time such as 2018-06-15T14:43:17Z, 2018-06-15T14:43 here, or 90m for so long ago";
    let at = there.or_else(here).or_else(|| ago(text, now));
    at.map(Timestamp::as_millisecond).ok_or_else(|| right.to_owned())
}

fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let span: Span = text.parse().ok()?;
    now.checked_sub(span.abs().to_duration(SpanRelativeTo::days_are_24_hours()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_times_are_told_apart() {
        assert_eq!(at("17"), Ok(At::Place(17)));
        assert_eq!(at("1970-01-01T00:00:01Z"), Ok(At::Time(1_000)));
        for wrong in ["0", "", "soon", "-1", "10 parsecs", "m", "2026-13-01T00:00:00Z"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_read_as_users_write_them() {
        let (now, zone) = (Timestamp::from_second(100_000).unwrap(), TimeZone::fixed(jiff::tz::offset(1)));
        for (text, ms) in [
            ("90s", 99_910_000),
            ("2h", 92_800_000),
            ("1d", 13_600_000),
            ("1h 30m", 94_600_000),
            ("1970-01-01T01:00:00", 0),
            ("1970-01-01 02:00", 3_600_000),
            ("1970-01-01T00:00:00+01:00", -3_600_000),
        ] {
            assert_eq!(time_from(text, now, &zone), Ok(ms), "{text}");
        }
    }
}
