//! `DeleteCmqTopic`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::fields;

use super::{Action, submit_done};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "DeleteCmqTopic",
    help: "Deletes a topic and its subscriptions.",
    call: |app, params| Box::pin(call(app, params)),
};

pub(in crate::api) async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let name = fields::read(params, "", |reader| reader.required_string("TopicName"))?;
    submit_done(app, Command::DeleteTopic { name, with_subscriptions: true }).await
}
