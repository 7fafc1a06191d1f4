//! `herald sub pause` and `herald sub resume`.

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::named::Named;

/// Let no message leave until the subscription is resumed; they stay as long as the topic keeps them
#[derive(clap::Args)]
pub(crate) struct Pause {
    #[command(flatten)]
    named: Named,
}

/// Let messages leave again: ends a pause, an open circuit, and what a Retry-After has asked for
#[derive(clap::Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    named: Named,
}

impl Pause {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.call(Service::Herald, "PauseSubscription", &self.named.params()).await?;
        cx.done(&reply, format_args!("subscription {} of {} is paused", self.named.name, self.named.topic))
    }
}

impl Resume {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.call(Service::Herald, "ResumeSubscription", &self.named.params()).await?;
        cx.done(&reply, format_args!("subscription {} of {} is resumed", self.named.name, self.named.topic))
    }
}
