//! `DescribeComputeEnvCreateInfo`.

use kernel::command::Refusal;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;
use wire::batch::reply::describe_compute_env_create_info;

use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "DescribeComputeEnvCreateInfo",
    help: "Shows what a compute environment was asked to be when it was made.",
    call: |app, params| Box::pin(async move { call(app, params) }),
};

fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let id = batch::env_id(params)?;
    match app.state().public_env(id) {
        Some(env) => Ok(describe_compute_env_create_info(env)),
        None => Err(batch::refusal(&Refusal::NoEnv { env: id, path: "EnvId".to_owned() })),
    }
}
