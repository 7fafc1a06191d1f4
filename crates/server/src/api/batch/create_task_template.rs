//! `CreateTaskTemplate`.

use kernel::command::{Command, Reply};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::batch;

use super::{at_site, submit};
use crate::App;
use crate::api::api3::{Action, unexpected};

pub(super) const ACTION: Action = Action {
    name: "CreateTaskTemplate",
    help: "Keeps a task to make jobs from, and tells its id.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let spec = at_site(app, |site| batch::create_task_template(params, site))?;
    match submit(app, Command::CreateTemplate(Box::new(spec))).await? {
        Reply::Template(id) => Ok(json!({"TaskTemplateId": id})),
        other => Err(unexpected(&other)),
    }
}
