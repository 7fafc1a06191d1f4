//! `DescribeMachines` and `CreateJoinToken`.

use kernel::access::AccessCommand;
use kernel::command::{Command, Reply};
use kernel::limits::{JOIN_TOKEN_DEFAULT_S, JOIN_TOKEN_S};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;
use wire::time::Utc;

use crate::App;
use crate::api::api3::{Action, internal, submit, unexpected};
use crate::api::tdmq;
use crate::data::draw_word;
use crate::ledger::Lane;
use crate::machines::digest;

/// Characters of a token that a machine joins with.
const JOIN_TOKEN_CHARS: usize = 40;

/// `DescribeMachines`
pub(super) const MACHINES: Action = Action {
    name: "DescribeMachines",
    help: "Lists the machines that joined, and which environment each is attached to.",
    call: |app, params| Box::pin(async move { machines(app, params) }),
};

/// `CreateJoinToken`
pub(super) const TOKEN: Action = Action {
    name: "CreateJoinToken",
    help: "Makes a token with which one machine can join, once and for a time.",
    call: |app, params| Box::pin(token(app, params)),
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

async fn token(app: &App, params: &Value) -> Result<Value, ApiError> {
    let valid_s = fields::read(params, "", |reader| {
        let valid_s = reader.u64("ValidSeconds")?.unwrap_or(JOIN_TOKEN_DEFAULT_S);
        if !(1..=JOIN_TOKEN_S).contains(&valid_s) {
            let rule = format!("it must be from 1 to {JOIN_TOKEN_S}");
            return Err(reader.refuse("ValidSeconds", "InvalidParameterValue", rule));
        }
        Ok(valid_s)
    })?;
    let token = draw_word(JOIN_TOKEN_CHARS).map_err(|error| {
        tracing::error!(%error, "failed to draw a token");
        internal()
    })?;
    let command = Command::from(AccessCommand::CreateJoinToken { digest: digest(&token), valid_s });
    match submit(app, Lane::Api, command, tdmq::of_refusal).await? {
        Reply::Done => {
            // Whoever has the token knows the server by its certificate, too.
            let token = app.settings.pin.map_or_else(|| token.clone(), |pin| format!("{token}.{pin}"));
            Ok(json!({"Token": token, "ValidSeconds": valid_s}))
        }
        other => Err(unexpected(&other)),
    }
}
