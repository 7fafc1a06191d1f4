//! `SendMessage`.

use kernel::command::Command;
use serde_json::Value;
use wire::v2::{Params, V2Error};

use super::fields::{body, delay_s, name};
use super::{Action, msg_id, submit_messages};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "SendMessage",
    help: "Puts a message into a queue.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    Ok(msg_id(&submit_messages(app, command(params)?).await?))
}

pub(super) fn command(params: &Params) -> Result<Command, V2Error> {
    Ok(Command::Send { queue: name(params, "queueName")?, bodies: body(params)?, delay_s: delay_s(params)? })
}
