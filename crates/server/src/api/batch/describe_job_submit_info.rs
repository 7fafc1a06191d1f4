//! `DescribeJobSubmitInfo`.

use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;
use wire::batch::reply::describe_job_submit_info;

use super::no_job;
use crate::App;
use crate::api::api3::{Action, of_store};

pub(super) const ACTION: Action = Action {
    name: "DescribeJobSubmitInfo",
    help: "Shows a job as it was submitted, without secrets.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let id = batch::job_id(params)?;
    let found = app.read(move |reader| reader.job(id)).await.map_err(|error| of_store(&error))?;
    found.map(|rows| describe_job_submit_info(&rows.job)).ok_or_else(|| no_job(id))
}
