//! The actions on a ledger and a database of their own: what they answer, and how a receive waits.

use wire::v2::same_action;

use super::tests::params;
use super::*;
use crate::bare::Running;

/// What an action answers: its fields, or the refusal.
async fn call(app: &App, action: &str, pairs: &[(&str, &str)]) -> Result<Value, String> {
    let action = ACTIONS.iter().find(|known| same_action(action, known.name)).unwrap();
    (action.call)(app, &params(pairs)).await.map_err(|error| match error.fields.get("errorList") {
        Some(list) => format!("{} {error} {list}", error.code),
        None => format!("{} {error}", error.code),
    })
}

async fn ok(app: &App, action: &str, pairs: &[(&str, &str)]) -> Value {
    call(app, action, pairs).await.unwrap_or_else(|refusal| panic!("{action}: {refusal}"))
}

/// Sends a text to the queue `q`.
async fn send(app: &App, text: &str) -> Value {
    ok(app, "SendMessage", &[("queueName", "q"), ("msgBody", text)]).await
}

/// Receives a message of the queue `q`, waiting for it so many seconds.
async fn receive(app: &App, wait: &str) -> Result<Value, String> {
    call(app, "ReceiveMessage", &[("queueName", "q"), ("pollingWaitSeconds", wait)]).await
}

async fn delete(app: &App, message: &Value) -> Result<Value, String> {
    let handle = message["receiptHandle"].as_str().unwrap();
    call(app, "DeleteMessage", &[("queueName", "q"), ("receiptHandle", handle)]).await
}

const NO_MESSAGE: &str = "7000 (10200)no message";

#[tokio::test]
async fn a_message_is_sent_received_and_deleted() {
    let running = Running::start();
    let app = &running.app;
    let made = ok(app, "CreateQueue", &[("queueName", "q")]).await;
    assert!(made["queueId"].as_str().unwrap().starts_with("queue-"), "{made}");
    let again = call(app, "CreateQueue", &[("queueName", "Q")]).await;
    assert_eq!(again, Err("4460 (10210)queue is already existed,case insensitive".into()));

    let sent = send(app, "消息 & text").await;
    let message = receive(app, "0").await.unwrap();
    assert_eq!((&message["msgBody"], &message["msgId"]), (&json!("消息 & text"), &sent["msgId"]));
    assert_eq!(message["dequeueCount"], 1);
    let hidden = message["nextVisibleTime"].as_i64().unwrap() - message["firstDequeueTime"].as_i64().unwrap();
    assert_eq!(hidden, 30, "{message}");
    assert!(message["enqueueTime"].as_i64() <= message["firstDequeueTime"].as_i64(), "{message}");

    let attributes = ok(app, "GetQueueAttributes", &[("queueName", "q")]).await;
    for (name, value) in [("activeMsgNum", 0), ("inactiveMsgNum", 1), ("delayMsgNum", 0), ("visibilityTimeout", 30)] {
        assert_eq!(attributes[name], value, "{name} in {attributes}");
    }
    assert_eq!(attributes["minMsgTime"], message["enqueueTime"]);

    assert_eq!(receive(app, "0").await, Err(NO_MESSAGE.into()));
    assert_eq!(delete(app, &message).await, Ok(json!({})));
    assert_eq!(delete(app, &message).await, Err("4430 (10260)receipt handle is invalid".into()));
    assert_eq!(ok(app, "DeleteQueue", &[("queueName", "q")]).await, json!({}));
    assert_eq!(receive(app, "0").await, Err("4440 (10100)queue is not existed, or deleted".into()));
}

#[tokio::test]
async fn batches_are_sent_received_and_deleted() {
    let running = Running::start();
    let app = &running.app;
    ok(app, "CreateQueue", &[("queueName", "q")]).await;
    let texts = [("queueName", "q"), ("msgBody.1", "a"), ("msgBody.2", "b"), ("msgBody.3", "c")];
    let sent = ok(app, "BatchSendMessage", &texts).await;
    let received = ok(app, "BatchReceiveMessage", &[("queueName", "q"), ("numOfMsg", "16")]).await;
    let messages = received["msgInfoList"].as_array().unwrap();
    let column = |list: &Value, name: &str| -> Vec<Value> {
        list.as_array().unwrap().iter().map(|row| row[name].clone()).collect()
    };
    assert_eq!(column(&received["msgInfoList"], "msgId"), column(&sent["msgList"], "msgId"));
    assert_eq!(column(&received["msgInfoList"], "msgBody"), ["a", "b", "c"]);

    let handle = |at: usize| messages[at]["receiptHandle"].as_str().unwrap();
    let two = [("queueName", "q"), ("receiptHandle.1", handle(0)), ("receiptHandle.2", "x")];
    assert_eq!(
        call(app, "BatchDeleteMessage", &two).await.unwrap_err(),
        r#"6010 (10150)delete message partially failed [{"code":4000,"message":"receiptHandle error","receiptHandle":"x"}]"#
    );
    let rest = [("queueName", "q"), ("receiptHandle.0", handle(1)), ("receiptHandle.1", handle(2))];
    assert_eq!(ok(app, "BatchDeleteMessage", &rest).await, json!({}));
    let gone = call(app, "BatchDeleteMessage", &rest).await.unwrap_err();
    assert!(gone.starts_with("6020 (10290)batch delete message failed"), "{gone}");
    let none = [("queueName", "none"), ("receiptHandle.1", "x")];
    assert_eq!(
        call(app, "BatchDeleteMessage", &none).await,
        Err("4440 (10100)queue is not existed, or deleted".into())
    );
}

