//! The main job, as a user of Tencent's command line does it: events asked for, a graph submitted, its end awaited,
//! its logs read; every event arrives in the queue and at both HTTP listeners.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::events::{Log, drain, event, simplified};
use crate::support::receiver::{Callback, Receiver};
use crate::support::requests::{JOB_EVENTS, edge, environment, notifications, placement, task};
use crate::support::server::Server;

/// What the graph sends: RUNNING and SUCCEED of the job, of three tasks, and of one, four and one instances.
const EVENTS: usize = 2 + 3 * 2 + (1 + 4 + 1) * 2;

#[test]
fn a_graph_runs_and_its_events_arrive_everywhere() {
    let server = Server::start();
    let receiver = Receiver::start();
    subscribers(&server, &receiver);
    let env = running_environment(&server);
    let job = submit_graph(&server, &env);
    let waiter = "{'expr':'JobState','to':'SUCCEED','timeout':170,'interval':1}";
    let view = server.tccli(&["batch", "DescribeJob", "--JobId", &job, "--waiter", waiter]);
    assert_eq!(view["TaskMetrics"]["SucceedCount"], 3, "{view}");
    assert_eq!(view["DependenceSet"].as_array().map(Vec::len), Some(2), "{view}");
    reads_of_a_finished_job(&server, &job);

    let mut official = server.official();
    let log =
        Log::of(&job, drain(&mut official, "inbox", |texts| texts.len() >= EVENTS).iter().map(|text| event(text)));
    log.assert_whole(EVENTS);
    assert_graph_order(&log);
    assert_posts(&receiver, &job, &log);
}

/// Makes the topic `job-message` with a queue, and a listener in each format.
fn subscribers(server: &Server, receiver: &Receiver) {
    server.tccli(&["tdmq", "CreateCmqTopic", "--TopicName", "job-message"]);
    server.tccli(&["tdmq", "CreateCmqQueue", "--QueueName", "inbox", "--VisibilityTimeout", "3600"]);
    let (json_url, simplified_url) = (receiver.url("/json"), receiver.url("/simplified"));
    let subscriptions = [
        ("in-queue", "queue", "inbox", "SIMPLIFIED"),
        ("as-json", "http", json_url.as_str(), "JSON"),
        ("as-text", "http", simplified_url.as_str(), "SIMPLIFIED"),
    ];
    for (name, protocol, endpoint, form) in subscriptions {
        let mut subscribe = vec!["tdmq", "CreateCmqSubscribe", "--TopicName", "job-message"];
        subscribe.extend(["--SubscriptionName", name, "--Protocol", protocol]);
        subscribe.extend(["--Endpoint", endpoint, "--NotifyContentFormat", form]);
        let reply = server.tccli(&subscribe);
        assert!(reply["SubscriptionId"].is_string(), "{reply}");
    }
}

fn running_environment(server: &Server) -> String {
    let (place, env) = (placement().to_string(), environment("two", 2).to_string());
    let created = server.tccli(&["batch", "CreateComputeEnv", "--Placement", &place, "--ComputeEnv", &env]);
    let env = created["EnvId"].as_str().expect("an id").to_owned();
    let waiter = "{'expr':'ComputeNodeMetrics.RunningCount','to':2,'timeout':170,'interval':1}";
    let view = server.tccli(&["batch", "DescribeComputeEnv", "--EnvId", &env, "--waiter", waiter]);
    assert_eq!(view["ComputeNodeSet"].as_array().map(Vec::len), Some(2), "{view}");
    env
}

fn submit_graph(server: &Server, env: &str) -> String {
    let tasks = [
        task("split", env, "echo split", 1),
        task("count", env, "echo part $BATCH_TASK_INSTANCE_INDEX of $BATCH_TASK_INSTANCE_NUM", 4),
        task("merge", env, "echo merged by $BATCH_JOB_ID $BATCH_TASK_NAME; echo grumble >&2", 1),
    ];
    let edges = [edge("split", "count"), edge("count", "merge")];
    let wanted = notifications("job-message", &JOB_EVENTS);
    let job = json!({"JobName": "graph", "Tasks": tasks, "Dependences": edges, "Notifications": wanted});
    let place = placement().to_string();
    let reply = server.tccli(&["batch", "SubmitJob", "--Placement", &place, "--Job", &job.to_string()]);
    reply["JobId"].as_str().expect("an id").to_owned()
}

fn reads_of_a_finished_job(server: &Server, job: &str) {
    let view = server.tccli(&["batch", "DescribeTask", "--JobId", job, "--TaskName", "count"]);
    let instances = view["TaskInstanceSet"].as_array().expect("a list");
    assert_eq!(instances.len(), 4, "{view}");
    for (index, instance) in instances.iter().enumerate() {
        assert_eq!(instance["TaskInstanceIndex"], index, "{instance}");
        assert_eq!((&instance["TaskInstanceState"], &instance["ExitCode"]), (&json!("SUCCEED"), &json!(0)));
        assert!(instance["RunningTime"].as_str() <= instance["EndTime"].as_str(), "{instance}");
    }
    let logs = server.tccli(&["batch", "DescribeTaskLogs", "--JobId", job, "--TaskName", "merge"]);
    let log = &logs["TaskInstanceLogSet"][0];
    assert_eq!(decoded(&log["StdoutLog"]), format!("merged by {job} merge\n"));
    assert_eq!(decoded(&log["StderrLog"]), "grumble\n");
    let filters = r#"[{"Name":"job-name","Values":["graph"]},{"Name":"job-state","Values":["SUCCEED","FAILED"]}]"#;
    let found = server.tccli(&["batch", "DescribeJobs", "--Filters", filters]);
    assert_eq!((&found["TotalCount"], &found["JobSet"][0]["JobId"]), (&json!(1), &json!(job)), "{found}");
}

