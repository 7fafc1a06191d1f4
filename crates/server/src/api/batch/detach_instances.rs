//! `DetachInstances`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch::{self, EnvMachines};

use super::submit_done;
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "DetachInstances",
    help: "Takes attached machines out of a compute environment; what runs there is ended.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let EnvMachines { env, machines } = batch::detach_instances(params)?;
    submit_done(app, Command::DetachMachines(env, machines)).await
}
