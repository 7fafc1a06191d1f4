//! `ModifyCmqQueueAttribute`; `ModifyQueueAttribute` in `cmq`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::fields;

use super::dialect::Dialect;
use super::{Action, queue_fields, submit_done};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "ModifyCmqQueueAttribute",
    help: "Changes attributes of a queue; those not given stay.",
    call: |app, params| Box::pin(call(app, params, Dialect::Tdmq)),
};

pub(in crate::api) async fn call(app: &App, params: &Value, dialect: Dialect) -> Result<Value, ApiError> {
    submit_done(app, command(params, dialect)?).await
}

pub(super) fn command(params: &Value, dialect: Dialect) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| queue_fields::modify(reader, dialect))
}
