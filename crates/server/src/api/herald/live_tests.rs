//! The actions on a ledger and a database of their own: what they answer.

use std::sync::Arc;

use kernel::change::EnvEdit;
use kernel::command::{Command, DeliveryRecord, NewSubscription, Reply};
use kernel::delivery::{Attempt, Delivery, DeliveryKey, DeliveryStage, Outcome};
use kernel::environment::EnvSpec;
use kernel::event::{EventConfig, EventName, Notification};
use kernel::id::EnvId;
use kernel::subscription::{Endpoint, Format, Strategy, SubscriptionKey};
use kernel::time::Timestamp;
use kernel::topic::{FilterType, MsgId, StreamNo};
use serde_json::{Value, json};

use super::*;
use crate::bare::Running;
use crate::ledger::Lane;

async fn call(app: &App, action: &str, params: Value) -> Result<Value, String> {
    let action = ACTIONS.iter().find(|known| known.name == action).unwrap();
    (action.call)(app, &params).await.map_err(|error| error.to_string())
}

async fn ok(app: &App, action: &str, params: Value) -> Value {
    call(app, action, params).await.unwrap_or_else(|refusal| panic!("{action}: {refusal}"))
}

async fn run(app: &App, command: Command) -> Reply {
    app.ledger.submit(Lane::Api, command).await.unwrap()
}

/// A topic `t` with a subscription `all` that posts, and `red` that posts what is tagged so.
async fn topic_with_two(app: &App) -> (SubscriptionKey, SubscriptionKey) {
    let new = Command::CreateTopic {
        name: "t".into(),
        filter: FilterType::Tags,
        max_msg_bytes: 65_536,
        retention_s: 86_400,
        trace: false,
        tags: Vec::new(),
    };
    run(app, new).await;
    for (name, tags) in [("all", vec![]), ("red", vec!["red".to_owned()])] {
        let new = NewSubscription {
            topic: "t".into(),
            name: name.into(),
            endpoint: Endpoint::Http { url: "http://127.0.0.1:1/".into() },
            strategy: Strategy::default(),
            format: Format::default(),
            filter_tags: tags,
            binding_keys: Vec::new(),
            manner: kernel::subscription::MannerEdit::default(),
        };
        run(app, Command::Subscribe(Box::new(new))).await;
    }
    let keys: Vec<SubscriptionKey> = app.state().subscriptions().map(|subscription| subscription.key).collect();
    (keys[0], keys[1])
}

async fn publish(app: &App, count: usize, tag: &str) {
    let bodies = (0..count).map(|number| Arc::from(format!("text {number}"))).collect();
    let (topic, tags, routing_key) = ("t".into(), vec![tag.into()], String::new());
    run(app, Command::Publish { topic, bodies, tags, routing_key }).await;
}

fn attempt(key: SubscriptionKey, seq: u64, number: u32, outcome: Outcome) -> Arc<Attempt> {
    let (key, at, address) = (DeliveryKey { subscription: key, seq }, Timestamp(1_000 + number as i64), "http://a/");
    Arc::new(Attempt { key, number, at, duration_ms: 7, address: address.into(), outcome })
}

fn refused() -> Outcome {
    Outcome::Replied { status: 500, body: "no".into() }
}

