//! `herald queue create`.

use serde_json::json;

use super::settings::Settings;
use crate::context::Context;
use crate::failure::Failure;

/// Create a queue and print its id
#[derive(clap::Args)]
pub(crate) struct Create {
    /// The queue's name
    name: String,
    #[command(flatten)]
    settings: Settings,
}

impl Create {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = json!({"QueueName": self.name});
        self.settings.add_to(&mut params);
        let reply = cx.client()?.tdmq("CreateCmqQueue", &params).await?;
        cx.made(&reply, "QueueId")
    }
}
