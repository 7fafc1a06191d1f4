//! How values are shown.

use kernel::time::Timestamp;
use serde::{Deserialize, Deserializer};
use wire::time::Utc;

/// A moment in milliseconds since 1970, as people read it; nothing for none.
pub(super) fn moment(ms: Option<i64>) -> String {
    ms.map(|ms| spoken(&Utc(Timestamp(ms)).to_string())).unwrap_or_default()
}

/// `2026-11-01T08:00:00Z` without its marks.
pub(super) fn spoken(time: &str) -> String {
    time.replace('T', " ").trim_end_matches('Z').to_owned()
}

/// A span in milliseconds, in the largest units that say enough.
pub(super) fn age(ms: u64) -> String {
    match ms / 1_000 {
        0 => format!("{ms} ms"),
        s @ 1..=119 => format!("{s} s"),
        s @ 120..=7_199 => format!("{} min", s / 60),
        s @ 7_200..=172_799 => format!("{} h", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}

pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// The class of a state, by which the style sheet colours it. The word stands beside it in any case.
pub(super) fn class(state: &str) -> &'static str {
    match state {
        "SUCCEED" | "DELIVERED" | "COPIED" | "ACTIVE" | "DONE" => "good",
        "RUNNING" => "going",
        "FAILED" | "FAILED_INTERRUPTED" | "DEAD" | "ABNORMAL" | "CREATION_FAILED" => "bad",
        "RETRYING" | "PAUSED" | "HELD" | "BROKEN" | "DELETING" | "STOPPED" => "warn",
        _ => "still",
    }
}

/// A list or text that may be null.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_units_that_say_enough() {
        for (ms, told) in [(7, "7 ms"), (1_999, "1 s"), (119_000, "119 s"), (120_000, "2 min"), (86_400_000, "24 h")] {
            assert_eq!(age(ms), told);
        }
        assert_eq!(age(172_800_000), "2 days");
    }

    #[test]
    fn moments_read_as_text() {
        assert_eq!(moment(Some(1_793_520_000_000)), "2026-11-01 08:00:00");
        assert_eq!(moment(None), "");
        assert_eq!(spoken("2026-11-01T08:00:00Z"), "2026-11-01 08:00:00");
    }
}
