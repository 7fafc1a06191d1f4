//! `herald key list`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{items, text, time};
use crate::table::Table;

/// List the key pairs that were made, newest first, and what each may do
#[derive(clap::Args)]
pub(crate) struct List {}

impl List {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.call(Service::Herald, "DescribeAccessKeys", &json!({})).await?;
        if cx.out.is_json() {
            return cx.out.json(&reply);
        }
        let table = table(&reply, &cx.zone);
        if table.is_empty() {
            cx.out.say(format_args!(
                "no key pair but the installation's own, {}; `herald key create` makes others",
                text(&reply, "OwnSecretId")
            ));
        }
        cx.out.table(&table)
    }
}

fn table(reply: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&["ID", "ROLES", "FOR", "BOUNDS", "STATE", "CREATED", "DESCRIPTION"]);
    for key in items(reply, "AccessKeySet") {
        let state = if key["Disabled"] == json!(true) { "DISABLED" } else { "ENABLED" };
        table.row([
            text(key, "SecretId"),
            text(key, "Roles"),
            scope(key),
            bounds(key),
            state.to_owned(),
            time(key, "CreateTime", zone),
            text(key, "Description"),
        ]);
    }
    table
}

fn scope(key: &Value) -> String {
    let kinds = [("topics", "Topics"), ("queues", "Queues"), ("environments", "Environments")];
    let bounded = kinds.into_iter().filter(|(_, field)| !items(key, field).is_empty());
    let words: Vec<String> = bounded.map(|(kind, field)| format!("{kind} {}", text(key, field))).collect();
    if words.is_empty() { "everything".to_owned() } else { words.join("; ") }
}

/// How often it may call, and how much it may bring its scope to.
fn bounds(key: &Value) -> String {
    let bounds = [
        ("CallsPerSecond", "calls/s"),
        ("MaxBodyBytes", "bytes"),
        ("MaxJobs", "jobs"),
        ("MaxTopics", "topics"),
        ("MaxQueues", "queues"),
        ("MaxEnvironments", "environments"),
    ];
    let given = bounds.into_iter().filter(|(field, _)| !key[field].is_null());
    given.map(|(field, unit)| format!("{} {unit}", text(key, field))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_may_do_is_told_in_a_line() {
        let reply = json!({"AccessKeySet": [
            {"SecretId": "AKIDone", "Roles": ["submit", "read"], "Topics": ["a-*", "b"], "Queues": [],
             "Environments": ["gpu"], "CallsPerSecond": 5, "MaxBodyBytes": null, "MaxJobs": 20, "Disabled": true, "CreateTime": "2018-03-08T11:48:40Z", "Description": "ci"},
            {"SecretId": "AKIDtwo", "Roles": ["admin"], "Topics": [], "Queues": [], "Environments": [],
             "Disabled": false, "CreateTime": "2018-03-08T11:48:41Z", "Description": ""}]});
        let wanted = "\
ID       ROLES         FOR                              BOUNDS              STATE     CREATED              DESCRIPTION
AKIDone  submit, read  topics a-*, b; environments gpu  5 calls/s, 20 jobs  DISABLED  2018-03-08 11:48:40  ci
AKIDtwo  admin         everything                                           ENABLED   2018-03-08 11:48:41
";
        assert_eq!(table(&reply, &TimeZone::UTC).render(None), wanted);
    }
}
