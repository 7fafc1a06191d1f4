//! The Python SDK: every action that is built, through its typed models, however it signs and sends.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::events::{Log, drain, event};
use crate::support::official::{Answer, Api3, Official, TC3_POST};
use crate::support::requests::{ENV_EVENTS, environment, notifications, placement, task};
use crate::support::server::Server;
use crate::support::wait;

/// A client that signs and sends in one way.
struct Client {
    official: Official,
    way: Api3,
}

impl Client {
    fn try_call(&mut self, service: &str, action: &str, params: Value) -> Answer {
        self.official.api(self.way, service, action, params)
    }

    fn batch(&mut self, action: &str, params: Value) -> Value {
        let way = self.way;
        self.try_call("batch", action, params).unwrap_or_else(|refusal| panic!("{way:?} {action}: {refusal}"))
    }

    fn tdmq(&mut self, action: &str, params: Value) -> Value {
        let way = self.way;
        self.try_call("tdmq", action, params).unwrap_or_else(|refusal| panic!("{way:?} {action}: {refusal}"))
    }

    fn refusal(&mut self, action: &str, params: Value) -> String {
        self.try_call("batch", action, params).expect_err(action).code
    }

    /// Looks with `action` until `member` has `value`.
    fn wait(&mut self, action: &str, params: &Value, member: &str, value: &Value) -> Value {
        wait::until(&format!("{member} {value} in {action}"), || {
            let reply = self.batch(action, params.clone());
            (reply.pointer(member) == Some(value)).then_some(reply)
        })
    }
}

#[test]
fn every_action_answers_tc3_posts() {
    every_action(TC3_POST);
}

#[test]
fn every_action_answers_tc3_gets() {
    every_action(Api3 { method: "GET", ..TC3_POST });
}

#[test]
fn every_action_answers_legacy_posts() {
    every_action(Api3 { sign: "HmacSHA256", method: "POST" });
}

#[test]
fn every_action_answers_legacy_gets() {
    every_action(Api3 { sign: "HmacSHA256", method: "GET" });
}

fn every_action(way: Api3) {
    let server = Server::start();
    let mut client = Client { official: server.official(), way };
    topics_and_queues(&mut client);
    let env = environments(&mut client);
    jobs(&mut client, &env);
    endings(&mut client, &env);
}

fn topics_and_queues(client: &mut Client) {
    let topic = client.tdmq("CreateCmqTopic", json!({"TopicName": "happenings"}));
    let queue = client.tdmq("CreateCmqQueue", json!({"QueueName": "inbox", "VisibilityTimeout": 3600}));
    let request = json!({"TopicName": "happenings", "SubscriptionName": "in-queue", "Protocol": "queue",
        "Endpoint": "inbox", "NotifyContentFormat": "SIMPLIFIED"});
    let subscription = client.tdmq("CreateCmqSubscribe", request);

    let topics = client.tdmq("DescribeCmqTopics", json!({"Limit": 10}));
    assert_eq!(topics["TotalCount"], 1, "{topics}");
    assert_eq!(topics["TopicList"][0]["TopicId"], topic["TopicId"], "{topics}");
    let topic_view = client.tdmq("DescribeCmqTopicDetail", json!({"TopicName": "happenings"}));
    assert_eq!(topic_view["TopicDescribe"]["FilterType"], 1, "{topic_view}");
    let queues = client.tdmq("DescribeCmqQueues", json!({"QueueName": "inbox"}));
    assert_eq!(queues["QueueList"][0]["QueueId"], queue["QueueId"], "{queues}");
    let queue_view = client.tdmq("DescribeCmqQueueDetail", json!({"QueueName": "inbox"}));
    assert_eq!(queue_view["QueueDescribe"]["VisibilityTimeout"], 3600, "{queue_view}");
    let view = client.tdmq("DescribeCmqSubscriptionDetail", json!({"TopicName": "happenings"}));
    assert_eq!(view["TotalCount"], 1, "{view}");
    assert_eq!(view["SubscriptionSet"][0]["SubscriptionId"], subscription["SubscriptionId"], "{view}");
    assert_eq!(view["SubscriptionSet"][0]["Endpoint"], "inbox", "{view}");
    changes(client);
}

