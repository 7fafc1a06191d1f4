//! `AttachInstances`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch::{self, EnvMachines};

use super::submit_done;
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "AttachInstances",
    help: "Makes machines that joined (`herald agent --join`) nodes of a compute environment.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let EnvMachines { env, machines } = batch::attach_instances(params)?;
    let connected = app.machines.connected();
    submit_done(app, Command::AttachMachines { env, machines, connected }).await
}
