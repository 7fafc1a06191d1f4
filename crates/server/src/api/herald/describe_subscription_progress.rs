//! `DescribeSubscriptionProgress`.

use kernel::subscription::Subscription;
use kernel::topic::{FilterType, Topic};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;

use super::fields::{subscription, topic};
use super::replay;
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "DescribeSubscriptionProgress",
    help: "Tells where a subscription began, how far in its topic it is, and how its replays stand.",
    call: |app, params| Box::pin(async move { call(app, params) }),
};

fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (topic_name, name) = fields::read(params, "", |reader| {
        Ok((reader.required_string("TopicName")?, reader.required_string("SubscriptionName")?))
    })?;
    let state = app.state();
    let topic = topic(&state, &topic_name)?;
    let subscription = subscription(&state, &topic, &name)?;
    Ok(json!({
        "TopicName": topic.name,
        "SubscriptionName": subscription.name,
        "Filtered": is_filtered(&topic, &subscription),
        "StartPlace": subscription.start,
        "DonePlace": subscription.cursor,
        "LastPlace": topic.end(),
        "ReplaySet": subscription.replays.iter().rev().map(replay::view).collect::<Vec<_>>(),
    }))
}

/// Whether there may be messages that the subscription does not want.
fn is_filtered(topic: &Topic, subscription: &Subscription) -> bool {
    match topic.filter {
        FilterType::Tags => !subscription.filter_tags.is_empty(),
        FilterType::Routing => !subscription.binding_keys.iter().any(|key| key == "#"),
    }
}
