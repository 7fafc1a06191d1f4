//! Key pairs of others: what each may do and to what, how they end, and that the database alone gives none away.

use std::fs;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::support::server::{Server, herald};
use crate::support::signed::Signed;

/// A key pair that was made.
struct Pair {
    id: String,
    key: String,
}

fn printed(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn create(server: &Server, args: &[&str]) -> Pair {
    let reply = printed(&server.herald(&[&["key", "create", "--json"], args].concat()));
    let text = |field: &str| reply[field].as_str().expect("a text").to_owned();
    Pair { id: text("SecretId"), key: text("SecretKey") }
}

fn code(answer: Result<Value, (String, String)>) -> String {
    answer.err().map_or_else(|| "done".to_owned(), |(code, _)| code)
}

#[test]
fn a_key_pair_does_what_its_roles_and_scope_allow_and_the_trail_tells_of_it() {
    let server = Server::start_with("[audit]\ntopic = \"trail\"\n");
    let own = Signed::new(&server);
    for (action, params) in [
        ("CreateCmqQueue", json!({"QueueName": "audits"})),
        ("CreateCmqQueue", json!({"QueueName": "mine-1"})),
        ("CreateCmqQueue", json!({"QueueName": "other"})),
    ] {
        own.call("tdmq", action, &params).expect("a queue");
    }
    let subscribe = json!({"TopicName": "trail", "SubscriptionName": "to-queue", "Protocol": "queue",
        "Endpoint": "audits", "NotifyContentFormat": "SIMPLIFIED"});
    own.call("tdmq", "CreateCmqSubscribe", &subscribe).expect("a subscription");

    let worker = create(&server, &["--role", "submit,consume", "--queue", "mine-*", "--description", "worker"]);
    let worker = Signed::with(&server, &worker.id, &worker.key);
    let send = |queue: &str| worker.call("v2", "SendMessage", &json!({"queueName": queue, "msgBody": "x"}));
    let receive = |queue: &str| worker.call("v2", "ReceiveMessage", &json!({"queueName": queue}));
    send("mine-1").expect("within its scope");
    assert_eq!(receive("mine-1").expect("within its scope")["msgBody"], "x");
    let (refused, why) = send("other").expect_err("beyond its scope");
    assert_eq!(refused, "4000", "{why}");
    assert!(why.starts_with("(10461)") && why.contains("`other`") && why.contains("mine-*"), "{why}");
    assert_eq!(code(receive("other")), "4000");
    let denied = "UnauthorizedOperation";
    assert_eq!(code(worker.call("tdmq", "DescribeCmqQueues", &json!({}))), denied);
    assert_eq!(code(worker.call("tdmq", "CreateCmqQueue", &json!({"QueueName": "mine-2"}))), denied);
    assert_eq!(code(worker.call("herald", "CreateAccessKey", &json!({"Roles": ["admin"]}))), denied);
    assert_eq!(code(worker.call("batch", "DescribeJobs", &json!({}))), denied);

    let reader = create(&server, &["--role", "read"]);
    let reader = Signed::with(&server, &reader.id, &reader.key);
    reader.call("tdmq", "DescribeCmqQueues", &json!({})).expect("a reader looks");
    assert_eq!(code(reader.call("tdmq", "DeleteCmqQueue", &json!({"QueueName": "other"}))), denied);
    assert_eq!(code(reader.call("v2", "ReceiveMessage", &json!({"queueName": "mine-1"}))), "4000");

    // What was changed is told, by whom, in order; what was refused or only looked at is not.
    let mut told = Vec::new();
    while told.len() < 3 {
        let message = own.call("v2", "ReceiveMessage", &json!({"queueName": "audits", "pollingWaitSeconds": 30}));
        let message = message.expect("an entry of the trail");
        told.push(serde_json::from_str::<Value>(message["msgBody"].as_str().expect("a text")).expect("JSON"));
    }
    let actions: Vec<&str> = told.iter().filter_map(|entry| entry["Action"].as_str()).collect();
    assert_eq!(actions, ["CreateCmqSubscribe", "CreateAccessKey", "CreateAccessKey"]);
    assert_eq!(told[0]["Targets"], json!(["queue audits", "topic trail", "SubscriptionName to-queue"]));
    assert!(told.iter().all(|entry| entry["SecretId"] == crate::support::server::SECRET_ID), "{told:?}");
    assert!(told.iter().all(|entry| entry["Address"] == "127.0.0.1"), "{told:?}");
    let deleted = own.call("tdmq", "DeleteCmqTopic", &json!({"TopicName": "trail"}));
    assert_eq!(code(deleted), "ResourceInUse");
}

#[test]
fn a_key_pair_is_disabled_rotated_and_deleted() {
    let server = Server::start();
    let pair = create(&server, &["--role", "read", "--rate", "3"]);
    let look = |key: &str| code(Signed::with(&server, &pair.id, key).call("herald", "DescribeServer", &json!({})));
    assert_eq!(look(&pair.key), "done");
    let run = |args: &[&str]| {
        let output = server.herald(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    // More calls than its bound allows are refused, and come through later.
    let looks: Vec<String> = (0..40).map(|_| look(&pair.key)).collect();
    assert!(looks.iter().any(|code| code == "RequestLimitExceeded"), "{looks:?}");
    run(&["key", "update", &pair.id, "--rate", "0"]);
    assert_eq!(look(&pair.key), "done");

    run(&["key", "disable", &pair.id]);
    assert_eq!(look(&pair.key), "AuthFailure.SecretIdNotFound");
    run(&["key", "enable", &pair.id]);
    let second = run(&["key", "rotate", &pair.id, "--keep", "3600"]);
    assert_eq!((look(&pair.key), look(&second)), ("done".to_owned(), "done".to_owned()));
    let third = run(&["key", "rotate", &pair.id, "--keep", "0"]);
    assert_eq!(look(&second), "AuthFailure.SignatureFailure");
    assert_eq!(look(&pair.key), "AuthFailure.SignatureFailure");
    assert_eq!(look(&third), "done");
    run(&["key", "delete", &pair.id]);
    assert_eq!(look(&third), "AuthFailure.SecretIdNotFound");
}

#[test]
fn a_key_pair_makes_no_more_than_it_is_bounded_to() {
    let server = Server::start();
    let own = Signed::new(&server);
    let bounds = ["--max-jobs", "1", "--max-topics", "1", "--max-queues", "1", "--max-envs", "1"];
    let pair = create(&server, &[&["--role", "admin", "--queue", "mine-*"][..], &bounds].concat());
    let bounded = Signed::with(&server, &pair.id, &pair.key);
    own.call("tdmq", "CreateCmqQueue", &json!({"QueueName": "beyond"})).expect("a queue of others");
    bounded.call("v2", "CreateQueue", &json!({"queueName": "mine-1"})).expect("the first of its scope");
    let (code, why) = bounded.call("v2", "CreateQueue", &json!({"queueName": "mine-2"})).expect_err("the second");
    assert_eq!(code, "4450");
    assert!(why.starts_with("(10220)") && why.contains("at most 1 queues are allowed in the scope"), "{why}");
    let refused = |product: &str, action: &str, params: Value| {
        bounded.call(product, action, &params).expect(action);
        let (code, why) = bounded.call(product, action, &params_again(params)).expect_err(action);
        assert!(why.contains("at most 1") && why.contains("in the scope of the key pair"), "{code}: {why}");
        code
    };
    assert_eq!(refused("tdmq", "CreateCmqTopic", json!({"TopicName": "one"})), "LimitExceeded.Topics");
    let env = json!({"Placement": {"Zone": "ap-guangzhou-1"}, "ComputeEnv": {"EnvName": "one",
        "DesiredComputeNodeCount": 0, "EnvType": "MANAGED", "EnvData": {"InstanceTypes": ["local"]}}});
    assert_eq!(refused("batch", "CreateComputeEnv", env), "LimitExceeded.ComputeEnvQuota");
    let envs = own.call("batch", "DescribeComputeEnvs", &json!({})).expect("the environments");
    let env_id = &envs["ComputeEnvSet"][0]["EnvId"];
    let job = json!({"Placement": {"Zone": "ap-guangzhou-1"}, "Job": {"JobName": "one", "Tasks": [{"TaskName": "t",
        "Application": {"DeliveryForm": "LOCAL", "Command": "true"}, "EnvId": env_id}]}});
    assert_eq!(refused("batch", "SubmitJob", job), "LimitExceeded.JobQuota");
    own.call("v2", "CreateQueue", &json!({"queueName": "mine-3"})).expect("others are not bound by it");
}

/// The same under another name, where the name must be another.
fn params_again(mut params: Value) -> Value {
    if params["TopicName"].is_string() {
        params["TopicName"] = json!("two");
    }
    params
}

#[test]
fn the_database_alone_gives_no_key_pair_away() {
    let mut server = Server::start();
    let pair = create(&server, &["--role", "read"]);
    assert!(server.stop().success());
    let data = server.folder().join("data");
    for file in ["herald.db", "herald.db-wal"] {
        let bytes = fs::read(data.join(file)).unwrap_or_default();
        let holds = bytes.windows(pair.key.len()).any(|window| window == pair.key.as_bytes());
        assert!(!holds, "the secret stands in {file}");
    }
    let serve = || {
        let mut serve = herald(server.folder());
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data).stdin(Stdio::null());
        serve
    };
    let refused = |output: Output| {
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let (master, aside) = (data.join("master.key"), data.join("aside"));
    fs::rename(&master, &aside).unwrap();
    let told = refused(serve().output().unwrap());
    assert!(told.contains("master.key is gone"), "{told}");
    let told = refused(serve().env("HERALD_MASTER_KEY", "ab".repeat(32)).output().unwrap());
    assert!(told.contains(&pair.id) && told.contains("does not open"), "{told}");
    fs::rename(&aside, &master).unwrap();
    server.restart();
    let look = Signed::with(&server, &pair.id, &pair.key).call("herald", "DescribeServer", &json!({}));
    look.expect("the key pair is there");
}

#[test]
fn a_request_that_was_overheard_is_not_taken_a_second_time() {
    let server = Server::start();
    let own = Signed::new(&server);
    own.call("v2", "CreateQueue", &json!({"queueName": "inbox"})).expect("a queue");
    let body = own.v2_body("SendMessage", &json!({"queueName": "inbox", "msgBody": "once"}));
    own.send_v2(body.clone()).expect("the first time");
    let (refused, why) = own.send_v2(body.clone()).expect_err("the second time");
    assert_eq!(refused, "4100");
    assert!(why.contains("made before"), "{why}");
    // Under another's name it is no better.
    let pair = create(&server, &["--role", "admin"]);
    let swapped = body.replace(crate::support::server::SECRET_ID, &pair.id);
    assert_ne!(swapped, body);
    assert_eq!(code(own.send_v2(swapped)), "4100");
    let attributes = own.call("v2", "GetQueueAttributes", &json!({"queueName": "inbox"})).expect("attributes");
    assert_eq!(attributes["activeMsgNum"], 1);
}