#[tokio::test]
async fn a_message_wakes_who_waits() {
    let running = Running::start();
    let app = &running.app;
    ok(app, "CreateQueue", &[("queueName", "q"), ("pollingWaitSeconds", "30")]).await;
    let by_queue = || call(app, "ReceiveMessage", &[("queueName", "q")]);
    let two = [("queueName", "q"), ("msgBody.1", "a"), ("msgBody.2", "b")];
    let (one, other, _) = tokio::join!(by_queue(), by_queue(), ok(app, "BatchSendMessage", &two));
    let mut texts = [one, other].map(|message| message.unwrap()["msgBody"].as_str().unwrap().to_owned());
    texts.sort_unstable();
    assert_eq!(texts, ["a", "b"]);
}

#[tokio::test]
async fn a_receive_waits_for_the_end_of_a_delay() {
    let running = Running::start();
    let app = &running.app;
    ok(app, "CreateQueue", &[("queueName", "q")]).await;
    ok(app, "SendMessage", &[("queueName", "q"), ("msgBody", "late"), ("delaySeconds", "1")]).await;
    assert_eq!(receive(app, "0").await, Err(NO_MESSAGE.into()));
    // A longer wait than anybody may have is cut to the longest.
    assert_eq!(receive(app, "30000").await.unwrap()["msgBody"], "late");
}

#[tokio::test]
async fn a_receive_waits_for_the_end_of_a_visibility_timeout() {
    let running = Running::start();
    let app = &running.app;
    ok(app, "CreateQueue", &[("queueName", "q"), ("visibilityTimeout", "1")]).await;
    send(app, "again").await;
    let first = receive(app, "0").await.unwrap();
    let second = receive(app, "30").await.unwrap();
    assert_eq!((&second["msgId"], &second["dequeueCount"]), (&first["msgId"], &json!(2)));
    assert_eq!(second["firstDequeueTime"], first["firstDequeueTime"]);
    assert_eq!(delete(app, &first).await, Err("4430 (10260)receipt handle is invalid".into()));
}

#[tokio::test]
async fn a_receive_that_gets_nothing_commits_nothing() {
    let running = Running::start();
    let app = &running.app;
    ok(app, "CreateQueue", &[("queueName", "q")]).await;
    let before = running.commits();
    assert_eq!(receive(app, "0").await, Err(NO_MESSAGE.into()));
    assert_eq!(receive(app, "1").await, Err(NO_MESSAGE.into()));
    assert_eq!(running.commits(), before);
}

#[tokio::test]
async fn who_waits_learns_that_the_queue_is_gone() {
    let running = Running::start();
    let app = &running.app;
    ok(app, "CreateQueue", &[("queueName", "q")]).await;
    let (received, _) = tokio::join!(receive(app, "30"), ok(app, "DeleteQueue", &[("queueName", "q")]));
    assert_eq!(received, Err("4440 (10100)queue is not existed, or deleted".into()));
}

