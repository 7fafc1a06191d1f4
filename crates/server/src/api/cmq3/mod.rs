//! API 3.0 `cmq` 2019-03-04: the older product for the same topics and queues. Its actions are those of `tdmq`, in
//! other words and with times in seconds; its lists show one thing or many, and say how far a queue has moved to the
//! newer product (it never does).

use serde_json::{Value, json};
use store::{NameFilter, Span, Tagged};
use wire::api3::ApiError;
use wire::fields;

use super::api3::{Action, of_store};
use super::cmq::{limits, read};
use super::tdmq::dialect::Dialect::Cmq;
use super::tdmq::fields::{filtered_name, span};
use super::tdmq::views;
use super::tdmq::{
    clear_cmq_queue, clear_cmq_subscription_filter_tags, create_cmq_queue, create_cmq_subscribe, create_cmq_topic,
    delete_cmq_queue, delete_cmq_subscribe, delete_cmq_topic, describe_cmq_dead_letter_source_queues,
    describe_cmq_subscription_detail, modify_cmq_queue_attribute, modify_cmq_subscription_attribute,
    modify_cmq_topic_attribute, rewind_cmq_queue, unbind_cmq_dead_letter,
};
use crate::App;

/// All actions of `cmq`.
pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "CreateQueue",
        help: "Makes a queue.",
        call: |app, params| Box::pin(create_cmq_queue::call(app, params, Cmq)),
    },
    Action {
        name: "ModifyQueueAttribute",
        help: "Changes attributes of a queue; those not given stay.",
        call: |app, params| Box::pin(modify_cmq_queue_attribute::call(app, params, Cmq)),
    },
    Action {
        name: "DescribeQueueDetail",
        help: "Lists queues with their attributes, the newest first.",
        call: |app, params| Box::pin(describe_queue_detail(app, params)),
    },
    Action {
        name: "DeleteQueue",
        help: "Deletes a queue and its messages.",
        call: |app, params| Box::pin(delete_cmq_queue::call(app, params)),
    },
    Action {
        name: "ClearQueue",
        help: "Removes all messages of a queue, those too that it could have been set back to.",
        call: |app, params| Box::pin(clear_cmq_queue::call(app, params)),
    },
    Action {
        name: "RewindQueue",
        help: "Sets a queue back: messages deleted since a moment, given in seconds since 1970, come again.",
        call: |app, params| Box::pin(rewind_cmq_queue::call(app, params, Cmq)),
    },
    Action {
        name: "DescribeDeadLetterSourceQueues",
        help: "Lists the queues whose dead letters a queue takes.",
        call: |app, params| Box::pin(describe_cmq_dead_letter_source_queues::call(app, params, Cmq)),
    },
    Action {
        name: "UnbindDeadLetter",
        help: "Sends no more dead letters of a queue anywhere.",
        call: |app, params| Box::pin(unbind_cmq_dead_letter::call(app, params, Cmq)),
    },
    Action {
        name: "CreateTopic",
        help: "Makes a topic.",
        call: |app, params| Box::pin(create_cmq_topic::call(app, params, Cmq)),
    },
    Action {
        name: "ModifyTopicAttribute",
        help: "Changes attributes of a topic; those not given stay.",
        call: |app, params| Box::pin(modify_cmq_topic_attribute::call(app, params)),
    },
    Action {
        name: "DescribeTopicDetail",
        help: "Lists topics with their attributes, the newest first.",
        call: |app, params| Box::pin(describe_topic_detail(app, params)),
    },
    Action {
        name: "DeleteTopic",
        help: "Deletes a topic with its subscriptions.",
        call: |app, params| Box::pin(delete_cmq_topic::call(app, params)),
    },
    Action {
        name: "CreateSubscribe",
        help: "Makes a subscription.",
        call: |app, params| Box::pin(create_cmq_subscribe::call(app, params)),
    },
    Action {
        name: "ModifySubscriptionAttribute",
        help: "Changes strategy, format and filter of a subscription; what is not given stays.",
        call: |app, params| Box::pin(modify_cmq_subscription_attribute::call(app, params)),
    },
    Action {
        name: "DescribeSubscriptionDetail",
        help: "Lists the subscriptions of a topic, the newest first.",
        call: |app, params| Box::pin(describe_cmq_subscription_detail::call(app, params, Cmq)),
    },
    Action {
        name: "DeleteSubscribe",
        help: "Deletes a subscription.",
        call: |app, params| Box::pin(delete_cmq_subscribe::call(app, params)),
    },
    Action {
        name: "ClearSubscriptionFilterTags",
        help: "Lets a subscription receive every message, whatever its tags.",
        call: |app, params| Box::pin(clear_cmq_subscription_filter_tags::call(app, params)),
    },
];

async fn describe_queue_detail(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (filter, span) = which(params, "QueueName")?;
    let page = read::queue_views(app, filter, span).await.map_err(|error| of_store(&error))?;
    let list: Vec<Value> = page.items.iter().map(|view| views::queue(view, app.settings.topic_owner, Cmq)).collect();
    Ok(json!({"TotalCount": page.total, "QueueSet": list}))
}

async fn describe_topic_detail(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (filter, span) = which(params, "TopicName")?;
    let page = read::topic_views(app, filter, span).await.map_err(|error| of_store(&error))?;
    let list: Vec<Value> = page.items.iter().map(|view| views::topic(view, app.settings.topic_owner, Cmq)).collect();
    Ok(json!({"TotalCount": page.total, "TopicSet": list}))
}

/// Which of a list: `key` holds a whole name, the filter of this name a part of one, `TagKey` the key of a tag.
fn which(params: &Value, key: &str) -> Result<(NameFilter, Span), ApiError> {
    fields::read(params, "", |reader| {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let filter = NameFilter {
            contains: filtered_name(reader, key)?.unwrap_or_default(),
            names: given(reader.string(key)?).into_iter().collect(),
            tags: Tagged { keys: given(reader.string("TagKey")?).into_iter().collect(), ..Tagged::default() },
        };
        Ok((filter, span(reader, limits::PAGE)?))
    })
}

#[cfg(test)]
mod tests;
