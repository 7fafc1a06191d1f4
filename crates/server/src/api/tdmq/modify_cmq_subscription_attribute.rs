//! `ModifyCmqSubscriptionAttribute`; `ModifySubscriptionAttribute` in `cmq`.

use kernel::command::{Command, SubscriptionEdit};
use serde_json::Value;
use wire::api3::ApiError;
use wire::fields;

use super::create_cmq_subscribe::{asked_format, binding_keys, filter_tags, strategy};
use super::fields::manner;
use super::{Action, submit_done};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "ModifyCmqSubscriptionAttribute",
    help: "Changes strategy, format and filter of a subscription; what is not given stays.",
    call: |app, params| Box::pin(call(app, params)),
};

pub(in crate::api) async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    submit_done(app, command(params)?).await
}

/// A list takes the place of the one before; without one, or with an empty one, that stays: to have no tags there is
/// an action of its own.
pub(super) fn command(params: &Value) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| {
        let (topic, name) = (reader.required_string("TopicName")?, reader.required_string("SubscriptionName")?);
        let given = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
        let edit = SubscriptionEdit {
            strategy: strategy(reader)?,
            format: asked_format(reader)?,
            filter_tags: given(filter_tags(reader, "FilterTags")?),
            binding_keys: given(binding_keys(reader)?),
            manner: manner(reader)?,
        };
        Ok(Command::ModifySubscription { topic, name, edit: Box::new(edit) })
    })
}
