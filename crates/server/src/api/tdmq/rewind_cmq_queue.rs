//! `RewindCmqQueue`; `RewindQueue` in `cmq`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::fields;

use super::dialect::Dialect;
use super::fields::INVALID;
use super::{Action, submit_done};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "RewindCmqQueue",
    help: "Sets a queue back: messages deleted since a moment, given in milliseconds since 1970, come again.",
    call: |app, params| Box::pin(call(app, params, Dialect::Tdmq)),
};

pub(in crate::api) async fn call(app: &App, params: &Value, dialect: Dialect) -> Result<Value, ApiError> {
    submit_done(app, command(params, dialect)?).await
}

pub(super) fn command(params: &Value, dialect: Dialect) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| {
        let name = reader.required_string("QueueName")?;
        let key = "StartConsumeTime";
        let to = dialect.moment(reader.required_u64(key)?);
        let to = to.ok_or_else(|| reader.refuse(key, INVALID, "it must be a moment since 1970"))?;
        Ok(Command::RewindQueue { name, to })
    })
}
