//! Which subscription: its topic's name and its own.

use serde_json::{Value, json};

/// A subscription by its names.
#[derive(clap::Args)]
pub(crate) struct Named {
    /// The topic's name
    pub(crate) topic: String,
    /// The subscription's name
    pub(crate) name: String,
}

impl Named {
    /// The parameters that name it.
    pub(crate) fn params(&self) -> Value {
        named(&self.topic, &self.name)
    }
}

/// The parameters that name a subscription.
pub(crate) fn named(topic: &str, name: &str) -> Value {
    json!({"TopicName": topic, "SubscriptionName": name})
}
