//! `herald key disable` and `herald key enable`.

use serde_json::json;

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;

/// Let a key pair do nothing until it is enabled again
#[derive(clap::Args)]
pub(crate) struct Disable {
    /// The key pair's public half
    #[arg(value_name = "SECRET_ID")]
    id: String,
}

/// Let a disabled key pair do again what it may
#[derive(clap::Args)]
pub(crate) struct Enable {
    /// The key pair's public half
    #[arg(value_name = "SECRET_ID")]
    id: String,
}

impl Disable {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        turn(cx, &self.id, true).await
    }
}

impl Enable {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        turn(cx, &self.id, false).await
    }
}

async fn turn(cx: &mut Context, id: &str, disabled: bool) -> Result<(), Failure> {
    let params = json!({"SecretId": id, "Disabled": disabled});
    let reply = cx.client()?.call(Service::Herald, "ModifyAccessKey", &params).await?;
    cx.done(&reply, format_args!("{id} is {}", if disabled { "disabled" } else { "enabled" }))
}
