//! `SendCmqMsg`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::fields;

use super::fields::{content, integer};
use super::{Action, submit_message};
use crate::App;
use crate::api::cmq::limits::DELAY_S;

pub(super) const ACTION: Action = Action {
    name: "SendCmqMsg",
    help: "Puts a message into a queue.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    submit_message(app, command(params)?).await
}

pub(super) fn command(params: &Value) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| {
        let (queue, bodies) = (reader.required_string("QueueName")?, content(reader)?);
        let delay_s = integer(reader, "DelaySeconds", 0..=DELAY_S)?;
        Ok(Command::Send { queue, bodies, delay_s: reader.required("DelaySeconds", delay_s)? })
    })
}
