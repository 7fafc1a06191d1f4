//! `DescribeComputeEnv`.

use std::sync::Arc;

use kernel::command::Refusal;
use kernel::node::Node;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;
use wire::batch::reply::describe_compute_env;

use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "DescribeComputeEnv",
    help: "Shows a compute environment with its nodes.",
    call: |app, params| Box::pin(call(app, params)),
};

/// Environments and nodes are always in the state, with the instances that nodes hold.
async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let id = batch::env_id(params)?;
    let state = app.state();
    let Some(env) = state.public_env(id) else {
        return Err(batch::refusal(&Refusal::NoEnv { env: id, path: "EnvId".to_owned() }));
    };
    let nodes: Vec<Arc<Node>> = state.nodes_of(id).cloned().collect();
    Ok(describe_compute_env(env, &nodes))
}