fn decoded(log: &Value) -> String {
    let bytes = STANDARD.decode(log.as_str().expect("a text")).expect("Base64");
    String::from_utf8(bytes).expect("UTF-8")
}

/// The order of the changes: each task runs after the one before it has succeeded; the job's end is the last.
fn assert_graph_order(log: &Log) {
    let changes: Vec<String> = log
        .events()
        .filter(|event| event["EventName"].as_str().is_some_and(|name| !name.starts_with("TASK_INSTANCE")))
        .map(|event| {
            let task = event["Batch"]["TaskName"].as_str().unwrap_or("job");
            format!("{task} {}", event["EventName"].as_str().unwrap_or_default())
        })
        .collect();
    let position = |change: &str| {
        let found = changes.iter().position(|seen| seen == change);
        found.unwrap_or_else(|| panic!("no {change} in {changes:?}"))
    };
    assert_eq!(changes.len(), 8, "{changes:?}");
    assert_eq!(position("job JOB_SUCCEED"), 7, "{changes:?}");
    for (before, after) in [("split", "count"), ("count", "merge")] {
        let ended = position(&format!("{before} TASK_SUCCEED"));
        assert!(ended < position(&format!("{after} TASK_RUNNING")), "{changes:?}");
    }
    assert_eq!(log.indexes("TASK_INSTANCE_SUCCEED"), [0, 0, 0, 1, 2, 3]);
}

/// Both listeners got the queue's events, each in its format, with the headers of a push.
fn assert_posts(receiver: &Receiver, job: &str, log: &Log) {
    let posts = receiver.wait_for("every event at both listeners", |arrived| {
        let count = |path: &str| {
            let posts = arrived.iter().filter(|post| post.path == path);
            let texts: std::collections::BTreeSet<&str> = posts.map(|post| post.body.as_str()).collect();
            texts.len()
        };
        (count("/json") >= EVENTS && count("/simplified") >= EVENTS).then(|| arrived.to_vec())
    });
    for post in &posts {
        assert_eq!(post.method, "POST");
        assert_eq!(post.header("content-type"), Some("text/plain"), "{post:?}");
        assert_eq!(post.header("user-agent"), Some("Qcloud Notification Service Agent"), "{post:?}");
        for header in ["x-cmq-request-id", "x-cmq-message-id"] {
            let digits = post.header(header).unwrap_or_default();
            assert!(!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()), "{header}: {post:?}");
        }
    }
    let of = |path: &'static str| posts.iter().filter(move |post| post.path == path);
    for events in [Log::of(job, of("/simplified").map(simplified)), Log::of(job, of("/json").map(enveloped))] {
        events.assert_whole(EVENTS);
        assert!(events.events().eq(log.events()), "the listeners and the queue got the same");
    }
}

/// The event in a callback of a JSON subscription, after a look at the envelope.
fn enveloped(post: &Callback) -> Value {
    let envelope: Value = serde_json::from_str(&post.body).expect("JSON");
    let keys: Vec<&str> = envelope.as_object().expect("an object").keys().map(String::as_str).collect();
    let wanted = ["TopicOwner", "topicName", "subscriptionName", "msgId", "msgBody", "publishTime"];
    assert_eq!(keys, wanted, "{envelope}");
    assert_eq!((&envelope["topicName"], &envelope["subscriptionName"]), (&json!("job-message"), &json!("as-json")));
    assert_eq!(envelope["msgId"].as_str(), post.header("x-cmq-message-id"), "{envelope}");
    assert!(envelope["TopicOwner"].is_u64() && envelope["publishTime"].is_u64(), "{envelope}");
    event(envelope["msgBody"].as_str().expect("a text"))
}

#[test]
fn a_long_job_is_terminated_and_deleted() {
    let server = Server::start();
    let env = running_environment(&server);
    let job = json!({"JobName": "long", "Tasks": [task("sleep", &env, "sleep 3600", 3)]});
    let (place, job) = (placement().to_string(), job.to_string());
    let reply = server.tccli(&["batch", "SubmitJob", "--Placement", &place, "--Job", &job]);
    let job = reply["JobId"].as_str().expect("an id");
    let running = "{'expr':'JobState','to':'RUNNING','timeout':170,'interval':1}";
    server.tccli(&["batch", "DescribeJob", "--JobId", job, "--waiter", running]);

    let refused = server.try_tccli(&["batch", "DeleteJob", "--JobId", job]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(255), "{told}");
    assert!(told.contains("ResourceInUse.Job"), "{told}");
    server.tccli(&["batch", "TerminateJob", "--JobId", job]);
    let failed = "{'expr':'JobState','to':'FAILED','timeout':170,'interval':1}";
    let view = server.tccli(&["batch", "DescribeJob", "--JobId", job, "--waiter", failed]);
    assert_eq!(view["TaskInstanceMetrics"]["FailedCount"], 3, "{view}");
    server.tccli(&["batch", "DeleteJob", "--JobId", job]);
    assert_eq!(server.tccli(&["batch", "DescribeJobs"])["TotalCount"], 0);
}
