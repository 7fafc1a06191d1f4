//! Reads fields of the server's replies for the reader's eye.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// The field as text; empty when it is missing or null.
pub(crate) fn text(object: &Value, field: &str) -> String {
    match &object[field] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(bare).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// The field as a number; 0 when it is none.
pub(crate) fn number(object: &Value, field: &str) -> u64 {
    object[field].as_u64().unwrap_or(0)
}

/// The items of a list; none when it is missing or null.
pub(crate) fn items<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object[field].as_array().map_or(&[], Vec::as_slice)
}

/// The bytes of a field in Base64; as sent, if it is not.
pub(crate) fn decoded(object: &Value, field: &str) -> Vec<u8> {
    let sent = text(object, field);
    STANDARD.decode(&sent).unwrap_or_else(|_| sent.into_bytes())
}

/// A time in the user's zone: from `2018-03-08T11:48:43Z` or unix milliseconds. Empty when there is none.
pub(crate) fn time(object: &Value, field: &str, zone: &TimeZone) -> String {
    let at = match &object[field] {
        Value::String(text) => text.parse::<Timestamp>().ok(),
        Value::Number(number) => number.as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        _ => None,
    };
    at.map_or_else(|| text(object, field), |at| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Counters by state (`{"RunningCount": 2, ...}`) as `2 RUNNING, 1 FAILED`; zeros are left out.
pub(crate) fn counts(metrics: &Value) -> String {
    let Some(metrics) = metrics.as_object() else { return String::new() };
    let told = metrics.iter().filter(|(_, count)| count.as_u64().is_some_and(|count| count > 0));
    let words = told.map(|(name, count)| format!("{count} {}", state_word(name)));
    words.collect::<Vec<_>>().join(", ")
}

/// `FAILED_INTERRUPTED` for `FailedInterruptedCount`.
fn state_word(counter: &str) -> String {
    let mut word = String::new();
    for c in counter.trim_end_matches("Count").chars() {
        if c.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(c.to_uppercase());
    }
    word
}

fn bare(item: &Value) -> String {
    item.as_str().map_or_else(|| item.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use jiff::tz::{Offset, TimeZone};
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_shown_in_the_users_zone() {
        let zone = TimeZone::fixed(Offset::constant(8));
        let object = json!({"Iso": "2018-03-08T11:48:43Z", "Ms": 1_520_509_723_000_i64, "None": null, "Odd": "soon"});
        assert_eq!(time(&object, "Iso", &zone), "2018-03-08 19:48:43");
        assert_eq!(time(&object, "Ms", &zone), "2018-03-08 19:48:43");
        assert_eq!(time(&object, "None", &zone), "");
        assert_eq!(time(&object, "Odd", &zone), "soon");
    }

    #[test]
    fn counters_are_told_by_their_states() {
        let metrics = json!({"SubmittedCount": 0, "RunningCount": 2, "FailedInterruptedCount": 1});
        assert_eq!(counts(&metrics), "2 RUNNING, 1 FAILED_INTERRUPTED");
        assert_eq!(counts(&Value::Null), "");
    }

    #[test]
    fn fields_are_told_as_text() {
        let object = json!({"List": ["a", 1], "Number": 3, "Null": null});
        let told = ["List", "Number", "Null", "Missing"].map(|field| text(&object, field));
        assert_eq!(told, ["a, 1", "3", "", ""]);
        assert_eq!((number(&object, "Number"), items(&object, "List").len(), items(&object, "Null").len()), (3, 2, 0));
    }
}
