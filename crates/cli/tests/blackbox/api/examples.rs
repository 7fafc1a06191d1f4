//! Examples that read the same at every run: what is drawn or depends on the hour is replaced.

use serde_json::Value;

/// Fields whose values change from run to run and are no ids or times by their form, and what is shown instead.
const CHANGING: &[(&str, &str)] = &[
    ("RequestId", "\"a5b8e0d2-7c4f-4a2e-9d3b-1f6c8e7a9b01\""),
    ("requestId", "\"14534664555\""),
    ("ClientToken", "\"2f1c6f0e\""),
    ("Path", "\"/console/enter?token=j4Qp0vXc9sYtR2mB\""),
    ("Token", "\"j4Qp0vXc9sYtR2mB\""),
    ("DurationMs", "12"),
    ("SecretId", "\"AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE\""),
    ("SecretKey", "\"Gu5t9xGARNpq86cd98joQYCN3EXAMPLE\""),
    ("OwnSecretId", "\"AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE\""),
    ("SignatureSecret", "\"whsec_c2lnbnMgdGhlIHBvc3RzIG9mIG9uZSBzdWJzY3I=\""),
    ("PrivateIpAddresses", "[\"127.0.0.1\"]"),
    ("Timestamps", "[1793520000, 1793520010]"),
    ("Values", "[12.5, 96.0]"),
    ("msgId", "\"281474976710657\""),
    ("MsgId", "\"281474976710657\""),
    ("receiptHandle", "\"4503599627370497\""),
    ("Period", "10"),
    ("EventId", "\"evt-01KBZ3G4000000000000000000\""),
];

/// A moment that stands for every moment.
const MOMENT: &str = "2026-11-01T08:00:00Z";
const MOMENT_S: i64 = 1_793_520_000;

/// A value of a request or reply as it is shown.
pub(super) fn redacted(value: &Value) -> Value {
    named("", value)
}

fn named(name: &str, value: &Value) -> Value {
    // A filter has values too, and those are the user's.
    let asked = matches!(value, Value::Array(items) if items.iter().any(Value::is_string)) && name == "Values";
    // Lists in forms are numbered: `receiptHandle.1`.
    let plain_name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let changing = CHANGING.iter().find(|(changing, _)| *changing == plain_name && !asked && !value.is_null());
    if let Some((_, shown)) = changing {
        return serde_json::from_str(shown).expect("JSON");
    }
    match value {
        Value::String(text) => Value::String(plain(text)),
        Value::Number(number) => match number.as_i64() {
            // Unix times, in seconds or milliseconds.
            Some(1_700_000_000..=2_500_000_000) => Value::from(MOMENT_S),
            Some(1_700_000_000_000..=2_500_000_000_000) => Value::from(MOMENT_S * 1000),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| named("", item)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), named(name, value))).collect())
        }
        Value::Null | Value::Bool(_) => value.clone(),
    }
}

/// A text without ids and moments of its own.
fn plain(text: &str) -> String {
    if text.len() == MOMENT.len() && text.ends_with('Z') && text.as_bytes()[10] == b'T' {
        return MOMENT.to_owned();
    }
    text.split(' ').map(without_id).collect::<Vec<_>>().join(" ")
}

/// `job-97zcl3wt` becomes `job-00000001`, wherever in the word it stands.
fn without_id(word: &str) -> String {
    const PREFIXES: [&str; 11] =
        ["job-", "env-", "node-", "ins-", "act-", "task-tmpl-", "cmqq-", "cmqt-", "subsc-", "queue-", "topic-"];
    let mut shown = word.to_owned();
    for prefix in PREFIXES {
        for (at, _) in word.match_indices(prefix) {
            let from = at + prefix.len();
            let id: String = word[from..].chars().take_while(char::is_ascii_alphanumeric).collect();
            if id.len() == 8 && id.chars().any(|c| c.is_ascii_digit() || c.is_ascii_lowercase()) {
                shown = shown.replace(&format!("{prefix}{id}"), &format!("{prefix}00000001"));
            }
        }
    }
    shown
}
