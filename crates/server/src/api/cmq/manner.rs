//! What a subscription asks for beyond CMQ, as both protocols read and show it. The names are those of `tdmq`; CMQ v2
//! begins them with a small letter ([`v2_name`]).

use kernel::limits;
use kernel::subscription::{MannerEdit, Order, Signing, Stage, Subscription};
use kernel::time::Timestamp;
use serde_json::{Value, json};
use wire::webhook;

/// The word for posts that are signed.
const SIGNED: &str = "STANDARD_WEBHOOKS";
/// The word for those that are not.
const UNSIGNED: &str = "NONE";

/// How a protocol's parameters are got, and refused.
pub(in crate::api) trait Source {
    /// What it refuses with.
    type Error;
    /// The text of a parameter, if it is given.
    fn text(&self, key: &str) -> Result<Option<String>, Self::Error>;
    /// The error about a parameter.
    fn refuse(&self, key: &str, rule: &str) -> Self::Error;
}

/// Reads what goes beyond CMQ.
pub(in crate::api) fn read<S: Source>(source: &S) -> Result<MannerEdit, S::Error> {
    let name_rule = "it must be a name, or empty for none";
    let name = |key| checked(source, key, name_rule, |text| (text.len() <= 64).then(|| text.to_owned()));
    let order_rule = "it must be STRATEGY or JOB";
    let orders = [Order::Strategy, Order::Job];
    Ok(MannerEdit {
        order: word(source, "DeliveryOrder", order_rule, |text| {
            orders.into_iter().find(|order| order.as_str() == text)
        })?,
        posts_per_s: number(source, "RateLimit", limits::POSTS_PER_S)?,
        concurrency: number(source, "Concurrency", u32::try_from(limits::PUSH_IN_FLIGHT).unwrap_or(u32::MAX))?,
        retry_after: truth(source, "ObeyRetryAfter")?,
        pause_on_gone: truth(source, "PauseOnGone")?,
        circuit_failures: number(source, "CircuitFailures", limits::CIRCUIT_FAILURES)?,
        // As it is shown where there is no circuit, 0 says nothing.
        circuit_pause_s: number(source, "CircuitSeconds", limits::CIRCUIT_PAUSE_S)?.filter(|seconds| *seconds > 0),
        dead_letters: name("DeadLetterQueueName")?,
        notify: name("NotificationTopicName")?,
        signing: signing(source)?,
    })
}

fn signing<S: Source>(source: &S) -> Result<Option<Signing>, S::Error> {
    let secret = word(source, "SignatureSecret", SECRET_RULE, webhook::parse_secret)?;
    let signed = word(source, "Signature", "it must be NONE or STANDARD_WEBHOOKS", |text| match text {
        SIGNED => Some(true),
        UNSIGNED => Some(false),
        _ => None,
    })?;
    match (signed, secret) {
        (Some(false), Some(_)) => Err(source.refuse("SignatureSecret", "nothing is signed where Signature is NONE")),
        (_, Some(secret)) => Ok(Some(Signing::Given(secret))),
        (Some(true), None) => Ok(Some(Signing::Drawn)),
        (Some(false), None) => Ok(Some(Signing::Off)),
        (None, None) => Ok(None),
    }
}

/// What a secret must be like.
pub(in crate::api) const SECRET_RULE: &str = "it must be whsec_ and 24 to 64 bytes in Base64";

/// A parameter that is read by `read`; an empty one is given too.
fn checked<S: Source, T>(
    source: &S,
    key: &str,
    rule: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, S::Error> {
    match source.text(key)? {
        None => Ok(None),
        Some(text) => read(&text).map(Some).ok_or_else(|| source.refuse(key, rule)),
    }
}

/// A parameter that is not given where it is empty.
fn word<S: Source, T>(
    source: &S,
    key: &str,
    rule: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, S::Error> {
    match source.text(key)?.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => read(&text).map(Some).ok_or_else(|| source.refuse(key, rule)),
    }
}

fn number<S: Source>(source: &S, key: &str, most: u32) -> Result<Option<u32>, S::Error> {
    let rule = format!("it must be a number from 0 to {most}");
    word(source, key, &rule, |text| text.parse().ok().filter(|number| *number <= most))
}

fn truth<S: Source>(source: &S, key: &str) -> Result<Option<bool>, S::Error> {
    word(source, key, "it must be true or false", |text| match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    })
}

/// What of a subscription goes beyond CMQ; `time` writes moments as the protocol does.
pub(in crate::api) fn fields(
    subscription: &Subscription,
    time: impl Fn(Timestamp) -> i64 + Copy,
) -> impl Iterator<Item = (&'static str, Value)> {
    let Subscription { manner, stage, health, secrets, .. } = subscription;
    let (reason, since, until) = match *stage {
        Stage::Active => ("", None, None),
        Stage::Held { until } => ("RETRY_AFTER", None, Some(until)),
        Stage::Broken { since, until, .. } => ("CIRCUIT", Some(since), Some(until)),
        Stage::Paused { why, since } => (why.as_str(), Some(since), None),
    };
    let rotation = secrets.as_ref().and_then(|secrets| secrets.previous.as_ref()).map(|(_, until)| *until);
    [
        ("DeliveryOrder", json!(manner.order.as_str())),
        ("RateLimit", json!(manner.posts_per_s)),
        ("Concurrency", json!(manner.concurrency)),
        ("ObeyRetryAfter", json!(manner.retry_after)),
        ("PauseOnGone", json!(manner.pause_on_gone)),
        ("CircuitFailures", json!(manner.circuit.map_or(0, |rule| rule.failures))),
        ("CircuitSeconds", json!(manner.circuit.map_or(0, |rule| rule.pause_s))),
        ("DeadLetterQueueName", json!(manner.dead_letters.as_ref().map_or("", |letters| &letters.name))),
        ("NotificationTopicName", json!(manner.notification_topic().unwrap_or_default())),
        ("Signature", json!(if secrets.is_some() { SIGNED } else { UNSIGNED })),
        ("OldSecretUntil", json!(rotation.map(time))),
        ("State", json!(stage.as_str())),
        ("StateReason", json!(reason)),
        ("StateSince", json!(since.map(time))),
        ("StateUntil", json!(until.map(time))),
        ("FailureCount", json!(health.failures)),
        ("LastStatus", json!(health.last_status)),
        ("LastError", json!(health.last_error)),
    ]
    .into_iter()
}

/// The name of a field in CMQ v2.
pub(in crate::api) fn v2_name(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}

#[cfg(test)]
#[path = "manner_tests.rs"]
mod tests;
