//! `BatchSendMessage`.

use kernel::command::Command;
use serde_json::Value;
use wire::v2::{Params, V2Error};

use super::fields::{bodies, delay_s, name};
use super::{Action, msg_list, submit_messages};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "BatchSendMessage",
    help: "Puts up to 16 messages into a queue: all of them or none.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    Ok(msg_list(&submit_messages(app, command(params)?).await?))
}

pub(super) fn command(params: &Params) -> Result<Command, V2Error> {
    Ok(Command::Send { queue: name(params, "queueName")?, bodies: bodies(params)?, delay_s: delay_s(params)? })
}
