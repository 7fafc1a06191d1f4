//! `PublishMessage`.

use std::sync::Arc;

use kernel::command::Command;
use serde_json::Value;
use wire::v2::{Params, V2Code, V2Error};

use super::fields::{body, name, routing_key, tags};
use super::{Action, msg_id, submit_messages};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "PublishMessage",
    help: "Publishes a message to a topic.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    Ok(msg_id(&submit_messages(app, command(params, body(params)?)?).await?))
}

/// Publishes these texts, with the tags and the routing key of the request.
pub(super) fn command(params: &Params, bodies: Vec<Arc<str>>) -> Result<Command, V2Error> {
    Ok(Command::Publish {
        topic: name(params, "topicName")?,
        bodies,
        tags: tags(params, "msgTag", V2Code::TooManyMsgTags)?,
        routing_key: routing_key(params)?,
    })
}
