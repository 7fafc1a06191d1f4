//! `ModifyComputeEnv`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch::{self, ModifyComputeEnv};

use super::submit_done;
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "ModifyComputeEnv",
    help: "Changes how many nodes a compute environment has, its name or its description.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let ModifyComputeEnv { env, edit } = batch::modify_compute_env(params)?;
    submit_done(app, Command::ModifyEnv(env, edit)).await
}
