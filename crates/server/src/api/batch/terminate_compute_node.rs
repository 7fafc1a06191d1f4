//! `TerminateComputeNode`: the one node of a `TerminateComputeNodes`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch::{self, TerminateComputeNodes};

use super::submit_done;
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "TerminateComputeNode",
    help: "Destroys a node of a compute environment; a new one takes its place.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let TerminateComputeNodes { env, nodes } = batch::terminate_compute_node(params)?;
    let done = submit_done(app, Command::TerminateNodes(env, nodes)).await;
    // The kernel knows nodes by their place in a list; here the field is another.
    done.map_err(|error| ApiError::new(error.code, error.message.replacen("ComputeNodeIds.0", "ComputeNodeId", 1)))
}
