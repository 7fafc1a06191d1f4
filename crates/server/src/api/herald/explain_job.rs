//! `ExplainJob`.

use kernel::command::{Command, Reply};
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;
use wire::explain::explain_job;

use crate::App;
use crate::api::api3::{Action, unexpected};
use crate::api::batch::submit;

pub(super) const ACTION: Action = Action {
    name: "ExplainJob",
    help: "Tells why each task of a job that does not run does not run.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let id = batch::job_id(params)?;
    match submit(app, Command::ExplainJob(id)).await? {
        Reply::Explained(explained) => Ok(explain_job(id, &explained)),
        other => Err(unexpected(&other)),
    }
}
