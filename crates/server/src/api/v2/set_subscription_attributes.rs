//! `SetSubscriptionAttributes`.

use kernel::command::{Command, SubscriptionEdit};
use serde_json::{Value, json};
use wire::v2::{Params, V2Code, V2Error};

use super::fields::{binding_keys, format, manner, name, strategy, tags};
use super::{Action, submit_done};
use crate::App;
use crate::api::cmq::{read, words};

pub(super) const ACTION: Action = Action {
    name: "SetSubscriptionAttributes",
    help: "Changes strategy, format and filter of a subscription; what is not given stays.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let command = command(params)?;
    let drawn = words::drawn(&command);
    let reply = submit_done(app, command).await?;
    match drawn.and_then(|(topic, name)| read::secret(app, &topic, &name)) {
        Some(secret) => Ok(json!({"signatureSecret": secret})),
        None => Ok(reply),
    }
}

/// The PHP client also sends `endpoint` and `protocol`, which cannot change and are not looked at.
pub(super) fn command(params: &Params) -> Result<Command, V2Error> {
    let (topic, name) = (name(params, "topicName")?, name(params, "subscriptionName")?);
    // A list takes the place of the one before; without one that stays.
    let given = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
    let edit = SubscriptionEdit {
        strategy: strategy(params)?,
        format: format(params)?,
        filter_tags: given(tags(params, "filterTag", V2Code::FilterTagCount)?),
        binding_keys: given(binding_keys(params)?),
        manner: manner(params)?,
    };
    Ok(Command::ModifySubscription { topic, name, edit: Box::new(edit) })
}
