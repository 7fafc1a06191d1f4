//! `herald delivery list`.

use clap::ValueEnum;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Limit, follow};
use crate::params::{self, word};
use crate::reply::{items, text, time};
use crate::table::Table;

/// List deliveries of a subscription, a message, a job or an environment, the newest first
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["name", "message", "job", "env"]))]
#[command(after_help = MORE)]
pub(crate) struct List {
    /// The topic's name
    topic: Option<String>,
    /// The subscription's name
    name: Option<String>,
    /// Those of this message
    #[arg(long, value_name = "ID", conflicts_with_all = ["job", "env"])]
    message: Option<String>,
    /// Those of this job's events
    #[arg(long, value_name = "ID", conflicts_with = "env")]
    job: Option<String>,
    /// Those of this environment's events
    #[arg(long, value_name = "ID")]
    env: Option<String>,
    /// Only deliveries in this state; may be given several times
    #[arg(long, value_enum, ignore_case = true)]
    state: Vec<State>,
    /// List every attempt, instead of the deliveries
    #[arg(long, requires = "name", conflicts_with_all = ["message", "job", "env", "state"])]
    attempts: bool,
    /// Only attempts with this outcome
    #[arg(long, value_enum, requires = "attempts")]
    outcome: Option<Outcome>,
    #[command(flatten)]
    limit: Limit,
}

const MORE: &str = "\
States: PENDING (its turn has not come), RETRYING, DELIVERED, COPIED (into the queue), DEAD (given up), SKIPPED (the
subscription does not want it), NOT_SUBSCRIBED (it was published before the subscription was made).
`herald delivery show TOPIC NAME MESSAGE` shows one with its attempts.";

/// The API's words for how a delivery stands.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
enum State {
    Pending,
    Retrying,
    Delivered,
    Copied,
    Dead,
    Skipped,
    NotSubscribed,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Outcome {
    Succeeded,
    Failed,
}

impl List {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let (action, set, things) = match self.attempts {
            true => ("DescribeDeliveryAttempts", "AttemptSet", "attempts"),
            false => ("DescribeDeliveries", "DeliverySet", "deliveries"),
        };
        let reply = follow(cx, action, self.params(), set, things, self.limit.limit).await?;
        match self.attempts {
            _ if cx.out.is_json() => cx.out.json(&reply),
            true => cx.out.table(&attempts(items(&reply, set), &cx.zone)),
            false => cx.out.table(&table(&reply, &cx.zone)),
        }
    }

    fn params(&self) -> Value {
        let mut params = json!({});
        let states: Vec<String> = self.state.iter().map(|state| word(*state)).collect();
        let text = |value: &Option<String>| value.clone().map(Value::from);
        let fields = [
            ("TopicName", text(&self.topic)),
            ("SubscriptionName", text(&self.name)),
            ("MsgId", text(&self.message)),
            ("JobId", text(&self.job)),
            ("EnvId", text(&self.env)),
            ("States", params::some(&states)),
            ("Outcome", self.outcome.map(|outcome| json!(word(outcome).to_uppercase()))),
        ];
        params::add(&mut params, fields);
        params
    }
}

fn table(reply: &Value, zone: &TimeZone) -> Table {
    let headings = ["MESSAGE", "TOPIC", "SUBSCRIPTION", "EVENT", "SEQUENCE", "STATE", "ATTEMPTS", "LAST", "NEXT"];
    let mut table = Table::new(&headings);
    for delivery in items(reply, "DeliverySet") {
        table.row([
            text(delivery, "MsgId"),
            text(delivery, "TopicName"),
            text(delivery, "SubscriptionName"),
            text(delivery, "EventName"),
            text(delivery, "Sequence"),
            text(delivery, "State"),
            text(delivery, "Attempts"),
            came_of(&delivery["LastAttempt"]),
            time(delivery, "NextTime", zone),
        ]);
    }
    table
}

/// Attempts as a table.
pub(super) fn attempts(attempts: &[Value], zone: &TimeZone) -> Table {
    let mut table = Table::new(&["MESSAGE", "ATTEMPT", "TIME", "TOOK, ms", "ADDRESS", "OUTCOME", "REPLY"]);
    for attempt in attempts {
        table.row([
            text(attempt, "MsgId"),
            text(attempt, "Number"),
            time(attempt, "Time", zone),
            text(attempt, "DurationMs"),
            text(attempt, "Address"),
            came_of(attempt),
            text(attempt, "Reply").lines().next().unwrap_or_default().to_owned(),
        ]);
    }
    table
}

/// What came of an attempt: a status, or why there was no reply.
pub(super) fn came_of(attempt: &Value) -> String {
    let status = text(attempt, "Status");
    if status.is_empty() { text(attempt, "Error") } else { status }
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};

    use super::*;

    fn parse(line: &str) -> Result<List, clap::Error> {
        let command = List::augment_args(clap::Command::new("list").no_binary_name(true));
        List::from_arg_matches(&command.try_get_matches_from(line.split_whitespace())?)
    }

    #[test]
    fn flags_become_the_apis_fields() {
        let table = [
            (
                "t s --state dead --state not_subscribed",
                json!({"TopicName": "t", "SubscriptionName": "s",
                "States": ["DEAD", "NOT_SUBSCRIBED"]}),
            ),
            ("--message 7", json!({"MsgId": "7"})),
            ("t --job job-1", json!({"TopicName": "t", "JobId": "job-1"})),
            ("t s --env env-1", json!({"TopicName": "t", "SubscriptionName": "s", "EnvId": "env-1"})),
            (
                "t s --attempts --outcome failed",
                json!({"TopicName": "t", "SubscriptionName": "s", "Outcome": "FAILED"}),
            ),
        ];
        for (line, params) in table {
            assert_eq!(parse(line).unwrap().params(), params, "{line}");
        }
        for wrong in
            ["", "t", "t s --outcome failed", "--message 1 --job job-1", "t s --state gone", "--job j --attempts"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn deliveries_are_told_in_a_line_each() {
        let deliveries = json!({"DeliverySet": [{"MsgId": "1099511627777", "TopicName": "t", "SubscriptionName": "s",
            "EventName": "JOB_FAILED", "Sequence": 3, "State": "RETRYING", "Attempts": 2,
            "NextTime": 1_520_509_720_000_u64, "LastAttempt": {"Status": null, "Error": "timed out"}}]});
        let wanted = "\
MESSAGE        TOPIC  SUBSCRIPTION  EVENT       SEQUENCE  STATE     ATTEMPTS  LAST       NEXT
1099511627777  t      s             JOB_FAILED  3         RETRYING  2         timed out  2018-03-08 11:48:40
";
        assert_eq!(table(&deliveries, &TimeZone::UTC).render(None), wanted);
        let made = json!([{"MsgId": "1", "Number": 1, "Time": 0, "DurationMs": 5, "Address": "http://a/", "Status": 500,
            "Reply": "no\nreally"}]);
        let wanted = "\
MESSAGE  ATTEMPT  TIME                 TOOK, ms  ADDRESS    OUTCOME  REPLY
1        1        1970-01-01 00:00:00  5         http://a/  500      no
";
        assert_eq!(attempts(made.as_array().unwrap(), &TimeZone::UTC).render(None), wanted);
    }
}