/// The messages and states of a list.
fn told(reply: &Value) -> Vec<(u64, String, String)> {
    let items = reply["DeliverySet"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    items.map(|item| (item["Place"].as_u64().unwrap(), text(&item["SubscriptionName"]), text(&item["State"]))).collect()
}

/// Follows the list from page to page.
async fn all(app: &App, action: &str, params: Value, set: &str) -> Vec<Value> {
    let (mut params, mut found) = (params, Vec::new());
    loop {
        let reply = ok(app, action, params.clone()).await;
        found.extend(reply[set].as_array().unwrap().iter().cloned());
        match reply["Context"].as_str().unwrap() {
            "" => return found,
            next => params["Context"] = json!(next),
        }
    }
}

/// 1 delivered, 2 dead after two attempts, 3 to be tried again, 4 not begun.
async fn fates(app: &App, key: SubscriptionKey) {
    let row = |seq, stage, attempts| Delivery { key: DeliveryKey { subscription: key, seq }, stage, attempts };
    let record = DeliveryRecord {
        key,
        cursor: 2,
        put: vec![row(2, DeliveryStage::Dead, 2), row(3, DeliveryStage::Retrying { next: Timestamp(9_000) }, 1)],
        cleared: Vec::new(),
        attempts: vec![
            attempt(key, 1, 1, Outcome::Replied { status: 204, body: String::new() }),
            attempt(key, 2, 1, refused()),
            attempt(key, 2, 2, Outcome::Failed { error: "timed out".into() }),
            attempt(key, 3, 1, refused()),
        ],
        quiet: Vec::new(),
        stage: None,
        texts: Vec::new(),
    };
    run(app, Command::RecordDeliveries(Box::new(record))).await;
}

#[tokio::test]
async fn deliveries_are_listed_by_subscription_and_by_message() {
    let running = Running::start();
    let app = &running.app;
    let (key, _) = topic_with_two(app).await;
    publish(app, 4, "blue").await;
    fates(app, key).await;
    let of_all = json!({"TopicName": "T", "SubscriptionName": "ALL"});
    let list = ok(app, "DescribeDeliveries", of_all.clone()).await;
    let states: Vec<(u64, String)> = told(&list).into_iter().map(|(place, _, state)| (place, state)).collect();
    let right =
        [(4, "PENDING"), (3, "RETRYING"), (2, "DEAD"), (1, "DELIVERED")].map(|(at, word)| (at, word.to_owned()));
    assert_eq!(states, right);
    assert_eq!(list["Context"], "");
    let three = &list["DeliverySet"][1];
    assert_eq!(
        (&three["NextTime"], &three["Attempts"], &three["Protocol"]),
        (&json!(9_000), &json!(1), &json!("http"))
    );
    assert_eq!(three["LastAttempt"]["Status"], 500);

    let mut failed = of_all.clone();
    failed["States"] = json!(["DEAD", "RETRYING"]);
    failed["Limit"] = json!(1);
    let found = all(app, "DescribeDeliveries", failed, "DeliverySet").await;
    assert_eq!(found.iter().map(|item| item["Place"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 2]);

    let id = MsgId::new(key.topic, 3).0.to_string();
    let list = ok(app, "DescribeDeliveries", json!({"MsgId": id})).await;
    let right = [(3, "all", "RETRYING"), (3, "red", "SKIPPED")];
    assert_eq!(told(&list), right.map(|(at, name, state)| (at, name.to_owned(), state.to_owned())));
    let pages = all(app, "DescribeDeliveries", json!({"MsgId": id, "Limit": 1}), "DeliverySet").await;
    assert_eq!(json!(pages), list["DeliverySet"]);
}

#[tokio::test]
async fn a_delivery_is_shown_with_its_attempts() {
    let running = Running::start();
    let app = &running.app;
    let (key, _) = topic_with_two(app).await;
    publish(app, 4, "blue").await;
    fates(app, key).await;
    let id = MsgId::new(key.topic, 2).0.to_string();
    let shown = ok(app, "DescribeDelivery", json!({"SubscriptionName": "all", "MsgId": id})).await;
    let delivery = &shown["Delivery"];
    assert_eq!((&delivery["State"], &delivery["Body"]), (&json!("DEAD"), &json!("text 1")));
    let first = json!({"MsgId": id, "Number": 1, "Time": 1_001, "Address": "http://a/", "DurationMs": 7,
        "Succeeded": false, "Status": 500, "Reply": "no", "Error": null});
    assert_eq!(delivery["AttemptSet"][0], first);
    assert_eq!(delivery["AttemptSet"][1]["Error"], "timed out");

    let of_all = json!({"TopicName": "t", "SubscriptionName": "all", "Limit": 1});
    let attempts = all(app, "DescribeDeliveryAttempts", of_all.clone(), "AttemptSet").await;
    let numbers = |attempts: &[Value]| attempts.iter().map(|one| one["Number"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(numbers(&attempts), [1, 2, 1, 1]);
    let mut good = of_all;
    good["Outcome"] = json!("SUCCEEDED");
    let attempts = all(app, "DescribeDeliveryAttempts", good, "AttemptSet").await;
    assert_eq!((attempts.len(), &attempts[0]["Status"]), (1, &json!(204)));
}

/// An environment that tells topic `t` of its size.
async fn telling_env(app: &App) -> EnvId {
    let events = [EventName::ComputeEnvCreated, EventName::ComputeEnvScaled];
    let events = events.map(|name| EventConfig { name, vars: Vec::new() }).to_vec();
    let spec = EnvSpec {
        instance_types: Vec::new(),
        notifications: vec![Notification { topic_name: "t".into(), topic: StreamNo(0), events }],
        tags: Vec::new(),
        zone: String::new(),
        recreate: false,
        max_recreations: 0,
        inputs: Vec::new(),
        key: None,
        document: "{}".into(),
    };
    let (name, description) = ("env".to_owned(), String::new());
    let new = Command::CreateEnv { name, description, desired: 0, spec: Box::new(spec), token: None };
    match run(app, new).await {
        Reply::Env(env) => env,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_one_environment_has_sent_is_listed_among_the_messages_of_others() {
    let running = Running::start();
    let app = &running.app;
    topic_with_two(app).await;
    let (env, other) = (telling_env(app).await, telling_env(app).await);
    for desired in 1..=3 {
        publish(app, 2, "red").await;
        for env in [env, other] {
            run(app, Command::ModifyEnv(env, EnvEdit { desired: Some(desired), ..EnvEdit::default() })).await;
        }
    }
    let of_env = json!({"EnvId": env.to_string(), "Limit": 3});
    let events = all(app, "DescribeEvents", of_env.clone(), "EventSet").await;
    let shown: Vec<(u64, u64)> =
        events.iter().map(|event| (event["Place"].as_u64().unwrap(), event["Sequence"].as_u64().unwrap())).collect();
    assert_eq!(shown, [(13, 4), (9, 3), (5, 2), (1, 1)]);
    assert_eq!(events[3]["EventName"], "COMPUTE_ENV_CREATED");
    let totals = ok(app, "DescribeEvents", of_env.clone()).await["TopicSet"].clone();
    assert_eq!(totals, json!([{"TopicName": "t", "Sent": 4, "FirstPlace": 1, "LastPlace": 13}]));

    let deliveries = all(app, "DescribeDeliveries", of_env.clone(), "DeliverySet").await;
    assert_eq!(deliveries.len(), 2 * 4);
    assert_eq!((&deliveries[0]["Owner"], &deliveries[0]["Sequence"]), (&json!(env.to_string()), &json!(4)));
    let mut of_red = of_env;
    of_red["TopicName"] = json!("t");
    of_red["SubscriptionName"] = json!("red");
    let deliveries = all(app, "DescribeDeliveries", of_red, "DeliverySet").await;
    assert!(deliveries.iter().all(|one| one["State"] == "SKIPPED") && deliveries.len() == 4, "{deliveries:?}");
}

#[tokio::test]
async fn what_cannot_be_listed_is_refused_with_the_field() {
    let running = Running::start();
    let app = &running.app;
    let (key, _) = topic_with_two(app).await;
    let id = |stream, seq| MsgId::new(StreamNo(stream), seq).0.to_string();
    let table = [
        ("DescribeDeliveries", json!({}), "MissingParameter: SubscriptionName: give a message"),
        ("DescribeDeliveries", json!({"SubscriptionName": "all"}), "MissingParameter: TopicName: required"),
        (
            "DescribeDeliveries",
            json!({"TopicName": "u", "SubscriptionName": "all"}),
            "ResourceNotFound.Topic: TopicName",
        ),
        ("DescribeDeliveries", json!({"TopicName": "t", "SubscriptionName": "x"}), "ResourceNotFound.Subscription: "),
        ("DescribeDeliveries", json!({"MsgId": "x"}), "InvalidParameterValue: MsgId: it must be the id"),
        ("DescribeDeliveries", json!({"MsgId": id(key.topic.0, 1)}), "ResourceNotFound: MsgId: there has been no such"),
        ("DescribeDeliveries", json!({"MsgId": id(99, 1)}), "ResourceNotFound.Topic: MsgId: it is of no topic"),
        ("DescribeDeliveries", json!({"JobId": "job-1"}), "InvalidParameter.JobIdMalformed: JobId"),
        ("DescribeDeliveries", json!({"JobId": "job-0000000z"}), "ResourceNotFound.Job: JobId: job job-0000000z"),
        ("DescribeEvents", json!({"EnvId": "env-0000000z"}), "ResourceNotFound.ComputeEnv: EnvId"),
        ("DescribeEvents", json!({}), "MissingParameter: JobId: required"),
        (
            "DescribeDeliveries",
            json!({"TopicName": "t", "SubscriptionName": "all", "States": ["DEAD", "GONE"]}),
            "InvalidParameterValue: States.1: it must be one of PENDING, RETRYING",
        ),
        (
            "DescribeDeliveries",
            json!({"TopicName": "t", "SubscriptionName": "all", "Context": "1-2"}),
            "InvalidParameterValue: Context: it must be",
        ),
        (
            "DescribeDeliveries",
            json!({"TopicName": "t", "SubscriptionName": "all", "Context": "4000000-1-1"}),
            "InvalidParameterValue: Context: the topic that it goes on in is not there any more",
        ),
        (
            "DescribeDeliveries",
            json!({"TopicName": "t", "SubscriptionName": "all", "Limit": 101}),
            "InvalidParameterValue: Limit: 101 is out of range",
        ),
        (
            "DescribeDeliveryAttempts",
            json!({"TopicName": "t", "SubscriptionName": "all", "Outcome": "GOOD"}),
            "InvalidParameterValue: Outcome: it must be SUCCEEDED or FAILED",
        ),
        ("DescribeDelivery", json!({"SubscriptionName": "all"}), "MissingParameter: MsgId"),
    ];
    for (action, params, said) in table {
        let refusal = call(app, action, params.clone()).await.expect_err(action);
        assert!(refusal.starts_with(said), "{action} {params}: {refusal}");
    }
}
