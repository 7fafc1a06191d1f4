//! The CMQ client: queues, topics and subscriptions over protocol v2, however it signs and sends.

use serde_json::{Value, json};

use crate::support::official::{Official, V2};
use crate::support::receiver::Receiver;
use crate::support::server::Server;

/// The ways the client can sign and send.
const WAYS: [V2; 4] = [
    V2 { sign: "sha1", method: "POST" },
    V2 { sign: "sha256", method: "POST" },
    V2 { sign: "sha1", method: "GET" },
    V2 { sign: "sha256", method: "GET" },
];

/// A text that an encoding somewhere on the way would break.
const TEXT: &str = "This'is test & 100%=消息 +/~*()!";

fn call(official: &mut Official, way: V2, name: &str, arguments: Value) -> Value {
    let shown = arguments.to_string();
    official.cmq_as(way, name, arguments).unwrap_or_else(|refusal| panic!("{way:?} {name} {shown}: {refusal}"))
}

fn text_of(message: &Value) -> &str {
    message["msgBody"].as_str().expect("a text")
}

#[test]
fn messages_are_sent_received_and_deleted() {
    let server = Server::start();
    let mut official = server.official();
    for (number, way) in WAYS.into_iter().enumerate() {
        let queue = format!("queue-{number}");
        call(&mut official, way, "create_queue", json!({"queue": queue, "visibilityTimeout": 3600}));
        let sent = call(&mut official, way, "send", json!({"queue": queue, "text": TEXT}));
        let message = call(&mut official, way, "receive", json!({"queue": queue, "wait": 10}));
        assert_eq!((text_of(&message), &message["msgId"]), (TEXT, &sent), "{way:?}");
        assert_eq!(message["dequeueCount"], 1, "{message}");
        assert_eq!(message["nextVisibleTime"].as_i64(), message["firstDequeueTime"].as_i64().map(|at| at + 3600));
        let handle = message["receiptHandle"].clone();
        call(&mut official, way, "delete", json!({"queue": queue, "handle": handle}));
        let again =
            official.cmq_as(way, "delete", json!({"queue": queue, "handle": handle})).expect_err("a used handle");
        assert_eq!(again.code, "4430", "{way:?}: {again}");

        for text in ["one", "two", "three"] {
            call(&mut official, way, "send", json!({"queue": queue, "text": text}));
        }
        let batch = call(&mut official, way, "batch_receive", json!({"queue": queue, "number": 16, "wait": 10}));
        let batch = batch.as_array().expect("a list");
        let mut texts: Vec<&str> = batch.iter().map(text_of).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["one", "three", "two"], "{way:?}");
        let handles: Vec<&Value> = batch.iter().map(|message| &message["receiptHandle"]).collect();
        call(&mut official, way, "batch_delete", json!({"queue": queue, "handles": handles}));
        let empty = official.cmq_as(way, "receive", json!({"queue": queue, "wait": 0})).expect_err("an empty queue");
        assert_eq!((empty.code.as_str(), empty.message.as_str()), ("7000", "(10200)no message"), "{way:?}");
        call(&mut official, way, "delete_queue", json!({"queue": queue}));
        let gone = official.cmq_as(way, "send", json!({"queue": queue, "text": TEXT})).expect_err("no queue");
        assert_eq!(gone.code, "4440", "{way:?}: {gone}");
    }
}

#[test]
fn a_topic_forwards_to_a_queue_and_to_an_address() {
    let server = Server::start();
    let mut official = server.official();
    let receiver = Receiver::start();
    for (number, way) in WAYS.into_iter().enumerate() {
        let (topic, queue) = (format!("topic-{number}"), format!("queue-{number}"));
        call(&mut official, way, "create_topic", json!({"topic": topic}));
        call(&mut official, way, "create_queue", json!({"queue": queue}));
        let early =
            official.cmq_as(way, "publish", json!({"topic": topic, "text": TEXT})).expect_err("nobody to take it");
        assert!(early.code == "6030" && early.message.starts_with("(10650)"), "{way:?}: {early}");
        let to_queue = json!({"topic": topic, "name": "in-queue", "protocol": "queue", "endpoint": queue});
        call(&mut official, way, "subscribe", to_queue);
        let url = receiver.url(&format!("/{topic}"));
        let to_url = json!({"topic": topic, "name": "by-post", "protocol": "http", "endpoint": url, "form": "JSON"});
        call(&mut official, way, "subscribe", to_url);

        let id = call(&mut official, way, "publish", json!({"topic": topic, "text": TEXT}));
        let message = call(&mut official, way, "receive", json!({"queue": queue, "wait": 20}));
        assert_eq!(text_of(&message), TEXT, "{way:?}");
        let posted = receiver.wait_for("the published message", |arrived| {
            arrived.iter().find(|callback| callback.path == format!("/{topic}")).cloned()
        });
        let body: Value = serde_json::from_str(&posted.body).expect("JSON");
        assert_eq!((&body["msgBody"], &body["msgId"]), (&json!(TEXT), &id), "{way:?}: {body}");

        let occupied = official.cmq_as(way, "delete_topic", json!({"topic": topic})).expect_err("it has subscriptions");
        assert!(occupied.code == "4000" && occupied.message.starts_with("(10540)"), "{way:?}: {occupied}");
        for name in ["in-queue", "by-post"] {
            call(&mut official, way, "unsubscribe", json!({"topic": topic, "name": name}));
        }
        call(&mut official, way, "delete_topic", json!({"topic": topic}));
    }
}

