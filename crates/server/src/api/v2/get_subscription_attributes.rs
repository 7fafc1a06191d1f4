//! `GetSubscriptionAttributes`.

use kernel::command::Refusal;
use kernel::subscription::Subscription;
use kernel::topic::Topic;
use serde_json::{Value, json};
use wire::v2::{Params, V2Code, V2Error};

use super::Action;
use super::fields::name;
use super::refusal::of_refusal;
use crate::App;
use crate::api::cmq::{manner, read, words};

pub(super) const ACTION: Action = Action {
    name: "GetSubscriptionAttributes",
    help: "Shows the attributes of a subscription and how many messages it waits for.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let (topic, name) = (name(params, "topicName")?, name(params, "subscriptionName")?);
    let state = app.state();
    let topic = state.topic_named(&topic).ok_or_else(|| V2Code::NoTopic.error())?;
    match read::subscription(&state, topic.no, &name) {
        Some(found) => Ok(attributes(topic, found, app.settings.topic_owner)),
        None => Err(of_refusal(&Refusal::NoSubscription { topic: topic.name.clone(), name })),
    }
}

/// Clients differ in how they spell some names, so some stand here twice.
fn attributes(topic: &Topic, subscription: &Subscription, owner: u64) -> Value {
    let (protocol, endpoint) = words::endpoint(&subscription.endpoint);
    let mut shown = json!({
        "topicOwner": owner,
        "topicName": topic.name,
        "subscriptionName": subscription.name,
        "subscriptionId": subscription.id,
        "protocol": protocol,
        "protocal": protocol,
        "endpoint": endpoint,
        "notifyStrategy": subscription.strategy.as_str(),
        "notifyContentFormat": subscription.format.as_str(),
        "filterTag": subscription.filter_tags,
        "filterTags": subscription.filter_tags,
        "bindingKey": subscription.binding_keys,
        "bindindKey": subscription.binding_keys,
        "msgCount": read::waiting(topic, subscription),
        "createTime": subscription.created.seconds(),
        "lastModifyTime": subscription.modified.seconds(),
    });
    for (name, value) in manner::fields(subscription, |at| at.seconds()) {
        shown[manner::v2_name(name)] = value;
    }
    shown
}
