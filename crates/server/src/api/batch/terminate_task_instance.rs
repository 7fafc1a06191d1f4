//! `TerminateTaskInstance`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::batch::{self, TerminateTaskInstance};

use super::submit_done;
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "TerminateTaskInstance",
    help: "Ends one instance of a job; no retry follows, and the reply does not wait for its end.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let TerminateTaskInstance { job, task_name, index } = batch::terminate_task_instance(params)?;
    submit_done(app, Command::TerminateInstance { job, task: task_name, index }).await
}
