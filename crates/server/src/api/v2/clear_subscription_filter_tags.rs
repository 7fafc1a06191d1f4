//! `ClearSubscriptionFilterTags`, which the Java client calls `ClearSUbscriptionFIlterTags`.

use kernel::command::{Command, SubscriptionEdit};
use serde_json::Value;
use wire::v2::{Params, V2Error};

use super::fields::name;
use super::{Action, submit_done};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "ClearSubscriptionFilterTags",
    help: "Lets a subscription receive every message, whatever its tags.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let (topic, name) = (name(params, "topicName")?, name(params, "subscriptionName")?);
    let edit = SubscriptionEdit { filter_tags: Some(Vec::new()), ..SubscriptionEdit::default() };
    submit_done(app, Command::ModifySubscription { topic, name, edit: Box::new(edit) }).await
}
