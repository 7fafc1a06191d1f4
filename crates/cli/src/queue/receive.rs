//! `herald queue receive`.

use std::time::Duration;

use serde_json::Value;

use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{number, text};

/// Receive one message and print it; fail when there is none
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Receive {
    /// The queue's name
    name: String,
    /// Wait so long for a message, at most 30
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=30))]
    wait: u64,
    /// Acknowledge it once it is printed: the queue forgets it
    #[arg(long)]
    ack: bool,
}

const MORE: &str = "\
Unless it is acknowledged, it comes again once its visibility timeout has passed.";

impl Receive {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let client = cx.client()?;
        let wait = self.wait.to_string();
        let params = [("queueName", self.name.as_str()), ("pollingWaitSeconds", &wait)];
        let message = match client.v2("ReceiveMessage", &params, Duration::from_secs(self.wait)).await {
            Ok(message) => message,
            Err(error) if error.is_no_message() => {
                return Err(Failure::NotThere(format!("no message in queue {}", self.name)));
            }
            Err(error) => return Err(error.into()),
        };
        self.print(cx, &message)?;
        if self.ack { self.acknowledge(&client, &message).await } else { Ok(()) }
    }

    /// Printed for good before it is acknowledged: what the reader never saw must come again.
    fn print(&self, cx: &mut Context, message: &Value) -> Result<(), Failure> {
        if cx.out.is_json() {
            cx.out.json(message)?;
        } else {
            cx.out.line(text(message, "msgBody"))?;
        }
        cx.out.flush()?;
        if !self.ack && !cx.out.is_json() {
            let (id, receipt) = (text(message, "msgId"), number(message, "dequeueCount"));
            cx.out.say(format_args!("message {id}, receipt {receipt}; it comes again, since --ack was not given"));
        }
        Ok(())
    }

    async fn acknowledge(&self, client: &Client, message: &Value) -> Result<(), Failure> {
        let handle = text(message, "receiptHandle");
        let params = [("queueName", self.name.as_str()), ("receiptHandle", &handle)];
        client.v2("DeleteMessage", &params, Duration::ZERO).await?;
        Ok(())
    }
}
