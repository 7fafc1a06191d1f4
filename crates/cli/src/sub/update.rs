//! `herald sub update`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Change attributes of a subscription, for the messages it has not received yet
#[derive(clap::Args)]
pub(crate) struct Update {
    /// The topic's name
    topic: String,
    /// The subscription's name
    name: String,
    /// Receive only messages with one of these tags, up to 5, in place of those before
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Receive every message, whatever its tags
    #[arg(long, conflicts_with = "tags")]
    any_tag: bool,
    /// Receive only messages whose routing key one of these matches, up to 5, in place of those before
    #[arg(long = "bind", value_name = "KEY")]
    binding_keys: Vec<String>,
    /// What happens after a failure: BACKOFF_RETRY or EXPONENTIAL_DECAY_RETRY
    #[arg(long, value_name = "STRATEGY")]
    strategy: Option<String>,
    /// What a post's body is: JSON, SIMPLIFIED or CLOUDEVENTS
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
}

impl Update {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let client = cx.client()?;
        let named = json!({"TopicName": self.topic, "SubscriptionName": self.name});
        let mut params = named.clone();
        for (field, list) in [("FilterTags", self.tags), ("BindingKey", self.binding_keys)] {
            if !list.is_empty() {
                params[field] = json!(list);
            }
        }
        for (field, word) in [("NotifyStrategy", self.strategy), ("NotifyContentFormat", self.format)] {
            if let Some(word) = word {
                params[field] = json!(word.to_uppercase());
            }
        }
        let reply = client.tdmq("ModifyCmqSubscriptionAttribute", &params).await?;
        if self.any_tag {
            client.tdmq("ClearCmqSubscriptionFilterTags", &named).await?;
        }
        cx.done(&reply, format_args!("subscription {} of topic {} is changed", self.name, self.topic))
    }
}
