//! `ModifyCmqTopicAttribute`; `ModifyTopicAttribute` in `cmq`.

use kernel::command::Command;
use kernel::topic::TopicEdit;
use serde_json::Value;
use wire::api3::ApiError;
use wire::fields;

use super::create_cmq_topic::MESSAGE_BYTES;
use super::fields::integer;
use super::{Action, submit_done};
use crate::App;
use crate::api::cmq::limits::TOPIC_RETENTION_S;

pub(super) const ACTION: Action = Action {
    name: "ModifyCmqTopicAttribute",
    help: "Changes attributes of a topic; those not given stay.",
    call: |app, params| Box::pin(call(app, params)),
};

pub(in crate::api) async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    submit_done(app, command(params)?).await
}

pub(super) fn command(params: &Value) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| {
        let name = reader.required_string("TopicName")?;
        let edit = TopicEdit {
            max_msg_bytes: integer(reader, "MaxMsgSize", MESSAGE_BYTES)?,
            retention_s: integer(reader, "MsgRetentionSeconds", TOPIC_RETENTION_S)?,
            trace: reader.bool("Trace")?,
        };
        Ok(Command::ModifyTopic { name, edit })
    })
}
