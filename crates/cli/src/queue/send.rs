//! `herald queue send`.

use std::time::Duration;

use crate::context::Context;
use crate::failure::Failure;

/// Send a message to a queue and print the message's id
#[derive(clap::Args)]
pub(crate) struct Send {
    /// The queue's name
    name: String,
    /// The message
    text: String,
    /// Hide it first for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    delay: u64,
}

impl Send {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let delay = self.delay.to_string();
        let params = [("queueName", self.name.as_str()), ("msgBody", &self.text), ("delaySeconds", &delay)];
        let reply = cx.client()?.v2("SendMessage", &params, Duration::ZERO).await?;
        cx.made(&reply, "msgId")
    }
}
