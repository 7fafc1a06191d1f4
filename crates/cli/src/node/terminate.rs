//! `herald node terminate`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Destroy nodes; the environment makes new ones in their place
#[derive(clap::Args)]
pub(crate) struct Terminate {
    /// The environment's id
    env: String,
    /// The nodes' ids
    #[arg(required = true)]
    nodes: Vec<String>,
}

impl Terminate {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let params = json!({"EnvId": self.env, "ComputeNodeIds": self.nodes});
        let reply = cx.client()?.batch("TerminateComputeNodes", &params).await?;
        cx.done(&reply, format_args!("{} being terminated", self.nodes.join(", ")))
    }
}