#[tokio::test]
async fn topics_and_subscriptions_are_shown() {
    let running = Running::start();
    let app = &running.app;
    let topic = ok(app, "CreateTopic", &[("topicName", "t")]).await;
    let list = ok(app, "ListTopic", &[("searchWord", "T")]).await;
    assert_eq!(list, json!({"totalCount": 1, "topicList": [{"topicId": topic["topicId"], "topicName": "t"}]}));
    let publish = [("topicName", "t"), ("msgBody", "x"), ("routingKey", "")];
    let early = call(app, "PublishMessage", &publish).await.unwrap_err();
    assert!(early.starts_with("6030 (10650)topic has no subscription"), "{early}");

    let named = [("topicName", "t"), ("subscriptionName", "s")];
    let to_queue = [named[0], named[1], ("protocol", "queue"), ("endpoint", "q"), ("filterTag.1", "red")];
    assert_eq!(call(app, "Subscribe", &to_queue).await, Err("4440 (10100)queue is not existed, or deleted".into()));
    ok(app, "CreateQueue", &[("queueName", "q")]).await;
    let made = ok(app, "Subscribe", &to_queue).await;
    assert_eq!(call(app, "Subscribe", &to_queue).await, Err("4490 (10470)subscribtion is already existed".into()));
    let row = json!({"subscriptionId": made["subscriptionId"], "subscriptionName": "s", "protocol": "queue", "endpoint": "q"});
    assert_eq!(
        ok(app, "ListSubscriptionByTopic", &named[..1]).await,
        json!({"totalCount": 1, "subscriptionList": [row]})
    );

    let unwanted = call(app, "PublishMessage", &publish).await;
    assert_eq!(unwanted, Err("6030 (10730)no bindingKey or filterTag matches the routingKey or msgTag".into()));
    let wanted = [("topicName", "t"), ("msgBody.1", "x"), ("msgBody.2", "y"), ("msgTag.1", "red")];
    let published = ok(app, "BatchPublishMessage", &wanted).await;
    assert_eq!(published["msgList"].as_array().map(Vec::len), Some(2));

    let topic = ok(app, "GetTopicAttributes", &named[..1]).await;
    for (name, value) in [("msgCount", 2), ("maxMsgSize", 65_536), ("msgRetentionSeconds", 86_400), ("filterType", 1)] {
        assert_eq!(topic[name], value, "{name} in {topic}");
    }
    let shown = ok(app, "GetSubscriptionAttributes", &named).await;
    for name in ["protocol", "protocal"] {
        assert_eq!(shown[name], "queue", "{shown}");
    }
    for name in ["filterTag", "filterTags"] {
        assert_eq!(shown[name], json!(["red"]), "{shown}");
    }
    assert_eq!((&shown["msgCount"], &shown["notifyContentFormat"]), (&json!(2), &json!("SIMPLIFIED")));
    assert_eq!((&shown["endpoint"], &shown["bindingKey"]), (&json!("q"), &json!([])));

    let in_use = call(app, "DeleteQueue", &[("queueName", "q")]).await.unwrap_err();
    assert!(in_use.starts_with("6000 (10180)delete queue failed: queue `q` receives the messages of t/s"), "{in_use}");
    let occupied = call(app, "DeleteTopic", &named[..1]).await.unwrap_err();
    assert!(occupied.starts_with("4000 (10540)there exists subscriptions"), "{occupied}");
    assert_eq!(ok(app, "Unsubscribe", &named).await, json!({}));
    let gone = "4000 (10000)invalid request parameters: subscription `s` of topic `t` does not exist";
    for action in ["Unsubscribe", "GetSubscriptionAttributes"] {
        assert_eq!(call(app, action, &named).await, Err(gone.into()), "{action}");
    }
    assert_eq!(ok(app, "DeleteTopic", &named[..1]).await, json!({}));
    for action in ["GetTopicAttributes", "ListSubscriptionByTopic", "DeleteTopic"] {
        let gone = call(app, action, &named[..1]).await;
        assert_eq!(gone, Err("4440 (10600)topic is not existed, or deleted".into()), "{action}");
    }
}

#[tokio::test]
async fn queues_are_listed_by_page() {
    let running = Running::start();
    let app = &running.app;
    for name in ["alpha", "beta", "alphabet"] {
        ok(app, "CreateQueue", &[("queueName", name)]).await;
    }
    let names = |list: &Value| -> Vec<String> {
        let rows = list["queueList"].as_array().unwrap();
        rows.iter().map(|row| row["queueName"].as_str().unwrap().to_owned()).collect()
    };
    let all = ok(app, "ListQueue", &[]).await;
    assert_eq!((names(&all), &all["totalCount"]), (vec!["alphabet".into(), "beta".into(), "alpha".into()], &json!(3)));
    let page = ok(app, "ListQueue", &[("searchWord", "ALPHA"), ("offset", "1"), ("limit", "1")]).await;
    assert_eq!((names(&page), &page["totalCount"]), (vec!["alpha".into()], &json!(2)));
}

