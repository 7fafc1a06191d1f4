//! `TerminateComputeNodes`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch::{self, TerminateComputeNodes};

use super::submit_done;
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "TerminateComputeNodes",
    help: "Destroys nodes of a compute environment; new ones take their places.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let TerminateComputeNodes { env, nodes } = batch::terminate_compute_nodes(params)?;
    submit_done(app, Command::TerminateNodes(env, nodes)).await
}
