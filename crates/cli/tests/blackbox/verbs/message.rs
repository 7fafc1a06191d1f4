//! `herald topic`, `herald sub` and `herald queue`.

use serde_json::{Value, json};

use super::Client;
use crate::support::receiver::Receiver;
use crate::support::server::Server;
use crate::support::signed::Signed;

#[test]
fn topics_are_made_shown_and_deleted() {
    let server = Server::start();
    server.says("topic list").assert_told("no topics");
    let id = server.says("topic create news --retention 3600").one_line();
    let routed = server.says("topic create routed --routing --json").json();
    assert!(routed["TopicId"].is_string(), "{routed}");
    server.says("topic list").assert_printed(&["NAME ", "news", &id, "routed"]);
    let list = server.says("topic list --json").json();
    assert_eq!((&list["TotalCount"], &list["TopicList"][0]["TopicName"]), (&json!(2), &json!("routed")), "{list}");
    server.says("topic show news").assert_printed(&["Topic ", "tags", "Kept for, s             3600"]);
    server.says("topic show routed").assert_printed(&["routing keys"]);
    let shown = server.says("topic show news --json").json();
    assert_eq!(shown["TopicDescribe"]["TopicId"], id.as_str(), "{shown}");
    server.says("topic delete news").assert_told("topic news is deleted");
    assert!(server.says("topic delete routed --json").json()["RequestId"].is_string());
    assert_eq!(server.says("topic list --json").json()["TotalCount"], 0);
}

#[test]
fn subscriptions_are_made_shown_and_deleted() {
    let server = Server::start();
    let receiver = Receiver::start();
    for line in ["topic create news", "topic create routed --routing", "queue create inbox"] {
        server.says(line).one_line();
    }
    server.says("sub list news").assert_told("no subscriptions");
    let id = server.says("sub create news in-queue --queue inbox --tag red --tag blue").one_line();
    let url = receiver.url("/news");
    let line = format!("sub create news by-post --http {url} --strategy backoff_retry --format simplified --json");
    assert!(server.says(&line).json()["SubscriptionId"].is_string());
    server.says("sub create routed keyed --queue inbox --bind job.#").one_line();

    server.says("sub list news").assert_printed(&["NAME ", "in-queue", &id, "by-post", &url]);
    assert_eq!(server.says("sub list news --json").json()["TotalCount"], 2);
    server.says("sub show news in-queue").assert_printed(&["Subscription", &id, "queue", "red, blue"]);
    server.says("sub show news by-post").assert_printed(&["BACKOFF_RETRY", "SIMPLIFIED", &url]);
    server.says("sub show routed keyed").assert_printed(&["Binding keys", "job.#"]);
    assert_eq!(server.says("sub show news in-queue --json").json()["SubscriptionId"], id.as_str());
    published(&server, &receiver);
    server.says("sub delete news in-queue").assert_told("subscription in-queue of news is deleted");
    assert!(server.says("sub delete news by-post --json").json()["RequestId"].is_string());
    assert_eq!(server.says("sub list news --json").json()["TotalCount"], 0);
}

/// Publishes to the topics of [`subscriptions_are_made_shown_and_deleted`], and sees who gets what.
fn published(server: &Server, receiver: &Receiver) {
    let id = server.says("topic publish news first --tag red").one_line();
    let posted = receiver.wait_for("the post", |posts| posts.first().cloned());
    assert_eq!((posted.body.as_str(), posted.header("x-cmq-message-id")), ("first", Some(id.as_str())));
    assert_eq!(server.says("queue receive inbox --wait 20 --ack").one_line(), "first");
    let reply = server.says("topic publish routed second --routing-key job.failed --json").json();
    assert!(reply["msgId"].is_string(), "{reply}");
    assert_eq!(server.says("queue receive inbox --wait 20 --ack").one_line(), "second");
}

#[test]
fn queues_are_made_shown_and_deleted() {
    let server = Server::start();
    server.says("queue list").assert_told("no queues");
    let id = server.says("queue create inbox --visibility 3600 --retention 7200").one_line();
    assert!(server.says("queue create other --json").json()["QueueId"].is_string());
    server.says("queue list").assert_printed(&["NAME ", "inbox", &id, "other"]);
    let list = server.says("queue list --json").json();
    assert_eq!((&list["TotalCount"], &list["QueueList"][0]["QueueName"]), (&json!(2), &json!("other")), "{list}");
    server.says("queue show inbox").assert_printed(&["Hidden for, s           3600", "Kept for, s             7200"]);
    assert_eq!(server.says("queue show inbox --json").json()["QueueDescribe"]["QueueId"], id.as_str());
    server.says("queue delete inbox").assert_told("queue inbox is deleted");
    assert!(server.says("queue delete other --json").json()["RequestId"].is_string());
    assert_eq!(server.says("queue list --json").json()["TotalCount"], 0);
}

