//! `herald sub update`.

use serde_json::Value;

use super::manner::Manner;
use crate::context::Context;
use crate::failure::Failure;
use crate::named::Named;
use crate::params;

/// Change a subscription, for the messages it has not received yet; what is not named stays
#[derive(clap::Args)]
pub(crate) struct Update {
    #[command(flatten)]
    named: Named,
    /// Only messages with this tag, instead of the tags before; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Receive every message, whatever its tags
    #[arg(long, conflicts_with = "tag")]
    any_tag: bool,
    #[command(flatten)]
    manner: Manner,
}

impl Update {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let client = cx.client()?;
        let reply = client.tdmq("ModifyCmqSubscriptionAttribute", &self.params()).await?;
        if self.any_tag {
            client.tdmq("ClearCmqSubscriptionFilterTags", &self.named.params()).await?;
        }
        if let Some(secret) = reply["SignatureSecret"].as_str().filter(|_| !cx.out.is_json()) {
            cx.out.line(secret)?;
        }
        cx.done(&reply, format_args!("subscription {} of topic {} is changed", self.named.name, self.named.topic))
    }

    fn params(&self) -> Value {
        let mut params = self.named.params();
        params::add(&mut params, [("FilterTags", params::some(&self.tag))]);
        self.manner.add_to(&mut params);
        params
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};
    use serde_json::json;

    use super::*;

    fn parse(line: &str) -> Result<Update, clap::Error> {
        let command = Update::augment_args(clap::Command::new("update").no_binary_name(true));
        Update::from_arg_matches(&command.try_get_matches_from(line.split(' '))?)
    }

    #[test]
    fn only_what_is_named_is_sent() {
        let names = json!({"TopicName": "t", "SubscriptionName": "s"});
        assert_eq!(parse("t s").unwrap().params(), names);
        let line = "t s --order job --rate 5 --concurrency 2 --obey-retry-after false --pause-on-gone true --circuit 3 \
                    --circuit-pause 9 --dead-letters q --notify n --sign --format cloudevents";
        let wanted = json!({"TopicName": "t", "SubscriptionName": "s", "NotifyContentFormat": "CLOUDEVENTS",
            "DeliveryOrder": "JOB", "RateLimit": 5, "Concurrency": 2, "ObeyRetryAfter": false, "PauseOnGone": true,
            "CircuitFailures": 3, "CircuitSeconds": 9, "DeadLetterQueueName": "q", "NotificationTopicName": "n",
            "Signature": "STANDARD_WEBHOOKS"});
        assert_eq!(parse(line).unwrap().params(), wanted);
        assert_eq!(parse("t s --no-sign").unwrap().params()["Signature"], "NONE");
        assert!(parse("t s --no-sign --sign").is_err());
    }
}
