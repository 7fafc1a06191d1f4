//! `ModifyComputeEnv`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch::{self, ModifyComputeEnv};

use super::{at_site, submit_done};
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "ModifyComputeEnv",
    help: "Changes how many nodes a compute environment has, its name, its description or what new nodes are.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let ModifyComputeEnv { env, edit } = at_site(app, |site| batch::modify_compute_env(params, site))?;
    submit_done(app, Command::ModifyEnv(env, edit)).await
}
