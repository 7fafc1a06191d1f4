//! `herald topic update`.

use serde_json::json;

use super::settings::Settings;
use crate::context::Context;
use crate::failure::Failure;

/// Change attributes of a topic
#[derive(clap::Args)]
pub(crate) struct Update {
    /// The topic's name
    name: String,
    #[command(flatten)]
    settings: Settings,
}

impl Update {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = json!({"TopicName": self.name});
        self.settings.add_to(&mut params);
        let reply = cx.client()?.tdmq("ModifyCmqTopicAttribute", &params).await?;
        cx.done(&reply, format_args!("topic {} is changed", self.name))
    }
}