#[tokio::test]
async fn a_queue_is_set_back_and_says_so() {
    let running = Running::start();
    let app = &running.app;
    let named = ("queueName", "q");
    ok(app, "CreateQueue", &[named, ("rewindSeconds", "3600")]).await;
    let first = send(app, "one").await;
    delete(app, &receive(app, "0").await.unwrap()).await.unwrap();
    let attributes = ok(app, "GetQueueAttributes", &[named]).await;
    for (name, value) in [("rewindSeconds", 3_600), ("rewindmsgNum", 1), ("rewindMsgNum", 1), ("activeMsgNum", 0)] {
        assert_eq!(attributes[name], value, "{name} in {attributes}");
    }
    let back = attributes["createTime"].as_i64().unwrap();
    let late = (back + 100_000).to_string();
    let refused = call(app, "RewindQueue", &[named, ("startConsumeTime", &late)]).await.unwrap_err();
    assert!(refused.starts_with("4000 (10680)rewind time invalid: "), "{refused}");
    let back = back.to_string();
    ok(app, "RewindQueue", &[named, ("startConsumeTime", &back)]).await;
    let again = receive(app, "0").await.unwrap();
    assert_eq!((&again["msgId"], &again["msgBody"]), (&first["msgId"], &json!("one")));
    let off = ok(app, "SetQueueAttributes", &[named, ("rewindSeconds", "0"), ("visibilityTimeout", "7")]).await;
    assert_eq!((&off["rewindSeconds"], &off["visibilityTimeout"]), (&json!(0), &json!(7)));
    let refused = call(app, "RewindQueue", &[named, ("startConsumeTime", &back)]).await;
    assert_eq!(refused, Err("6050 (10670)your queue cannot be rewinded".into()));
}

#[tokio::test]
async fn a_dead_letter_says_where_it_comes_from() {
    let running = Running::start();
    let app = &running.app;
    ok(app, "CreateQueue", &[("queueName", "dead")]).await;
    let policy = r#"{"deadLetterQueue":"Dead","policy":0,"maxReceiveCount":1}"#;
    let pairs = [("queueName", "q"), ("visibilityTimeout", "1"), ("deadLetterPolicy", policy)];
    ok(app, "CreateQueue", &pairs).await;
    let attributes = ok(app, "GetQueueAttributes", &[("queueName", "q")]).await;
    let shown = json!({"deadLetterQueue": "dead", "policy": 0, "maxReceiveCount": 1});
    assert_eq!(attributes["deadLetterPolicy"], shown, "{attributes}");
    let target = ok(app, "GetQueueAttributes", &[("queueName", "dead")]).await;
    assert_eq!(target["deadLetterSource"][0]["queueName"], "q", "{target}");
    let refused = call(app, "DeleteQueue", &[("queueName", "dead")]).await.unwrap_err();
    assert!(
        refused.starts_with("6000 (10180)delete queue failed: queue `dead` takes the dead letters of q"),
        "{refused}"
    );

    let sent = send(app, "bad").await;
    receive(app, "0").await.unwrap();
    // Its second receive is when it moves, once nobody holds it any more.
    assert_eq!(receive(app, "3").await, Err(NO_MESSAGE.into()));
    let dead = ok(app, "ReceiveMessage", &[("queueName", "dead"), ("pollingWaitSeconds", "0")]).await;
    assert_eq!((&dead["msgId"], &dead["msgBody"], &dead["dequeueCount"]), (&sent["msgId"], &json!("bad"), &json!(1)));
    assert_eq!((&dead["originalQueueName"], &dead["originalDequeueCount"]), (&json!("q"), &json!(1)));
}

#[tokio::test]
async fn topics_and_subscriptions_take_other_attributes() {
    let running = Running::start();
    let app = &running.app;
    ok(app, "CreateTopic", &[("topicName", "t")]).await;
    let named = [("topicName", "t"), ("subscriptionName", "s")];
    let http = [named[0], named[1], ("protocol", "http"), ("endpoint", "http://h/"), ("filterTag.1", "red")];
    ok(app, "Subscribe", &http).await;
    ok(app, "SetTopicAttributes", &[named[0], ("maxMsgSize", "1024")]).await;
    assert_eq!(ok(app, "GetTopicAttributes", &named[..1]).await["maxMsgSize"], 1_024);
    let large = "x".repeat(1_025);
    let publish = [named[0], ("msgBody", &*large), ("msgTag.1", "red")];
    assert_eq!(call(app, "PublishMessage", &publish).await, Err("4400 (10230)exceed maximum message size".into()));
    let changes = [named[0], named[1], ("notifyStrategy", "BACKOFF_RETRY"), ("filterTag.1", "blue")];
    ok(app, "SetSubscriptionAttributes", &changes).await;
    let shown = ok(app, "GetSubscriptionAttributes", &named).await;
    assert_eq!((&shown["notifyStrategy"], &shown["filterTag"]), (&json!("BACKOFF_RETRY"), &json!(["blue"])));
    ok(app, "ClearSUbscriptionFIlterTags", &named).await;
    assert_eq!(ok(app, "GetSubscriptionAttributes", &named).await["filterTags"], json!([]));
    let refused = call(app, "QueryQueueRoute", &[("queueName", "q")]).await.unwrap_err();
    assert!(refused.starts_with("4000 (10430)action name QueryQueueRoute is not existed: "), "{refused}");
}
