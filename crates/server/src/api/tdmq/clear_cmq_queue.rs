//! `ClearCmqQueue`; `ClearQueue` in `cmq`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::fields;

use super::{Action, submit_done};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "ClearCmqQueue",
    help: "Removes all messages of a queue, those too that it could have been set back to.",
    call: |app, params| Box::pin(call(app, params)),
};

pub(in crate::api) async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let name = fields::read(params, "", |reader| reader.required_string("QueueName"))?;
    submit_done(app, Command::ClearQueue { name }).await
}
