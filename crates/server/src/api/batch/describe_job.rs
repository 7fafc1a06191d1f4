//! `DescribeJob`.

use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;
use wire::batch::reply::describe_job;

use super::no_job;
use crate::App;
use crate::api::api3::{Action, of_store};

pub(super) const ACTION: Action = Action {
    name: "DescribeJob",
    help: "Shows a job with its tasks and counters.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let id = batch::job_id(params)?;
    let found = app.read(move |reader| reader.job(id)).await.map_err(|error| of_store(&error))?;
    found.map(|rows| describe_job(&rows.job, &rows.tasks)).ok_or_else(|| no_job(id))
}
