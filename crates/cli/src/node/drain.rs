//! `herald node drain` and `herald node undrain`.

use serde_json::json;

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;

/// Give nodes no more instances; what has begun on them goes on, what waits there goes elsewhere
#[derive(clap::Args)]
pub(crate) struct Drain {
    /// The nodes' ids
    #[arg(required = true)]
    nodes: Vec<String>,
}

/// Give nodes instances again that were drained
#[derive(clap::Args)]
pub(crate) struct Undrain {
    /// The nodes' ids
    #[arg(required = true)]
    nodes: Vec<String>,
}

impl Drain {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let params = json!({"ComputeNodeIds": self.nodes});
        let reply = cx.client()?.call(Service::Herald, "DrainNodes", &params).await?;
        cx.done(&reply, format_args!("{} given no more instances", self.nodes.join(", ")))
    }
}

impl Undrain {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let params = json!({"ComputeNodeIds": self.nodes});
        let reply = cx.client()?.call(Service::Herald, "UndrainNodes", &params).await?;
        cx.done(&reply, format_args!("{} given instances again", self.nodes.join(", ")))
    }
}
