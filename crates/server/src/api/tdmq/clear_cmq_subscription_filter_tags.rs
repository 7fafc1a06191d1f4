//! `ClearCmqSubscriptionFilterTags`; `ClearSubscriptionFilterTags` in `cmq`.

use kernel::command::{Command, SubscriptionEdit};
use serde_json::Value;
use wire::api3::ApiError;
use wire::fields;

use super::{Action, submit_done};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "ClearCmqSubscriptionFilterTags",
    help: "Lets a subscription receive every message, whatever its tags.",
    call: |app, params| Box::pin(call(app, params)),
};

pub(in crate::api) async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (topic, name) = fields::read(params, "", |reader| {
        Ok((reader.required_string("TopicName")?, reader.required_string("SubscriptionName")?))
    })?;
    let edit = Box::new(SubscriptionEdit { filter_tags: Some(Vec::new()), ..SubscriptionEdit::default() });
    submit_done(app, Command::ModifySubscription { topic, name, edit }).await
}
