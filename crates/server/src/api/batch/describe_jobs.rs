//! `DescribeJobs`.

use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;
use wire::batch::reply::describe_jobs;

use super::at_site;
use crate::App;
use crate::api::api3::{Action, of_store};

pub(super) const ACTION: Action = Action {
    name: "DescribeJobs",
    help: "Lists jobs, the newest first.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let request = at_site(app, |site| batch::describe_jobs(params, site))?;
    let page =
        app.read(move |reader| reader.jobs(&request.filter, request.page)).await.map_err(|error| of_store(&error))?;
    Ok(describe_jobs(page.total, &page.items))
}
