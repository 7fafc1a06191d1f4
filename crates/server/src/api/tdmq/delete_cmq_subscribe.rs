//! `DeleteCmqSubscribe`.

use kernel::command::Command;
use serde_json::Value;
use wire::api3::ApiError;
use wire::fields;

use super::{Action, submit_done};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "DeleteCmqSubscribe",
    help: "Deletes a subscription.",
    call: |app, params| Box::pin(call(app, params)),
};

pub(in crate::api) async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (topic, name) = fields::read(params, "", |reader| {
        Ok((reader.required_string("TopicName")?, reader.required_string("SubscriptionName")?))
    })?;
    submit_done(app, Command::Unsubscribe { topic, name }).await
}
