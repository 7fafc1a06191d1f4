//! The actions on a ledger and a database of their own: what they answer.

use super::*;
use crate::bare::Running;

/// What an action answers: its fields, or the refusal.
async fn call(app: &App, action: &str, params: Value) -> Result<Value, String> {
    let action = ACTIONS.iter().find(|known| known.name == action).unwrap();
    (action.call)(app, &params).await.map_err(|error| error.to_string())
}

async fn ok(app: &App, action: &str, params: Value) -> Value {
    call(app, action, params).await.unwrap_or_else(|refusal| panic!("{action}: {refusal}"))
}

/// Checks what is known of an object, and that its times are in milliseconds.
#[track_caller]
fn shows(object: &Value, known: Value) {
    for (name, value) in known.as_object().unwrap() {
        assert_eq!(&object[name], value, "{name} in {object}");
    }
    assert!(object["CreateTime"].as_i64().unwrap() > 1_600_000_000_000, "{object}");
}

#[tokio::test]
async fn queues_are_made_shown_and_deleted() {
    let running = Running::start();
    let app = &running.app;
    let made = ok(app, "CreateCmqQueue", json!({"QueueName": "Inbox", "VisibilityTimeout": 60})).await;
    assert!(made["QueueId"].as_str().unwrap().starts_with("cmqq-"), "{made}");
    assert_eq!(
        call(app, "CreateCmqQueue", json!({"QueueName": "inbox"})).await,
        Err("ResourceInUse.Queue: QueueName: queue `Inbox` exists already".into())
    );
    let sent = ok(app, "SendCmqMsg", json!({"QueueName": "inbox", "MsgContent": "x", "DelaySeconds": 0})).await;
    assert_eq!(sent["Result"], true);
    assert!(sent["MsgId"].as_str().unwrap().parse::<u64>().is_ok(), "{sent}");
    ok(app, "SendCmqMsg", json!({"QueueName": "inbox", "MsgContent": "y", "DelaySeconds": 3600})).await;

    let detail = ok(app, "DescribeCmqQueueDetail", json!({"QueueName": "inbox"})).await;
    let known = json!({"QueueId": made["QueueId"], "QueueName": "Inbox", "VisibilityTimeout": 60, "MaxMsgSize": 1_048_576,
        "MsgRetentionSeconds": 345_600, "MaxMsgHeapNum": 100_000_000, "PollingWaitSeconds": 0, "RewindSeconds": 0,
        "ActiveMsgNum": 1, "InactiveMsgNum": 0, "DelayMsgNum": 1, "NamespaceName": "CMQ_QUEUE-Inbox", "Status": 1});
    shows(&detail["QueueDescribe"], known);
    let list = ok(app, "DescribeCmqQueues", json!({"QueueNameList": ["INBOX"]})).await;
    assert_eq!(list, json!({"TotalCount": 1, "QueueList": [detail["QueueDescribe"]]}));
    let other = ok(app, "DescribeCmqQueues", json!({"QueueName": "outbox"})).await;
    assert_eq!(other, json!({"TotalCount": 0, "QueueList": []}));

    assert_eq!(ok(app, "DeleteCmqQueue", json!({"QueueName": "inbox"})).await, json!({}));
    for action in ["DeleteCmqQueue", "DescribeCmqQueueDetail"] {
        let gone = call(app, action, json!({"QueueName": "inbox"})).await;
        assert_eq!(gone, Err("ResourceNotFound: QueueName: queue `inbox` does not exist".into()), "{action}");
    }
}

