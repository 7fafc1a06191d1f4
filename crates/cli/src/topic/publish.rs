//! `herald topic publish`.

use std::time::Duration;

use crate::context::Context;
use crate::failure::Failure;

/// Publish a message to all of a topic's subscribers, and print its id
#[derive(clap::Args)]
pub(crate) struct Publish {
    /// The topic's name
    name: String,
    /// The message
    text: String,
    /// A tag of the message; may be given several times
    #[arg(long, value_name = "TAG", conflicts_with = "routing_key")]
    tag: Vec<String>,
    /// The message's routing key, for a topic made with --routing
    #[arg(long, value_name = "KEY")]
    routing_key: Option<String>,
}

impl Publish {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let numbered: Vec<String> = (1..=self.tag.len()).map(|number| format!("msgTag.{number}")).collect();
        let mut params = vec![("topicName", self.name.as_str()), ("msgBody", self.text.as_str())];
        params.extend(numbered.iter().map(String::as_str).zip(self.tag.iter().map(String::as_str)));
        params.extend(self.routing_key.as_deref().map(|key| ("routingKey", key)));
        let reply = cx.client()?.v2("PublishMessage", &params, Duration::ZERO).await?;
        cx.made(&reply, "msgId")
    }
}
