//! `herald delivery show`.

use serde_json::json;

use super::list::attempts;
use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::named::Named;
use crate::reply::{items, text, time};
use crate::table::Table;

/// Show one delivery with every attempt that is kept
#[derive(clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    named: Named,
    /// The message's id
    message: String,
}

impl Show {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = self.named.params();
        params["MsgId"] = json!(self.message);
        let reply = cx.client()?.call(Service::Herald, "DescribeDelivery", &params).await?;
        let delivery = &reply["Delivery"];
        if cx.out.is_json() {
            return cx.out.json(delivery);
        }
        cx.out.table(&Table::of_pairs([
            ("Message", text(delivery, "MsgId")),
            ("Topic", text(delivery, "TopicName")),
            ("Subscription", text(delivery, "SubscriptionName")),
            ("Endpoint", text(delivery, "Endpoint")),
            ("State", text(delivery, "State")),
            ("Next attempt", time(delivery, "NextTime", &cx.zone)),
            ("Published", time(delivery, "PublishTime", &cx.zone)),
            ("Event", text(delivery, "EventName")),
            ("Event id", text(delivery, "EventId")),
            ("Of", text(delivery, "Owner")),
            ("Sequence", text(delivery, "Sequence")),
        ]))?;
        let made = items(delivery, "AttemptSet");
        if made.is_empty() {
            cx.out.say("no attempts are kept");
            return Ok(());
        }
        cx.out.line("")?;
        let table = attempts(made, &cx.zone);
        cx.out.table(&table)
    }
}
