//! Queues, topics and subscriptions as `tdmq` shows them. What is not built is shown as being off; rates and limits
//! that nothing here has are those that Tencent Cloud shows.

use kernel::id::{QueueId, TopicId};
use kernel::subscription::Subscription;
use kernel::topic::{FilterType, Topic};
use serde_json::{Value, json};

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
/// The status of what is there.
const NORMAL: u64 = 1;

/// The id of a queue in this API.
pub(super) fn queue_id(id: QueueId) -> String {
    id.to_string().replacen(QueueId::PREFIX, "cmqq-", 1)
}

/// The id of a topic in this API.
pub(super) fn topic_id(id: TopicId) -> String {
    id.to_string().replacen(TopicId::PREFIX, "cmqt-", 1)
}

/// A CmqQueue.
pub(super) fn queue(view: &QueueView, owner: u64) -> Value {
    let QueueView { queue, figures, .. } = view;
    json!({
        "QueueId": queue_id(queue.id),
        "QueueName": queue.name,
        "Qps": QPS,
        "Bps": BPS,
        "MaxDelaySeconds": DELAY_S,
        "MaxMsgHeapNum": queue.settings.max_messages,
        "PollingWaitSeconds": queue.settings.polling_wait_s,
        "MsgRetentionSeconds": queue.settings.retention_s,
        "VisibilityTimeout": queue.settings.visibility_s,
        "MaxMsgSize": queue.settings.max_msg_bytes,
        "RewindSeconds": 0,
        "CreateTime": queue.created.0,
        "LastModifyTime": queue.modified.0,
        "ActiveMsgNum": figures.active,
        "InactiveMsgNum": figures.inactive,
        "DelayMsgNum": figures.delayed,
        "RewindMsgNum": 0,
        "MinMsgTime": figures.oldest.map_or(0, |oldest| oldest.seconds()),
        "Transaction": false,
        "DeadLetterSource": [],
        "DeadLetterPolicy": null,
        "TransactionPolicy": null,
        "CreateUin": null,
        "Tags": [],
        "Trace": false,
        "TenantId": tenant(owner),
        "NamespaceName": format!("CMQ_QUEUE-{}", queue.name),
        "Status": NORMAL,
        "MaxUnackedMsgNum": UNACKED,
        "MaxMsgBacklogSize": BACKLOG_BYTES,
        "RetentionSizeInMB": 0,
    })
}

/// A CmqTopic.
pub(super) fn topic(view: &TopicView, owner: u64) -> Value {
    let TopicView { topic, waiting, subscriptions } = view;
    json!({
        "TopicId": topic_id(topic.id),
        "TopicName": topic.name,
        "MsgRetentionSeconds": topic.retention_s,
        "MaxMsgSize": topic.max_msg_bytes,
        "Qps": QPS,
        "FilterType": match topic.filter {
            FilterType::Tags => 1,
            FilterType::Routing => 2,
        },
        "CreateTime": topic.created.0,
        "LastModifyTime": topic.modified.0,
        "MsgCount": waiting,
        "CreateUin": null,
        "Tags": [],
        "Trace": false,
        "TenantId": tenant(owner),
        "NamespaceName": format!("CMQ_TOPIC-{}", topic.name),
        "Status": NORMAL,
        "BrokerType": 0,
        "SubscriptionCount": subscriptions,
    })
}

/// A CmqSubscription.
pub(super) fn subscription(topic: &Topic, subscription: &Subscription, owner: u64) -> Value {
    let (protocol, endpoint) = words::endpoint(&subscription.endpoint);
    let mut view = json!({
        "SubscriptionName": subscription.name,
        "SubscriptionId": subscription.id,
        "TopicOwner": owner,
        "MsgCount": read::waiting(topic, subscription),
        "LastModifyTime": subscription.modified.0,
        "CreateTime": subscription.created.0,
        "BindingKey": subscription.binding_keys,
        "Endpoint": endpoint,
        "FilterTags": subscription.filter_tags,
        "Protocol": protocol,
        "NotifyStrategy": subscription.strategy.as_str(),
        "NotifyContentFormat": subscription.format.as_str(),
        "TopicName": topic.name,
    });
    for (name, value) in manner::fields(subscription, |at| at.0) {
        view[name] = value;
    }
    view
}

fn tenant(owner: u64) -> String {
    format!("cmq-{owner}")
}
