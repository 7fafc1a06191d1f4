//! `TerminateJob`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;

use super::submit_done;
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "TerminateJob",
    help: "Ends all instances of a job; the reply does not wait for that.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    submit_done(app, Command::TerminateJob(batch::job_id(params)?)).await
}
