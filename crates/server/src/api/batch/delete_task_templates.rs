//! `DeleteTaskTemplates`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch;

use super::submit_done;
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "DeleteTaskTemplates",
    help: "Erases task templates; jobs made from them go on.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    submit_done(app, Command::DeleteTemplates(batch::delete_task_templates(params)?)).await
}
