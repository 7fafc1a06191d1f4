//! `DescribeNodes`.

use kernel::node::Node;
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::batch;

use crate::App;
use crate::api::api3::{Action, of_store};

pub(super) const ACTION: Action = Action {
    name: "DescribeNodes",
    help: "Tells what the agents of an environment's nodes say of themselves, and how they bound what runs there.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let id = batch::env_id(params)?;
    let found = app.read(move |reader| Ok((reader.env(id)?, reader.nodes(id)?))).await;
    let (env, nodes) = found.map_err(|error| of_store(&error))?;
    if env.is_none() {
        let message = format!("EnvId: compute environment {id} does not exist");
        return Err(ApiError::new("ResourceNotFound.ComputeEnv", message));
    }
    let set: Vec<Value> = nodes.iter().map(|node| view(node)).collect();
    Ok(json!({"TotalCount": set.len(), "NodeSet": set}))
}

/// A node; what its agent says is empty before it has said anything.
fn view(node: &Node) -> Value {
    json!({
        "ComputeNodeId": node.id.to_string(),
        "ComputeNodeState": node.stage.as_str(),
        "InstanceType": node.kind,
        "Slots": node.slots,
        "AgentVersion": node.agent_version,
        "Addresses": node.addresses,
        "Limits": node.limits,
        "Drained": node.drained,
        "StateReason": node.reason,
    })
}