/// The actions that change topics, queues and subscriptions, or what they hold.
fn changes(client: &mut Client) {
    client.tdmq("CreateCmqQueue", json!({"QueueName": "dead", "Tags": [{"TagKey": "k", "TagValue": "v"}]}));
    let edit = json!({"QueueName": "inbox", "RewindSeconds": 60, "RetentionSizeInMB": 10240, "Trace": true,
        "DeadLetterQueueName": "dead", "Policy": 0, "MaxReceiveCount": 9});
    client.tdmq("ModifyCmqQueueAttribute", edit);
    let view = client.tdmq("DescribeCmqQueueDetail", json!({"QueueName": "inbox"}))["QueueDescribe"].clone();
    assert_eq!((&view["RewindSeconds"], &view["RetentionSizeInMB"]), (&json!(60), &json!(10240)), "{view}");
    assert_eq!(view["DeadLetterPolicy"]["DeadLetterQueue"], "dead", "{view}");
    let tagged = json!({"IsTagFilter": true, "Filters": [{"Name": "tag:k", "Values": ["v"]}]});
    assert_eq!(client.tdmq("DescribeCmqQueues", tagged)["QueueList"][0]["QueueName"], "dead");
    client.tdmq("SendCmqMsg", json!({"QueueName": "inbox", "MsgContent": "x", "DelaySeconds": 0}));
    client.tdmq("RewindCmqQueue", json!({"QueueName": "inbox", "StartConsumeTime": view["CreateTime"]}));
    client.tdmq("ClearCmqQueue", json!({"QueueName": "inbox"}));
    client.tdmq("UnbindCmqDeadLetter", json!({"SourceQueueName": "inbox"}));
    client.tdmq("ModifyCmqTopicAttribute", json!({"TopicName": "happenings", "MsgRetentionSeconds": 3600}));
    let named = json!({"TopicName": "happenings", "SubscriptionName": "in-queue"});
    let mut edit = named.clone();
    edit["FilterTags"] = json!(["JOB"]);
    client.tdmq("ModifyCmqSubscriptionAttribute", edit);
    client.tdmq("ClearCmqSubscriptionFilterTags", named);
    client.tdmq("PublishCmqMsg", json!({"TopicName": "happenings", "MsgContent": "y", "MsgTag": ["JOB"]}));
    let by_queue = json!({"QueryType": "queue", "QueueName": "inbox"});
    let view = client.tdmq("DescribeCmqSubscriptionDetail", by_queue);
    assert_eq!(view["SubscriptionSet"][0]["FilterTags"], json!([]), "{view}");
    client.tdmq("DeleteCmqQueue", json!({"QueueName": "dead"}));
    client.tdmq("ClearCmqQueue", json!({"QueueName": "inbox"}));
    for (action, list, name) in
        [("DescribeQueueDetail", "QueueSet", "QueueName"), ("DescribeTopicDetail", "TopicSet", "TopicName")]
    {
        let view =
            client.try_call("cmq", action, json!({"Limit": 5})).unwrap_or_else(|refusal| panic!("{action}: {refusal}"));
        assert!(view[list][0][name].is_string(), "{action}: {view}");
    }
}

