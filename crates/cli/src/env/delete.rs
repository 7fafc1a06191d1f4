//! `herald env delete`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Delete an environment with its nodes; instances that run on them fail
#[derive(clap::Args)]
pub(crate) struct Delete {
    /// The environment's id
    id: String,
}

impl Delete {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.batch("DeleteComputeEnv", &json!({"EnvId": self.id})).await?;
        cx.done(&reply, format_args!("{} is being deleted", self.id))
    }
}
