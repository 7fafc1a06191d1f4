//! `DescribeComputeEnvActivities`.

use kernel::command::Refusal;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;
use wire::batch::reply::describe_compute_env_activities;

use crate::App;
use crate::api::api3::{Action, of_store};

pub(super) const ACTION: Action = Action {
    name: "DescribeComputeEnvActivities",
    help: "Lists how nodes of a compute environment came and went, the newest first.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let request = batch::describe_compute_env_activities(params)?;
    if app.state().public_env(request.env).is_none() {
        return Err(batch::refusal(&Refusal::NoEnv { env: request.env, path: "EnvId".to_owned() }));
    }
    let page = app.read(move |reader| reader.activities(request.env, &request.nodes, request.page)).await;
    let page = page.map_err(|error| of_store(&error))?;
    Ok(describe_compute_env_activities(page.total, &page.items))
}