#[tokio::test]
async fn topics_and_subscriptions_are_made_shown_and_deleted() {
    let running = Running::start();
    let app = &running.app;
    let topic = ok(app, "CreateCmqTopic", json!({"TopicName": "t"})).await;
    ok(app, "CreateCmqTopic", json!({"TopicName": "routes", "FilterType": 2})).await;
    let subscribe = json!({"TopicName": "t", "SubscriptionName": "s", "Protocol": "queue", "Endpoint": "q"});
    assert_eq!(
        call(app, "CreateCmqSubscribe", subscribe.clone()).await,
        Err("ResourceNotFound: Endpoint: queue `q` does not exist".into())
    );
    ok(app, "CreateCmqQueue", json!({"QueueName": "q"})).await;
    let made = ok(app, "CreateCmqSubscribe", subscribe).await;
    let by_url = json!({"TopicName": "routes", "SubscriptionName": "u", "Protocol": "http", "Endpoint": "http://h/"});
    assert_eq!(
        call(app, "CreateCmqSubscribe", by_url.clone()).await,
        Err("MissingParameter: BindingKey: topic `routes` routes by key: a subscription needs binding keys".into())
    );
    let mut by_key = by_url;
    by_key["BindingKey"] = json!(["job.#"]);
    ok(app, "CreateCmqSubscribe", by_key).await;

    ok(app, "PublishCmqMsg", json!({"TopicName": "t", "MsgContent": "x", "MsgTag": ["a"]})).await;
    let unwanted = json!({"TopicName": "routes", "MsgContent": "x", "MsgTag": ["env.created"]});
    assert_eq!(
        call(app, "PublishCmqMsg", unwanted).await,
        Err("FailedOperation: no subscription of topic `routes` wants this message".into())
    );

    let detail = ok(app, "DescribeCmqTopicDetail", json!({"TopicName": "t"})).await;
    let known = json!({"TopicId": topic["TopicId"], "TopicName": "t", "FilterType": 1, "MsgCount": 1, "MaxMsgSize": 65_536,
        "MsgRetentionSeconds": 86_400, "SubscriptionCount": 1, "NamespaceName": "CMQ_TOPIC-t", "Status": 1});
    shows(&detail["TopicDescribe"], known);
    assert!(topic["TopicId"].as_str().unwrap().starts_with("cmqt-"), "{topic}");
    let list = ok(app, "DescribeCmqTopics", json!({"TopicName": "T"})).await;
    assert_eq!((&list["TotalCount"], &list["TopicList"][1]["TopicName"]), (&json!(2), &json!("t")), "{list}");

    let by_topic = ok(app, "DescribeCmqSubscriptionDetail", json!({"TopicName": "t"})).await;
    let known = json!({"SubscriptionId": made["SubscriptionId"], "SubscriptionName": "s", "TopicName": "t",
        "Protocol": "queue", "Endpoint": "q", "NotifyStrategy": "EXPONENTIAL_DECAY_RETRY",
        "NotifyContentFormat": "SIMPLIFIED", "FilterTags": [], "BindingKey": [], "MsgCount": 1});
    shows(&by_topic["SubscriptionSet"][0], known);
    let by_queue = json!({"QueryType": "queue", "QueueName": "Q"});
    assert_eq!(ok(app, "DescribeCmqSubscriptionDetail", by_queue).await, by_topic);

    let named = json!({"TopicName": "t", "SubscriptionName": "s"});
    assert_eq!(ok(app, "DeleteCmqSubscribe", named.clone()).await, json!({}));
    assert_eq!(
        call(app, "DeleteCmqSubscribe", named).await,
        Err("ResourceNotFound: SubscriptionName: subscription `s` of topic `t` does not exist".into())
    );
    // A topic takes its subscriptions with it.
    assert_eq!(ok(app, "DeleteCmqTopic", json!({"TopicName": "routes"})).await, json!({}));
    let gone = call(app, "DescribeCmqSubscriptionDetail", json!({"TopicName": "routes"})).await;
    assert_eq!(gone, Err("ResourceNotFound.Topic: TopicName: topic `routes` does not exist".into()));
}

