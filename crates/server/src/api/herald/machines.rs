//! `DescribeMachines` and `DescribeJoinToken`.

use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;
use wire::time::Utc;

use crate::App;
use crate::api::api3::Action;

/// `DescribeMachines`
pub(super) const MACHINES: Action = Action {
    name: "DescribeMachines",
    help: "Lists the machines that joined, and which environment each is attached to.",
    call: |app, params| Box::pin(async move { machines(app, params) }),
};

/// `DescribeJoinToken`
pub(super) const TOKEN: Action = Action {
    name: "DescribeJoinToken",
    help: "Tells the token that a machine joins with.",
    call: |app, params| Box::pin(async move { token(app, params) }),
};

fn machines(app: &App, params: &Value) -> Result<Value, ApiError> {
    fields::read(params, "", |_| Ok(()))?;
    let (state, connected) = (app.state(), app.machines.connected());
    let set: Vec<Value> = state
        .machines()
        .map(|machine| {
            let node = state.node_on(machine.id);
            json!({
                "InstanceId": machine.id,
                "Name": machine.facts.name,
                "Cpu": machine.facts.cpu,
                "Mem": machine.facts.mem_gb,
                "Slots": machine.facts.slots,
                "JoinedTime": Utc(machine.joined),
                "ConnectedTime": Utc(machine.seen),
                "Connected": connected.contains(&machine.id),
                "EnvId": node.map(|node| node.env),
                "ComputeNodeId": node.map(|node| node.id),
                "ComputeNodeState": node.map(|node| node.stage.as_str()),
            })
        })
        .collect();
    Ok(json!({"TotalCount": set.len(), "MachineSet": set}))
}

fn token(app: &App, params: &Value) -> Result<Value, ApiError> {
    fields::read(params, "", |_| Ok(()))?;
    Ok(json!({"Token": app.machines.token()}))
}
