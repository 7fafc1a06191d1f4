//! `herald env scale`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Give an environment more or fewer nodes
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Scale {
    /// The environment's id
    id: String,
    /// How many nodes it is to have
    nodes: u64,
}

const MORE: &str = "\
When nodes are to go, idle and broken ones go first, then those whose instances are youngest.";

impl Scale {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let params = json!({"EnvId": self.id, "DesiredComputeNodeCount": self.nodes});
        let reply = cx.client()?.batch("ModifyComputeEnv", &params).await?;
        cx.done(&reply, format_args!("{} is to have {} nodes", self.id, self.nodes))
    }
}
