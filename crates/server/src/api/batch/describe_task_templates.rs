//! `DescribeTaskTemplates`.

use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;
use wire::batch::reply::describe_task_templates;

use crate::App;
use crate::api::api3::{Action, of_store};

pub(super) const ACTION: Action = Action {
    name: "DescribeTaskTemplates",
    help: "Lists task templates, the newest first.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let request = batch::describe_task_templates(params)?;
    let page = app.read(move |reader| reader.templates(&request.filter, request.page)).await;
    let page = page.map_err(|error| of_store(&error))?;
    Ok(describe_task_templates(page.total, &page.items))
}