#[tokio::test]
async fn queues_are_changed_set_back_cleared_and_found_by_tag() {
    let running = Running::start();
    let app = &running.app;
    let tags = json!([{"TagKey": "team", "TagValue": "a"}]);
    ok(app, "CreateCmqQueue", json!({"QueueName": "dead", "Tags": tags})).await;
    let q = json!({"QueueName": "q", "RewindSeconds": 3600, "RetentionSizeInMB": 10_240, "DeadLetterQueueName": "dead",
        "Policy": 0, "MaxReceiveCount": 3, "Trace": true});
    ok(app, "CreateCmqQueue", q).await;
    let list = json!({"IsTagFilter": true, "Filters": [{"Name": "tag:team", "Values": ["a", "b"]}]});
    let found = ok(app, "DescribeCmqQueues", list).await;
    assert_eq!((&found["TotalCount"], &found["QueueList"][0]["Tags"]), (&json!(1), &tags));
    let source = &found["QueueList"][0]["DeadLetterSource"][0];
    assert_eq!(source["QueueName"], "q");
    let detail = |name: &'static str| async move {
        ok(app, "DescribeCmqQueueDetail", json!({"QueueName": name})).await["QueueDescribe"].clone()
    };
    let shown = detail("q").await;
    let policy = json!({"DeadLetterQueue": "dead", "Policy": 0, "MaxReceiveCount": 3, "MaxTimeToLive": 0});
    let known = json!({"RewindSeconds": 3600, "RetentionSizeInMB": 10_240, "Trace": true, "DeadLetterPolicy": policy});
    shows(&shown, known);
    let sources = ok(app, "DescribeCmqDeadLetterSourceQueues", json!({"DeadLetterQueueName": "DEAD"})).await;
    assert_eq!(sources, json!({"TotalCount": 1, "QueueSet": [{"QueueId": shown["QueueId"], "QueueName": "q"}]}));
    let none = json!({"DeadLetterQueueName": "dead", "SourceQueueName": "x"});
    assert_eq!(ok(app, "DescribeCmqDeadLetterSourceQueues", none).await["TotalCount"], 0);

    ok(app, "ModifyCmqQueueAttribute", json!({"QueueName": "q", "VisibilityTimeout": 9, "RetentionSizeInMB": 0})).await;
    shows(&detail("q").await, json!({"VisibilityTimeout": 9, "RetentionSizeInMB": 0, "RewindSeconds": 3600}));
    let created = shown["CreateTime"].as_i64().unwrap();
    ok(app, "RewindCmqQueue", json!({"QueueName": "q", "StartConsumeTime": created})).await;
    let late = call(app, "RewindCmqQueue", json!({"QueueName": "q", "StartConsumeTime": created + 100_000_000})).await;
    assert!(late.unwrap_err().starts_with("InvalidParameterValue: StartConsumeTime: "));
    ok(app, "SendCmqMsg", json!({"QueueName": "q", "MsgContent": "x", "DelaySeconds": 0})).await;
    ok(app, "ClearCmqQueue", json!({"QueueName": "q"})).await;
    shows(&detail("q").await, json!({"ActiveMsgNum": 0, "RewindMsgNum": 0}));
    ok(app, "UnbindCmqDeadLetter", json!({"SourceQueueName": "q"})).await;
    let again = call(app, "UnbindCmqDeadLetter", json!({"SourceQueueName": "q"})).await;
    assert_eq!(again, Err("FailedOperation: queue `q` has no dead-letter queue".into()));
    let back = call(app, "RewindCmqQueue", json!({"QueueName": "dead", "StartConsumeTime": created})).await;
    assert!(back.unwrap_err().starts_with("ResourceUnavailable: QueueName: queue `dead` keeps no deleted messages"));
}

#[tokio::test]
async fn topics_and_subscriptions_are_changed() {
    let running = Running::start();
    let app = &running.app;
    ok(app, "CreateCmqTopic", json!({"TopicName": "t", "Tags": [{"TagKey": "k", "TagValue": "v"}]})).await;
    ok(app, "ModifyCmqTopicAttribute", json!({"TopicName": "t", "MaxMsgSize": 1024, "Trace": true})).await;
    let list = json!({"IsTagFilter": true, "Filters": [{"Name": "tag:k", "Values": ["v"]}]});
    let found = ok(app, "DescribeCmqTopics", list).await;
    shows(&found["TopicList"][0], json!({"MaxMsgSize": 1024, "Trace": true, "MsgRetentionSeconds": 86_400}));
    let named = json!({"TopicName": "t", "SubscriptionName": "s"});
    let mut new = named.clone();
    (new["Protocol"], new["Endpoint"], new["FilterTag"]) = (json!("http"), json!("http://h/"), json!(["red"]));
    ok(app, "CreateCmqSubscribe", new).await;
    let mut change = named.clone();
    (change["NotifyContentFormat"], change["FilterTags"]) = (json!("SIMPLIFIED"), json!([]));
    ok(app, "ModifyCmqSubscriptionAttribute", change).await;
    let shown = |app| async move { ok(app, "DescribeCmqSubscriptionDetail", json!({"TopicName": "t"})).await };
    let row = shown(app).await["SubscriptionSet"][0].clone();
    shows(&row, json!({"NotifyContentFormat": "SIMPLIFIED", "FilterTags": ["red"]}));
    ok(app, "ClearCmqSubscriptionFilterTags", named).await;
    shows(&shown(app).await["SubscriptionSet"][0], json!({"FilterTags": []}));
}
