//! `SetTopicAttributes`.

use kernel::command::Command;
use kernel::topic::TopicEdit;
use serde_json::Value;
use wire::v2::{Params, V2Error};

use super::fields::name;
use super::{Action, submit_done};
use crate::App;
use crate::api::cmq::limits::MESSAGE_BYTES;

pub(super) const ACTION: Action = Action {
    name: "SetTopicAttributes",
    help: "Changes the size that a topic's messages may have.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    submit_done(app, command(params)?).await
}

pub(super) fn command(params: &Params) -> Result<Command, V2Error> {
    let name = name(params, "topicName")?;
    let edit = TopicEdit { max_msg_bytes: params.integer("maxMsgSize", MESSAGE_BYTES)?, ..TopicEdit::default() };
    Ok(Command::ModifyTopic { name, edit })
}
