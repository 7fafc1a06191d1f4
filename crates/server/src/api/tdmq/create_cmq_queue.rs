//! `CreateCmqQueue`; `CreateQueue` in `cmq`.

use kernel::command::{Command, Reply};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;

use super::dialect::Dialect;
use super::refusal::of_refusal;
use super::{Action, queue_fields, submit, unexpected};
use crate::App;
use crate::ledger::Lane;

pub(super) const ACTION: Action = Action {
    name: "CreateCmqQueue",
    help: "Makes a queue.",
    call: |app, params| Box::pin(call(app, params, Dialect::Tdmq)),
};

pub(in crate::api) async fn call(app: &App, params: &Value, dialect: Dialect) -> Result<Value, ApiError> {
    match submit(app, Lane::Api, command(params, dialect)?, of_refusal).await? {
        Reply::Queue(id) => Ok(json!({"QueueId": dialect.queue_id(id)})),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn command(params: &Value, dialect: Dialect) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| queue_fields::create(reader, dialect))
}
