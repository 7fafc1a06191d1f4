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
    fn moments_read_as_text() {
        assert_eq!(moment(Some(1_793_520_000_000)), "2026-11-01 08:00:00");
        assert_eq!(moment(None), "");
        assert_eq!(spoken("2026-11-01T08:00:00Z"), "2026-11-01 08:00:00");
    }
}
