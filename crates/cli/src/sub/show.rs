//! `herald sub show`.

use serde_json::{Value, json};

use super::list::SUBSCRIPTIONS;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{items, text, time};
use crate::table::Table;

/// Show a subscription
#[derive(clap::Args)]
pub(crate) struct Show {
    /// The topic's name
    topic: String,
    /// The subscription's name
    name: String,
}

impl Show {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let params = json!({"TopicName": self.topic, "SubscriptionName": self.name, "Limit": 50});
        let reply = cx.client()?.tdmq(SUBSCRIPTIONS.action, &params).await?;
        let Some(subscription) = named(&reply, &self.name) else {
            let told =
                format!("topic {0} has no subscription {1}; `herald sub list {0}` lists them", self.topic, self.name);
            return Err(Failure::NotThere(told));
        };
        if cx.out.is_json() {
            return cx.out.json(subscription);
        }
        cx.out.table(&Table::of_pairs([
            ("Subscription", text(subscription, "SubscriptionName")),
            ("Id", text(subscription, "SubscriptionId")),
            ("Protocol", text(subscription, "Protocol")),
            ("Endpoint", text(subscription, "Endpoint")),
            ("Tags", text(subscription, "FilterTags")),
            ("Binding keys", text(subscription, "BindingKey")),
            ("Strategy", text(subscription, "NotifyStrategy")),
            ("Format", text(subscription, "NotifyContentFormat")),
            ("Waiting", text(subscription, "MsgCount")),
            ("Created", time(subscription, "CreateTime", &cx.zone)),
            ("Changed", time(subscription, "LastModifyTime", &cx.zone)),
        ]))
    }
}

/// The API looks for names that contain the one asked for, and compares without case.
fn named<'a>(reply: &'a Value, name: &str) -> Option<&'a Value> {
    let same = |item: &&Value| item["SubscriptionName"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(name));
    items(reply, SUBSCRIPTIONS.set).iter().find(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_of_that_name_is_shown() {
        let reply = json!({"SubscriptionSet": [{"SubscriptionName": "inbox-2"}, {"SubscriptionName": "Inbox"}]});
        assert_eq!(named(&reply, "inbox").unwrap()["SubscriptionName"], "Inbox");
        assert!(named(&reply, "box").is_none());
    }
}
