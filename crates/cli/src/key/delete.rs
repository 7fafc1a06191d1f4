//! `herald key delete`.

use serde_json::json;

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;

/// Delete a key pair; what it signs from then on is refused
#[derive(clap::Args)]
pub(crate) struct Delete {
    /// The key pair's public half
    #[arg(value_name = "SECRET_ID")]
    id: String,
}

impl Delete {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.call(Service::Herald, "DeleteAccessKey", &json!({"SecretId": self.id})).await?;
        cx.done(&reply, format_args!("{} is deleted", self.id))
    }
}
