//! `DescribeComputeEnvCreateInfos`.

use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;
use wire::batch::reply::describe_compute_env_create_infos;

use super::at_site;
use crate::App;
use crate::api::api3::{Action, of_store};

pub(super) const ACTION: Action = Action {
    name: "DescribeComputeEnvCreateInfos",
    help: "Lists what compute environments were asked to be, the newest first.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (filter, page) = at_site(app, |site| batch::describe_compute_env_create_infos(params, site))?;
    let page = app.read(move |reader| reader.envs(&filter, page)).await.map_err(|error| of_store(&error))?;
    let envs: Vec<_> = page.items.into_iter().map(|listed| listed.env).collect();
    Ok(describe_compute_env_create_infos(page.total, &envs))
}
