//! `herald sub delete`.

use crate::context::Context;
use crate::failure::Failure;
use crate::named::Named;

/// End a subscription
#[derive(clap::Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    named: Named,
}

impl Delete {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.tdmq("DeleteCmqSubscribe", &self.named.params()).await?;
        cx.done(&reply, format_args!("subscription {} of {} is deleted", self.named.name, self.named.topic))
    }
}
