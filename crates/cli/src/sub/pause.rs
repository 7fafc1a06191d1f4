//! `herald sub pause` and `herald sub resume`.

use serde_json::json;

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;

/// Let no message leave until the subscription is resumed; they stay as long as the topic keeps them
#[derive(clap::Args)]
pub(crate) struct Pause {
    /// The topic's name
    topic: String,
    /// The subscription's name
    name: String,
}

/// Let messages leave again: ends a pause, an open circuit, and what a Retry-After has asked for
#[derive(clap::Args)]
pub(crate) struct Resume {
    /// The topic's name
    topic: String,
    /// The subscription's name
    name: String,
}

impl Pause {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let params = json!({"TopicName": self.topic, "SubscriptionName": self.name});
        let reply = cx.client()?.call(Service::Herald, "PauseSubscription", &params).await?;
        cx.done(&reply, format_args!("subscription {} of {} is paused", self.name, self.topic))
    }
}

impl Resume {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let params = json!({"TopicName": self.topic, "SubscriptionName": self.name});
        let reply = cx.client()?.call(Service::Herald, "ResumeSubscription", &params).await?;
        cx.done(&reply, format_args!("subscription {} of {} is resumed", self.name, self.topic))
    }
}
