//! `CreateComputeEnv`.

use kernel::command::{Command, Reply};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::batch::{self, CreateComputeEnv};

use super::{at_site, submit};
use crate::App;
use crate::api::api3::{Action, unexpected};

pub(super) const ACTION: Action = Action {
    name: "CreateComputeEnv",
    help: "Makes a compute environment, a set of nodes, and tells its id.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let CreateComputeEnv { name, description, desired, spec, token } =
        at_site(app, |site| batch::create_compute_env(params, site))?;
    match submit(app, Command::CreateEnv { name, description, desired, spec: Box::new(spec), token }).await? {
        Reply::Env(id) => Ok(json!({"EnvId": id})),
        other => Err(unexpected(&other)),
    }
}
