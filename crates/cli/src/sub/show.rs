//! `herald sub show`.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::list::SUBSCRIPTIONS;
use super::progress::{places, progress, replays};
use crate::context::Context;
use crate::failure::Failure;
use crate::named::Named;
use crate::reply::{text, time};
use crate::table::Table;

/// Show a subscription
#[derive(clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    named: Named,
}

impl Show {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let Named { topic, name } = &self.named;
        let found = SUBSCRIPTIONS.find(cx, self.named.params(), |item| is_named(item, name)).await?;
        let Some(mut subscription) = found else {
            let told = format!("topic {topic} has no subscription {name}; `herald sub list {topic}` lists them");
            return Err(Failure::NotThere(told));
        };
        let progress = progress(cx, topic, name).await?;
        if cx.out.is_json() {
            subscription["Progress"] = progress;
            return cx.out.json(&subscription);
        }
        let subscription = &subscription;
        cx.out.table(&Table::of_pairs([
            ("Subscription", text(subscription, "SubscriptionName")),
            ("Id", text(subscription, "SubscriptionId")),
            ("Protocol", text(subscription, "Protocol")),
            ("Endpoint", text(subscription, "Endpoint")),
            ("Tags", text(subscription, "FilterTags")),
            ("Binding keys", text(subscription, "BindingKey")),
            ("Strategy", text(subscription, "NotifyStrategy")),
            ("Format", text(subscription, "NotifyContentFormat")),
            ("State", state(subscription, &cx.zone)),
            ("Failures running", failures(subscription)),
            ("Order", text(subscription, "DeliveryOrder")),
            ("Posts", bounds(subscription)),
            ("Circuit", circuit(subscription)),
            ("Retry-After obeyed", text(subscription, "ObeyRetryAfter")),
            ("Paused by 410", text(subscription, "PauseOnGone")),
            ("Signature", text(subscription, "Signature")),
            ("Dead letters", text(subscription, "DeadLetterQueueName")),
            ("Own events", text(subscription, "NotificationTopicName")),
            ("Done with", places(&progress)),
            ("Waiting", text(subscription, "MsgCount")),
            ("Created", time(subscription, "CreateTime", &cx.zone)),
            ("Changed", time(subscription, "LastModifyTime", &cx.zone)),
        ]))?;
        let replays = replays(&progress, &cx.zone);
        if replays.is_empty() {
            return Ok(());
        }
        cx.out.line("")?;
        cx.out.table(&replays)
    }
}

/// The state, why, since when and until when.
fn state(subscription: &Value, zone: &TimeZone) -> String {
    let mut told = text(subscription, "State");
    for (before, part) in [
        (" by ", text(subscription, "StateReason")),
        (" since ", time(subscription, "StateSince", zone)),
        (" until ", time(subscription, "StateUntil", zone)),
    ] {
        if !part.is_empty() && part != "-" {
            told += before;
            told += &part;
        }
    }
    told
}

/// How many posts running have failed, and how the last did.
fn failures(subscription: &Value) -> String {
    let last = [text(subscription, "LastStatus"), text(subscription, "LastError")];
    let last: Vec<&str> = last.iter().map(String::as_str).filter(|part| !part.is_empty() && *part != "-").collect();
    let count = text(subscription, "FailureCount");
    if last.is_empty() { count } else { format!("{count}, the last: {}", last.join(" ")) }
}

fn bounds(subscription: &Value) -> String {
    let number = |field: &str| subscription[field].as_u64().filter(|number| *number > 0);
    let rate = number("RateLimit").map_or("as fast as they come".to_owned(), |rate| format!("{rate} a second"));
    format!("{rate}, {} at once", number("Concurrency").unwrap_or(64))
}

fn circuit(subscription: &Value) -> String {
    match subscription["CircuitFailures"].as_u64().filter(|failures| *failures > 0) {
        Some(failures) => format!("after {failures} failures, first for {} s", text(subscription, "CircuitSeconds")),
        None => "none".to_owned(),
    }
}

/// The API looks for names that contain the one asked for, and compares without case.
fn is_named(subscription: &Value, name: &str) -> bool {
    subscription["SubscriptionName"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn state_and_failures_are_told_in_a_line_each() {
        let paused = json!({"State": "PAUSED", "StateReason": "GONE", "StateSince": 1_520_509_720_000_u64,
            "StateUntil": null, "FailureCount": 4, "LastStatus": 410, "LastError": ""});
        assert_eq!(state(&paused, &TimeZone::UTC), "PAUSED by GONE since 2018-03-08 11:48:40");
        assert_eq!(failures(&paused), "4, the last: 410");
        let active = json!({"State": "ACTIVE", "StateReason": "", "StateSince": null, "StateUntil": null,
            "FailureCount": 0, "LastStatus": null, "LastError": "", "RateLimit": 5, "Concurrency": 0,
            "CircuitFailures": 3, "CircuitSeconds": 30});
        assert_eq!((state(&active, &TimeZone::UTC).as_str(), failures(&active).as_str()), ("ACTIVE", "0"));
        assert_eq!(bounds(&active), "5 a second, 64 at once");
        assert_eq!(circuit(&active), "after 3 failures, first for 30 s");
    }

    #[test]
    fn only_the_one_of_that_name_is_shown() {
        let inbox = json!({"SubscriptionName": "Inbox"});
        assert!(is_named(&inbox, "inbox") && !is_named(&inbox, "box") && !is_named(&inbox, "inbox-2"));
    }
}