fn environments(client: &mut Client) -> String {
    let mut wanted = environment("sdk-env", 1);
    wanted["Notifications"] = notifications("happenings", &ENV_EVENTS);
    let created = client.batch("CreateComputeEnv", json!({"Placement": placement(), "ComputeEnv": wanted}));
    let env = created["EnvId"].as_str().expect("an id").to_owned();
    let by_id = json!({"EnvId": env});
    let running = "/ComputeNodeMetrics/RunningCount";
    client.wait("DescribeComputeEnv", &by_id, running, &json!(1));
    let list = client.batch("DescribeComputeEnvs", json!({"EnvIds": [env]}));
    assert_eq!((&list["TotalCount"], &list["ComputeEnvSet"][0]["EnvName"]), (&json!(1), &json!("sdk-env")), "{list}");

    client.batch("ModifyComputeEnv", json!({"EnvId": env, "DesiredComputeNodeCount": 2}));
    let view = client.wait("DescribeComputeEnv", &by_id, running, &json!(2));
    let gone = view["ComputeNodeSet"][0]["ComputeNodeId"].clone();
    client.batch("TerminateComputeNodes", json!({"EnvId": env, "ComputeNodeIds": [gone]}));
    // The environment still wants two nodes, so another one comes.
    wait::until("another node for the terminated one", || {
        let view = client.batch("DescribeComputeEnv", by_id.clone());
        let nodes = view["ComputeNodeSet"].as_array().expect("a list").clone();
        let ids: Vec<&Value> = nodes.iter().map(|node| &node["ComputeNodeId"]).collect();
        (view.pointer(running) == Some(&json!(2)) && !ids.contains(&&gone)).then_some(())
    });
    env
}

fn jobs(client: &mut Client, env: &str) {
    let mut talk = task("talk", env, "echo out-$BATCH_TASK_INSTANCE_INDEX; echo err >&2", 3);
    talk["EnvVars"] = json!([{"Name": "GREETING", "Value": "x y+z & 消息"}]);
    talk["Application"]["Command"] = json!("printf '%s' \"$GREETING-$BATCH_TASK_INSTANCE_INDEX\"; echo err >&2");
    let job = json!({"JobName": "sdk job", "Priority": 7, "Tasks": [talk]});
    let submitted = client.batch("SubmitJob", json!({"Placement": placement(), "Job": job}));
    let id = &submitted["JobId"];
    let by_id = json!({"JobId": id});
    let view = client.wait("DescribeJob", &by_id, "/JobState", &json!("SUCCEED"));
    assert_eq!((&view["JobName"], &view["Priority"]), (&json!("sdk job"), &json!(7)), "{view}");
    assert_eq!(view["TaskInstanceMetrics"]["SucceedCount"], 3, "{view}");

    let filters = json!([{"Name": "job-state", "Values": ["SUCCEED"]}, {"Name": "job-name", "Values": ["sdk job"]}]);
    let found = client.batch("DescribeJobs", json!({"Filters": filters}));
    assert_eq!((&found["TotalCount"], &found["JobSet"][0]["JobId"]), (&json!(1), id), "{found}");
    let failed = json!([{"Name": "job-state", "Values": ["FAILED"]}]);
    assert_eq!(client.batch("DescribeJobs", json!({"Filters": failed}))["TotalCount"], 0);
    assert_eq!(client.batch("DescribeJobs", json!({"JobIds": [id]}))["TotalCount"], 1);

    let page = json!({"JobId": id, "TaskName": "talk", "Offset": 1, "Limit": 1});
    let task_view = client.batch("DescribeTask", page);
    assert_eq!(task_view["TaskInstanceTotalCount"], 3, "{task_view}");
    let instances = task_view["TaskInstanceSet"].as_array().expect("a list");
    assert_eq!(instances.len(), 1, "{task_view}");
    assert_eq!(instances[0]["TaskInstanceIndex"], 1, "{task_view}");
    assert_eq!((&instances[0]["TaskInstanceState"], &instances[0]["ExitCode"]), (&json!("SUCCEED"), &json!(0)));

    let logs = client.batch("DescribeTaskLogs", json!({"JobId": id, "TaskName": "talk", "TaskInstanceIndexes": [2]}));
    assert_eq!(logs["TotalCount"], 3, "{logs}");
    let log = &logs["TaskInstanceLogSet"][0];
    assert_eq!(log["TaskInstanceIndex"], 2, "{logs}");
    assert_eq!(decoded(&log["StdoutLog"]), "x y+z & 消息-2");
    assert_eq!(decoded(&log["StderrLog"]), "err\n");
}

