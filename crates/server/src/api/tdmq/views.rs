//! Queues, topics and subscriptions as `tdmq` and `cmq` show them. What is not built is shown as being off; rates and limits
//! that nothing here has are those that Tencent Cloud shows.

use std::sync::Arc;

use kernel::queue::{DeadLetterRule, Queue};
use kernel::subscription::Subscription;
use kernel::topic::{FilterType, Topic};
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::queue_fields::MB;
use crate::api::cmq::dead_letter;
use crate::api::cmq::limits::DELAY_S;
use crate::api::cmq::read::{self, QueueView, TopicView};
use crate::api::cmq::{manner, words};

/// Messages a second.
const QPS: u64 = 5_000;
/// Bytes a second.
const BPS: u64 = 52_428_800;
/// Messages of a queue that are received and not deleted.
const UNACKED: u64 = 100_000;
/// Bytes of a queue's messages.
const BACKLOG_BYTES: u64 = 10_737_418_240;
/// That a queue or topic has not moved to the newer product.
const NOT_MIGRATED: u64 = 4;
/// The status of what is there.
const NORMAL: u64 = 1;

/// A CmqQueue.
pub(in crate::api) fn queue(view: &QueueView, owner: u64, dialect: Dialect) -> Value {
    let QueueView { queue, figures, sources, .. } = view;
    let source = |source: &Arc<Queue>| json!({"QueueId": dialect.queue_id(source.id), "QueueName": source.name});
    let mut fields = json!({
        "QueueId": dialect.queue_id(queue.id),
        "QueueName": queue.name,
        "Qps": QPS,
        "Bps": BPS,
        "MaxDelaySeconds": DELAY_S,
        "MaxMsgHeapNum": queue.settings.max_messages,
        "PollingWaitSeconds": queue.settings.polling_wait_s,
        "MsgRetentionSeconds": queue.settings.retention_s,
        "VisibilityTimeout": queue.settings.visibility_s,
        "MaxMsgSize": queue.settings.max_msg_bytes,
        "RewindSeconds": queue.settings.rewind_s,
        "CreateTime": dialect.time(queue.created),
        "LastModifyTime": dialect.time(queue.modified),
        "ActiveMsgNum": figures.active,
        "InactiveMsgNum": figures.inactive,
        "DelayMsgNum": figures.delayed,
        "RewindMsgNum": view.kept(),
        "MinMsgTime": figures.oldest.map_or(0, |oldest| oldest.seconds()),
        "Transaction": false,
        "DeadLetterSource": sources.iter().map(source).collect::<Vec<_>>(),
        "DeadLetterPolicy": view.dead_letter().map(|(name, rule)| policy(name, rule)),
        "TransactionPolicy": null,
        "CreateUin": null,
        "Tags": tags(&queue.tags),
        "Trace": queue.settings.trace,
    });
    match dialect {
        Dialect::Cmq => fields["Migrate"] = json!(NOT_MIGRATED),
        Dialect::Tdmq => {
            fields["TenantId"] = json!(tenant(owner));
            fields["NamespaceName"] = json!(format!("CMQ_QUEUE-{}", queue.name));
            fields["Status"] = json!(NORMAL);
            fields["MaxUnackedMsgNum"] = json!(UNACKED);
            fields["MaxMsgBacklogSize"] = json!(BACKLOG_BYTES);
            fields["RetentionSizeInMB"] = json!(queue.settings.kept_max_bytes / MB);
        }
    }
    fields
}

/// A DeadLetterPolicy. Of the two bounds the one that does not hold is 0.
fn policy(queue: &str, rule: DeadLetterRule) -> Value {
    let (receives, age_s) = match rule {
        DeadLetterRule::Receives { most } => (most, 0),
        DeadLetterRule::Age { seconds } => (0, seconds),
    };
    let number = dead_letter::number(rule);
    json!({"DeadLetterQueue": queue, "Policy": number, "MaxTimeToLive": age_s, "MaxReceiveCount": receives})
}

fn tags(tags: &[(String, String)]) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({"TagKey": key, "TagValue": value})).collect()
}

/// A CmqTopic.
pub(in crate::api) fn topic(view: &TopicView, owner: u64, dialect: Dialect) -> Value {
    let TopicView { topic, waiting, subscriptions } = view;
    let mut fields = json!({
        "TopicId": dialect.topic_id(topic.id),
        "TopicName": topic.name,
        "MsgRetentionSeconds": topic.retention_s,
        "MaxMsgSize": topic.max_msg_bytes,
        "Qps": QPS,
        "FilterType": match topic.filter {
            FilterType::Tags => 1,
            FilterType::Routing => 2,
        },
        "CreateTime": dialect.time(topic.created),
        "LastModifyTime": dialect.time(topic.modified),
        "MsgCount": waiting,
        "CreateUin": null,
        "Tags": tags(&topic.tags),
        "Trace": topic.trace,
    });
    match dialect {
        Dialect::Cmq => fields["Migrate"] = json!(NOT_MIGRATED),
        Dialect::Tdmq => {
            fields["TenantId"] = json!(tenant(owner));
            fields["NamespaceName"] = json!(format!("CMQ_TOPIC-{}", topic.name));
            fields["Status"] = json!(NORMAL);
            fields["BrokerType"] = json!(0);
            fields["SubscriptionCount"] = json!(subscriptions);
        }
    }
    fields
}

/// A CmqSubscription.
pub(super) fn subscription(topic: &Topic, subscription: &Subscription, owner: u64, dialect: Dialect) -> Value {
    let (protocol, endpoint) = words::endpoint(&subscription.endpoint);
    let mut view = json!({
        "SubscriptionName": subscription.name,
        "SubscriptionId": subscription.id,
        "TopicOwner": owner,
        "MsgCount": read::waiting(topic, subscription),
        "LastModifyTime": dialect.time(subscription.modified),
        "CreateTime": dialect.time(subscription.created),
        "BindingKey": subscription.binding_keys,
        "Endpoint": endpoint,
        "FilterTags": subscription.filter_tags,
        "Protocol": protocol,
        "NotifyStrategy": subscription.strategy.as_str(),
        "NotifyContentFormat": subscription.format.as_str(),
        "TopicName": topic.name,
    });
    for (name, value) in manner::fields(subscription, |at| dialect.time(at)) {
        view[name] = value;
    }
    view
}

fn tenant(owner: u64) -> String {
    format!("cmq-{owner}")
}
