//! `UnbindCmqDeadLetter`; `UnbindDeadLetter` in `cmq`, which calls the queue `QueueName`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::fields;

use super::dialect::Dialect;
use super::{Action, submit_done};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "UnbindCmqDeadLetter",
    help: "Sends no more dead letters of a queue anywhere.",
    call: |app, params| Box::pin(call(app, params, Dialect::Tdmq)),
};

pub(in crate::api) async fn call(app: &App, params: &Value, dialect: Dialect) -> Result<Value, ApiError> {
    let key = match dialect {
        Dialect::Tdmq => "SourceQueueName",
        Dialect::Cmq => "QueueName",
    };
    let name = fields::read(params, "", |reader| reader.required_string(key))?;
    submit_done(app, Command::UnbindDeadLetter { name }).await
}
