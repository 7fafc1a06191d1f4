//! `RetryJobs`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;

use super::submit_done;
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "RetryJobs",
    help: "Runs the failed instances of failed jobs again: of all the jobs named, or of none.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    submit_done(app, Command::RetryJobs(batch::retry_jobs(params)?)).await
}
