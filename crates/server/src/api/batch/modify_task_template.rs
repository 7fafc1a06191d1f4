//! `ModifyTaskTemplate`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;

use super::{at_site, submit_done};
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "ModifyTaskTemplate",
    help: "Changes a task template's name, description or task.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (template, edit) = at_site(app, |site| batch::modify_task_template(params, site))?;
    submit_done(app, Command::ModifyTemplate(template, edit)).await
}
