//! `herald topic create`.

use serde_json::json;

use super::settings::Settings;
use crate::context::Context;
use crate::failure::Failure;

/// Create a topic and print its id
#[derive(clap::Args)]
pub(crate) struct Create {
    /// The topic's name
    name: String,
    /// Subscriptions choose messages by routing key (`sub create --bind`), not by tag
    #[arg(long)]
    routing: bool,
    #[command(flatten)]
    settings: Settings,
}

impl Create {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = json!({"TopicName": self.name, "FilterType": if self.routing { 2 } else { 1 }});
        self.settings.add_to(&mut params);
        let reply = cx.client()?.tdmq("CreateCmqTopic", &params).await?;
        cx.made(&reply, "TopicId")
    }
}