#[test]
fn queues_topics_and_subscriptions_are_changed_set_back_and_cleared() {
    let server = Server::start();
    server.says("queue create dead").one_line();
    server.says("queue create inbox --rewind 3600 --dead-letters dead --max-receives 3").one_line();
    server.says("queue show inbox").assert_printed(&["dead, after 3 receipts"]);
    server.says("queue show dead").assert_printed(&["Takes dead letters of   inbox"]);
    server.says("queue send inbox one").one_line();
    assert_eq!(server.says("queue receive inbox --ack").one_line(), "one");
    server.says("queue receive inbox").assert_failed(1, &["no message in queue inbox"]);
    server.says("queue rewind inbox --to 10m").assert_told("queue inbox is set back");
    assert_eq!(server.says("queue receive inbox --ack").one_line(), "one");
    server.says("queue rewind inbox --to 2h").assert_failed(1, &["is not a moment the queue can be set back to"]);
    server.says("queue rewind inbox --to yesterday").assert_failed(2, &["a time such as"]);
    server.says("queue send inbox two").one_line();
    server.says("queue clear inbox").assert_told("queue inbox is empty");
    server.says("queue receive inbox").assert_failed(1, &["no message in queue inbox"]);
    server.says("queue update inbox --visibility 9 --no-dead-letters").assert_told("queue inbox is changed");
    server.says("queue show inbox").assert_printed(&["nowhere", "Hidden for, s           9"]);
    server.says("topic create news").one_line();
    server.says("topic update news --retention 60").assert_told("topic news is changed");
    server.says("topic show news").assert_printed(&["Kept for, s             60"]);
    server.says("sub create news s --queue inbox --tag red").one_line();
    server.says("sub update news s --tag blue").assert_told("subscription s of topic news is changed");
    server.says("sub show news s").assert_printed(&["blue"]);
    server.says("sub update news s --any-tag").assert_told("subscription s of topic news is changed");
    assert_eq!(server.says("sub show news s --json").json()["FilterTags"], json!([]));
}

#[test]
fn messages_are_sent_and_received() {
    let server = Server::start();
    server.says("queue create inbox --visibility 3600").one_line();
    server.says("queue receive inbox").assert_failed(1, &["no message in queue inbox"]);
    server.says("queue receive inbox --json").assert_failed(1, &["no message in queue inbox"]);
    let id = server.says("queue send inbox one").one_line();
    let peeked = server.says("queue receive inbox");
    assert_eq!(peeked.one_line(), "one");
    assert!(peeked.err.contains(&format!("message {id}, receipt 1; it comes again")), "{}", peeked.all());
    assert_eq!(queue(&server)["InactiveMsgNum"], 1, "received, and not acknowledged");

    let reply = server.says("queue send inbox two --json").json();
    let message = server.says("queue receive inbox --ack --json").json();
    assert_eq!((&message["msgBody"], &message["msgId"]), (&json!("two"), &reply["msgId"]), "{message}");
    let queue = queue(&server);
    assert_eq!((&queue["ActiveMsgNum"], &queue["InactiveMsgNum"]), (&json!(0), &json!(1)), "{queue}");
}

/// The queue `inbox` as the server shows it.
fn queue(server: &Server) -> Value {
    server.says("queue show inbox --json").json()["QueueDescribe"].clone()
}

#[test]
fn a_subscription_is_shown_on_whichever_page_its_name_is() {
    let server = Server::start();
    let caller = Signed::new(&server);
    server.says("topic create news").one_line();
    let subscribe = |name: &str| {
        let params =
            json!({"TopicName": "news", "SubscriptionName": name, "Protocol": "http", "Endpoint": "http://h/"});
        caller.call("tdmq", "CreateCmqSubscribe", &params).expect("it is new");
    };
    // The first and the last, whatever the order of the pages.
    for name in ["s".to_owned()].into_iter().chain((0..60).map(|number| format!("s-{number}"))).chain(["ss".to_owned()])
    {
        subscribe(&name);
    }
    for name in ["s", "s-30", "ss"] {
        assert_eq!(server.says(&format!("sub show news {name} --json")).json()["SubscriptionName"], name);
    }
    server.says("sub show news s-").assert_failed(1, &["topic news has no subscription s-"]);
}