#[test]
fn tags_and_routing_keys_choose_the_subscribers() {
    let server = Server::start();
    let mut official = server.official();
    let way = WAYS[0];
    for queue in ["red", "routed"] {
        call(&mut official, way, "create_queue", json!({"queue": queue}));
    }
    call(&mut official, way, "create_topic", json!({"topic": "colours"}));
    let red = json!({"topic": "colours", "name": "r", "protocol": "queue", "endpoint": "red", "tags": ["red"]});
    call(&mut official, way, "subscribe", red);
    let blue = json!({"topic": "colours", "text": "blue", "tags": ["blue"]});
    let refusal = official.cmq_as(way, "publish", blue).expect_err("no subscriber of this tag");
    assert!(refusal.code == "6030" && refusal.message.starts_with("(10730)"), "{refusal}");
    call(&mut official, way, "publish", json!({"topic": "colours", "text": "red", "tags": ["green", "red"]}));
    assert_eq!(text_of(&call(&mut official, way, "receive", json!({"queue": "red", "wait": 20}))), "red");

    call(&mut official, way, "create_topic", json!({"topic": "routes", "filter_type": 2}));
    let keys = json!({"topic": "routes", "name": "k", "protocol": "queue", "endpoint": "routed", "keys": ["job.*.#"]});
    call(&mut official, way, "subscribe", keys);
    let refusal = official.cmq_as(way, "publish", json!({"topic": "routes", "text": "t", "key": "task.failed"}));
    assert_eq!(refusal.expect_err("no subscriber of this key").code, "6030");
    call(&mut official, way, "publish", json!({"topic": "routes", "text": "j", "key": "job.failed.job-1"}));
    assert_eq!(text_of(&call(&mut official, way, "receive", json!({"queue": "routed", "wait": 20}))), "j");
}

#[test]
fn a_post_that_fails_is_repeated_as_it_was() {
    let server = Server::start();
    let mut official = server.official();
    let receiver = Receiver::answering(|number| if number < 2 { 500 } else { 204 });
    call(&mut official, WAYS[0], "create_topic", json!({"topic": "stubborn"}));
    let to_url = json!({"topic": "stubborn", "name": "s", "protocol": "http", "endpoint": receiver.url("/")});
    call(&mut official, WAYS[0], "subscribe", to_url);
    let id = call(&mut official, WAYS[0], "publish", json!({"topic": "stubborn", "text": TEXT}));
    let posts = receiver.wait_for("three posts", |arrived| (arrived.len() >= 3).then(|| arrived.to_vec()));
    for post in &posts {
        assert_eq!((post.body.as_str(), post.header("x-cmq-message-id")), (TEXT, id.as_str()), "{post:?}");
    }
    assert_eq!(posts.len(), 3);
}

#[test]
fn a_queue_is_listed_changed_and_set_back() {
    let server = Server::start();
    let mut official = server.official();
    for (number, way) in WAYS.into_iter().enumerate() {
        let queue = format!("queue-{number}");
        let named = json!({"queue": queue});
        call(&mut official, way, "create_queue", json!({"queue": queue, "rewindSeconds": 3600}));
        let listed = call(&mut official, way, "list_queue", json!({"word": queue}));
        assert_eq!((&listed[0], &listed[1][0]["queueName"]), (&json!(1), &json!(queue)), "{way:?}: {listed}");
        let sent = call(&mut official, way, "batch_send", json!({"queue": queue, "texts": ["one", "two"]}));
        let batch = call(&mut official, way, "batch_receive", json!({"queue": queue, "number": 16, "wait": 10}));
        let handles: Vec<&Value> = batch.as_array().into_iter().flatten().map(|row| &row["receiptHandle"]).collect();
        call(&mut official, way, "batch_delete", json!({"queue": queue, "handles": handles}));
        let attributes = call(&mut official, way, "queue_attributes", named.clone());
        assert_eq!((&attributes["rewindSeconds"], &attributes["rewindmsgNum"]), (&json!(3600), &json!(2)));
        let to = attributes["createTime"].clone();
        call(&mut official, way, "rewind", json!({"queue": queue, "to": to}));
        let again = call(&mut official, way, "batch_receive", json!({"queue": queue, "number": 16, "wait": 10}));
        let ids: Vec<&Value> = again.as_array().into_iter().flatten().map(|row| &row["msgId"]).collect();
        assert_eq!(json!(ids), sent, "{way:?}: the same, in the order they were sent");
        call(&mut official, way, "set_queue", json!({"queue": queue, "rewindSeconds": 0, "visibilityTimeout": 9}));
        let attributes = call(&mut official, way, "queue_attributes", named);
        assert_eq!((&attributes["rewindSeconds"], &attributes["visibilityTimeout"]), (&json!(0), &json!(9)));
        let refusal = official.cmq_as(way, "rewind", json!({"queue": queue, "to": to})).expect_err("it keeps nothing");
        assert_eq!((&*refusal.code, &*refusal.message), ("6050", "(10670)your queue cannot be rewinded"), "{way:?}");
    }
}

