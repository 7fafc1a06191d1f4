//! `DescribeCmqSubscriptionDetail`.

use std::sync::Arc;

use kernel::state::State;
use kernel::subscription::{Endpoint, Subscription};
use kernel::topic::Topic;
use serde_json::{Value, json};
use store::Span;
use wire::api3::ApiError;
use wire::fields;

use super::dialect::Dialect;
use super::fields::{INVALID, filtered_name, span};
use super::refusal::no_topic;
use super::{Action, views};
use crate::App;
use crate::api::cmq::limits;

pub(super) const ACTION: Action = Action {
    name: "DescribeCmqSubscriptionDetail",
    help: "Lists the subscriptions of a topic, or those that fill a queue, the newest first.",
    call: |app, params| Box::pin(call(app, params, Dialect::Tdmq)),
};

/// Which subscriptions are asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Which {
    /// Those of this topic, if any is named.
    topic: Option<String>,
    /// Those that fill this queue, if any is named.
    queue: Option<String>,
    /// Those with this in their names.
    contains: String,
    span: Span,
}

pub(in crate::api) async fn call(app: &App, params: &Value, dialect: Dialect) -> Result<Value, ApiError> {
    let which = match dialect {
        Dialect::Tdmq => which(params)?,
        Dialect::Cmq => which_in_cmq(params)?,
    };
    let state = app.state();
    let found = find(&state, &which)?;
    let total = found.len();
    let owner = app.settings.topic_owner;
    let (offset, limit) = (usize::try_from(which.span.offset), usize::try_from(which.span.limit));
    let page = found.iter().skip(offset.unwrap_or(usize::MAX)).take(limit.unwrap_or(usize::MAX));
    let list: Vec<Value> = page.map(|(topic, found)| views::subscription(topic, found, owner, dialect)).collect();
    Ok(json!({"TotalCount": total, "SubscriptionSet": list}))
}

pub(super) fn which(params: &Value) -> Result<Which, ApiError> {
    fields::read(params, "", |reader| {
        // Some clients send what they were not given as empty texts.
        let given = |name: Option<String>| name.filter(|name| !name.is_empty());
        let topic = given(reader.string("TopicName")?);
        let queue = given(reader.string("QueueName")?);
        let (topic, queue) = match reader.string("QueryType")?.as_deref() {
            None | Some("topic") => (Some(reader.required("TopicName", topic)?), queue),
            Some("queue") => (topic, Some(reader.required("QueueName", queue)?)),
            Some(_) => return Err(reader.refuse("QueryType", INVALID, "it must be topic or queue")),
        };
        let contains = reader.string("SubscriptionName")?.unwrap_or_default();
        let span = span(reader, limits::SUBSCRIPTION_PAGE)?;
        Ok(Which { topic, queue, contains, span })
    })
}

fn which_in_cmq(params: &Value) -> Result<Which, ApiError> {
    fields::read(params, "", |reader| {
        let topic = Some(reader.required_string("TopicName")?);
        let contains = filtered_name(reader, "SubscriptionName")?.unwrap_or_default();
        Ok(Which { topic, queue: None, contains, span: span(reader, limits::SUBSCRIPTION_PAGE)? })
    })
}

/// A subscription, with its topic.
type Found<'a> = (&'a Arc<Topic>, &'a Arc<Subscription>);

fn find<'a>(state: &'a State, which: &Which) -> Result<Vec<Found<'a>>, ApiError> {
    let topic = match &which.topic {
        None => None,
        Some(name) => Some(state.topic_named(name).ok_or_else(|| no_topic(name.clone()))?.no),
    };
    let contains = which.contains.to_lowercase();
    let wanted = |subscription: &Subscription| {
        topic.is_none_or(|topic| subscription.key.topic == topic)
            && which.queue.as_ref().is_none_or(|queue| fills(subscription, queue))
            && subscription.name.to_lowercase().contains(&contains)
    };
    let found = state.subscriptions().filter(|subscription| wanted(subscription));
    let with_topic = |subscription: &'a Arc<Subscription>| Some((state.topic(subscription.key.topic)?, subscription));
    let mut found: Vec<_> = found.filter_map(with_topic).collect();
    found.sort_by_key(|(_, subscription)| std::cmp::Reverse((subscription.created, subscription.key)));
    Ok(found)
}

fn fills(subscription: &Subscription, queue: &str) -> bool {
    matches!(&subscription.endpoint, Endpoint::Queue { name, .. } if name.to_lowercase() == queue.to_lowercase())
}
