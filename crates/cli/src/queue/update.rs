//! `herald queue update`.

use serde_json::json;

use super::settings::Settings;
use crate::context::Context;
use crate::failure::Failure;

/// Change attributes of a queue
#[derive(clap::Args)]
pub(crate) struct Update {
    /// The queue's name
    name: String,
    #[command(flatten)]
    settings: Settings,
    /// Send no more dead letters anywhere
    #[arg(long, conflicts_with_all = ["dead_letters", "max_receives", "max_age"])]
    no_dead_letters: bool,
}

impl Update {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let client = cx.client()?;
        let mut params = json!({"QueueName": self.name});
        self.settings.add_to(&mut params);
        let reply = client.tdmq("ModifyCmqQueueAttribute", &params).await?;
        if self.no_dead_letters {
            client.tdmq("UnbindCmqDeadLetter", &json!({"SourceQueueName": self.name})).await?;
        }
        cx.done(&reply, format_args!("queue {} is changed", self.name))
    }
}
