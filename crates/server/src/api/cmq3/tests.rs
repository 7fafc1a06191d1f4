//! The actions on a ledger and a database of their own: the other words, and times in seconds.

use super::*;
use crate::bare::Running;

async fn call(app: &App, action: &str, params: Value) -> Result<Value, String> {
    let action = ACTIONS.iter().find(|known| known.name == action).unwrap();
    (action.call)(app, &params).await.map_err(|error| error.to_string())
}

async fn ok(app: &App, action: &str, params: Value) -> Value {
    call(app, action, params).await.unwrap_or_else(|refusal| panic!("{action}: {refusal}"))
}

#[tokio::test]
async fn queues_are_made_changed_set_back_and_cleared() {
    let running = Running::start();
    let app = &running.app;
    let made = ok(app, "CreateQueue", json!({"QueueName": "dead"})).await;
    assert!(made["QueueId"].as_str().unwrap().starts_with("queue-"), "{made}");
    let q = json!({"QueueName": "q", "RewindSeconds": 60, "DeadLetterQueueName": "dead", "MaxReceiveCount": 3});
    ok(app, "CreateQueue", q).await;
    let shown = ok(app, "DescribeQueueDetail", json!({"QueueName": "Q"})).await;
    let queue = &shown["QueueSet"][0];
    assert_eq!((&shown["TotalCount"], &queue["MaxMsgSize"], &queue["Migrate"]), (&json!(1), &json!(65_536), &json!(4)));
    let created = queue["CreateTime"].as_i64().unwrap();
    assert!(created > 1_600_000_000 && created < 100_000_000_000, "seconds: {queue}");
    assert!(queue.get("TenantId").is_none() && queue.get("Status").is_none(), "{queue}");
    let sources = ok(app, "DescribeDeadLetterSourceQueues", json!({"DeadLetterQueueName": "dead"})).await;
    assert_eq!((&sources["TotalCount"], &sources["QueueSet"][0]["QueueName"]), (&json!(1), &json!("q")));
    ok(app, "RewindQueue", json!({"QueueName": "q", "StartConsumeTime": created})).await;
    ok(app, "ClearQueue", json!({"QueueName": "q"})).await;
    ok(app, "ModifyQueueAttribute", json!({"QueueName": "q", "VisibilityTimeout": 7})).await;
    ok(app, "UnbindDeadLetter", json!({"QueueName": "q"})).await;
    let filters = json!({"Filters": [{"Name": "QueueName", "Values": ["Q"]}], "Limit": 1});
    let shown = ok(app, "DescribeQueueDetail", filters).await;
    assert_eq!(shown["QueueSet"][0]["VisibilityTimeout"], 7, "{shown}");
    assert_eq!(shown["QueueSet"][0]["DeadLetterPolicy"], json!(null), "{shown}");
    let refused = call(app, "DescribeQueueDetail", json!({"Filters": [{"Name": "Colour", "Values": ["x"]}]})).await;
    let said = "InvalidParameterValue: Filters.0.Name: it must be QueueName";
    assert_eq!(refused, Err(said.into()));
    let refused = call(app, "CreateQueue", json!({"QueueName": "t", "Tags": []})).await;
    assert_eq!(refused, Err("UnknownParameter: Tags: not a parameter of this action".into()));
    ok(app, "DeleteQueue", json!({"QueueName": "q"})).await;
}

#[tokio::test]
async fn topics_and_subscriptions_are_made_changed_and_deleted() {
    let running = Running::start();
    let app = &running.app;
    ok(app, "CreateTopic", json!({"TopicName": "t"})).await;
    ok(app, "ModifyTopicAttribute", json!({"TopicName": "t", "MsgRetentionSeconds": 60})).await;
    let shown = ok(app, "DescribeTopicDetail", json!({"TopicName": "t"})).await;
    assert_eq!(shown["TopicSet"][0]["MsgRetentionSeconds"], 60, "{shown}");
    let named = json!({"TopicName": "t", "SubscriptionName": "s"});
    let mut new = named.clone();
    (new["Protocol"], new["Endpoint"], new["FilterTag"]) = (json!("http"), json!("http://h/"), json!(["red"]));
    ok(app, "CreateSubscribe", new).await;
    let mut change = named.clone();
    (change["NotifyStrategy"], change["FilterTags"]) = (json!("BACKOFF_RETRY"), json!(["blue"]));
    ok(app, "ModifySubscriptionAttribute", change).await;
    let list = json!({"TopicName": "t", "Filters": [{"Name": "SubscriptionName", "Values": ["S"]}]});
    let shown = ok(app, "DescribeSubscriptionDetail", list.clone()).await;
    let row = &shown["SubscriptionSet"][0];
    assert_eq!((&row["NotifyStrategy"], &row["FilterTags"]), (&json!("BACKOFF_RETRY"), &json!(["blue"])));
    assert!(row["CreateTime"].as_i64().unwrap() < 100_000_000_000, "seconds: {row}");
    ok(app, "ClearSubscriptionFilterTags", named.clone()).await;
    let shown = ok(app, "DescribeSubscriptionDetail", list).await;
    assert_eq!(shown["SubscriptionSet"][0]["FilterTags"], json!([]), "{shown}");
    ok(app, "DeleteSubscribe", named).await;
    ok(app, "DeleteTopic", json!({"TopicName": "t"})).await;
}