fn decoded(log: &Value) -> String {
    let bytes = STANDARD.decode(log.as_str().expect("a text")).expect("Base64");
    String::from_utf8(bytes).expect("UTF-8")
}

fn endings(client: &mut Client, env: &str) {
    let job = json!({"JobName": "endless", "Tasks": [task("sleep", env, "sleep 3600", 2)]});
    let submitted = client.batch("SubmitJob", json!({"Placement": placement(), "Job": job}));
    let by_id = json!({"JobId": submitted["JobId"]});
    client.wait("DescribeJob", &by_id, "/JobState", &json!("RUNNING"));
    assert_eq!(client.refusal("DeleteJob", by_id.clone()), "ResourceInUse.Job");
    let retry = json!({"JobIds": [submitted["JobId"]]});
    assert_eq!(client.refusal("RetryJobs", retry.clone()), "UnsupportedOperation");
    let end = json!({"JobId": submitted["JobId"], "TaskName": "sleep", "TaskInstanceIndex": 1});
    client.batch("TerminateTaskInstance", end);
    client.wait("DescribeJob", &by_id, "/TaskInstanceMetrics/FailedCount", &json!(1));
    client.batch("TerminateJob", by_id.clone());
    client.wait("DescribeJob", &by_id, "/JobState", &json!("FAILED"));
    client.batch("RetryJobs", retry);
    client.wait("DescribeJob", &by_id, "/JobState", &json!("RUNNING"));
    let asked = client.batch("DescribeJobSubmitInfo", by_id.clone());
    assert_eq!((&asked["JobName"], &asked["Tasks"][0]["TaskInstanceNum"]), (&json!("endless"), &json!(2)), "{asked}");
    client.batch("TerminateJob", by_id.clone());
    client.wait("DescribeJob", &by_id, "/JobState", &json!("FAILED"));
    client.batch("DeleteJob", by_id.clone());
    assert_eq!(client.refusal("DescribeJob", by_id), "ResourceNotFound.Job");

    let by_env = json!({"EnvId": env});
    client.batch("DeleteComputeEnv", by_env.clone());
    wait::until("the end of the environment", || {
        client.try_call("batch", "DescribeComputeEnv", by_env.clone()).err().map(|refusal| {
            assert_eq!(refusal.code, "ResourceNotFound.ComputeEnv", "{refusal}");
        })
    });
    assert_eq!(client.batch("DescribeComputeEnvs", json!({}))["TotalCount"], 0);
    environment_events(client, env);

    client.tdmq("DeleteCmqSubscribe", json!({"TopicName": "happenings", "SubscriptionName": "in-queue"}));
    client.tdmq("DeleteCmqTopic", json!({"TopicName": "happenings"}));
    client.tdmq("DeleteCmqQueue", json!({"QueueName": "inbox"}));
    assert_eq!(client.tdmq("DescribeCmqQueues", json!({}))["TotalCount"], 0);
    assert_eq!(client.tdmq("DescribeCmqTopics", json!({}))["TotalCount"], 0);
}

/// Created, three nodes made and run (one replaces the terminated one), all three destroyed, deleted. A node whose
/// instance was ended is restarted, and runs once more if there is time.
fn environment_events(client: &mut Client, env: &str) {
    let ended = |texts: &[String]| texts.iter().any(|text| text.contains("COMPUTE_ENV_DELETED"));
    let texts = drain(&mut client.official, "inbox", ended);
    let log = Log::of(env, texts.iter().map(|text| event(text)));
    let names = log.names();
    log.assert_whole(names.len());
    assert_eq!((names[0], names[names.len() - 1]), ("COMPUTE_ENV_CREATED", "COMPUTE_ENV_DELETED"), "{names:?}");
    for name in ["COMPUTE_NODE_CREATED", "COMPUTE_NODE_DELETING"] {
        assert_eq!(log.count(name), 3, "{names:?}");
    }
    assert!(log.count("COMPUTE_NODE_RUNNING") >= 3, "{names:?}");
}