#[test]
fn topics_and_subscriptions_are_listed_and_changed() {
    let server = Server::start();
    let mut official = server.official();
    for (number, way) in WAYS.into_iter().enumerate() {
        let (topic, queue) = (format!("topic-{number}"), format!("queue-{number}"));
        call(&mut official, way, "create_topic", json!({"topic": topic}));
        call(&mut official, way, "create_queue", json!({"queue": queue}));
        let to_queue = json!({"topic": topic, "name": "s", "protocol": "queue", "endpoint": queue, "tags": ["red"]});
        call(&mut official, way, "subscribe", to_queue);
        let listed = call(&mut official, way, "list_topic", json!({"word": topic}));
        assert_eq!(listed[1][0]["topicName"], json!(topic), "{way:?}: {listed}");
        let listed = call(&mut official, way, "list_subscription", json!({"topic": topic, "word": "s"}));
        assert_eq!((&listed[0], &listed[1][0]["subscriptionName"]), (&json!(1), &json!("s")), "{way:?}: {listed}");
        call(&mut official, way, "set_topic", json!({"topic": topic, "size": 1024}));
        let attributes = call(&mut official, way, "topic_attributes", json!({"topic": topic}));
        assert_eq!(attributes["maxMsgSize"], 1024, "{way:?}: {attributes}");
        let large = json!({"topic": topic, "text": "x".repeat(1025), "tags": ["red"]});
        assert_eq!(official.cmq_as(way, "publish", large).expect_err("too large").code, "4400", "{way:?}");
        let changed = json!({"topic": topic, "name": "s", "strategy": "BACKOFF_RETRY", "tags": ["blue"]});
        call(&mut official, way, "set_subscription", changed);
        let named = json!({"topic": topic, "name": "s"});
        let attributes = call(&mut official, way, "subscription_attributes", named.clone());
        assert_eq!(attributes["NotifyStrategy"], "BACKOFF_RETRY", "{way:?}: {attributes}");
        let red = json!({"topic": topic, "texts": ["a", "b"], "tags": ["red"]});
        assert_eq!(official.cmq_as(way, "batch_publish", red.clone()).expect_err("blue is wanted").code, "6030");
        call(&mut official, way, "clear_tags", named);
        let ids = call(&mut official, way, "batch_publish", red);
        assert_eq!(ids.as_array().map(Vec::len), Some(2), "{way:?}: {ids}");
        assert_eq!(text_of(&call(&mut official, way, "receive", json!({"queue": queue, "wait": 20}))), "a");
    }
}

#[test]
fn a_message_nobody_can_deal_with_moves_to_the_dead_letter_queue_also_when_nobody_asks() {
    let server = Server::start();
    let mut official = server.official();
    let tdmq = |official: &mut Official, action: &str, params: Value| {
        official.tdmq(action, params).unwrap_or_else(|refusal| panic!("{action}: {refusal}"))
    };
    tdmq(&mut official, "CreateCmqQueue", json!({"QueueName": "dead"}));
    let queue = json!({"QueueName": "q", "VisibilityTimeout": 1, "DeadLetterQueueName": "dead", "Policy": 0,
        "MaxReceiveCount": 1});
    tdmq(&mut official, "CreateCmqQueue", queue);
    let sent = call(&mut official, WAYS[0], "send", json!({"queue": "q", "text": TEXT}));
    call(&mut official, WAYS[0], "receive", json!({"queue": "q", "wait": 10}));
    let dead = call(&mut official, WAYS[0], "receive", json!({"queue": "dead", "wait": 30}));
    assert_eq!((text_of(&dead), &dead["msgId"]), (TEXT, &sent));
    let empty = official.cmq("receive", json!({"queue": "q", "wait": 0})).expect_err("it has moved");
    assert_eq!(empty.code, "7000");
}
