//! `SubmitJob`.

use kernel::command::{Command, Reply};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::batch;

use super::{at_site, submit};
use crate::App;
use crate::api::api3::{Action, unexpected};

pub(super) const ACTION: Action = Action {
    name: "SubmitJob",
    help: "Accepts a job, a graph of tasks, and tells its id.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let job = at_site(app, |site| batch::submit_job(params, site))?;
    match submit(app, Command::SubmitJob { spec: Box::new(job.spec), token: job.token }).await? {
        Reply::Job(id) => Ok(json!({"JobId": id})),
        other => Err(unexpected(&other)),
    }
}
