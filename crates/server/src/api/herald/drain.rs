//! `DrainNodes` and `UndrainNodes`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;

use crate::App;
use crate::api::api3::Action;
use crate::api::batch::submit_done;

pub(super) const DRAIN: Action = Action {
    name: "DrainNodes",
    help: "Gives nodes no more instances: what has begun on them goes on, what waits there goes elsewhere.",
    call: |app, params| Box::pin(call(app, params, true)),
};

pub(super) const UNDRAIN: Action = Action {
    name: "UndrainNodes",
    help: "Gives nodes instances again that were drained.",
    call: |app, params| Box::pin(call(app, params, false)),
};

async fn call(app: &App, params: &Value, drained: bool) -> Result<Value, ApiError> {
    submit_done(app, Command::DrainNodes(batch::compute_nodes(params)?, drained)).await
}
