//! `DescribeComputeEnvs`.

use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;
use wire::batch::reply::{NodeCounts, describe_compute_envs};

use super::at_site;
use crate::App;
use crate::api::api3::{Action, of_store};

pub(super) const ACTION: Action = Action {
    name: "DescribeComputeEnvs",
    help: "Lists compute environments, the newest first.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let request = at_site(app, |site| batch::describe_compute_envs(params, site))?;
    let Some(filter) = request.filter else { return Ok(describe_compute_envs(0, &[])) };
    let page = app.read(move |reader| reader.envs(&filter, request.page)).await.map_err(|error| of_store(&error))?;
    let envs: Vec<_> = page.items.into_iter().map(|listed| (listed.env, counts(listed.nodes))).collect();
    Ok(describe_compute_envs(page.total, &envs))
}

fn counts(nodes: store::NodeCounts) -> NodeCounts {
    let store::NodeCounts { submitted, creating, created, creation_failed, running, abnormal, deleting, attached } =
        nodes;
    NodeCounts { submitted, creating, created, creation_failed, running, abnormal, deleting, attached }
}
