//! `BatchPublishMessage`.

use serde_json::Value;
use wire::v2::{Params, V2Error};

use super::fields::bodies;
use super::publish_message::command;
use super::{Action, msg_list, submit_messages};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "BatchPublishMessage",
    help: "Publishes up to 16 messages to a topic, with the same tags and routing key: all of them or none.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    Ok(msg_list(&submit_messages(app, command(params, bodies(params)?)?).await?))
}
