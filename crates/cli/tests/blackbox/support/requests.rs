//! Requests that the tests send, and what they wait for in the replies.

use serde_json::{Value, json};

use super::official::Official;
use super::wait;

/// Every event that a job can ask for about itself, its tasks and its instances.
pub(crate) const JOB_EVENTS: [&str; 12] = [
    "JOB_RUNNING",
    "JOB_SUCCEED",
    "JOB_FAILED",
    "JOB_FAILED_INTERRUPTED",
    "TASK_RUNNING",
    "TASK_SUCCEED",
    "TASK_FAILED",
    "TASK_FAILED_INTERRUPTED",
    "TASK_INSTANCE_RUNNING",
    "TASK_INSTANCE_SUCCEED",
    "TASK_INSTANCE_FAILED",
    "TASK_INSTANCE_FAILED_INTERRUPTED",
];

/// Every event that an environment can ask for.
pub(crate) const ENV_EVENTS: [&str; 7] = [
    "COMPUTE_ENV_CREATED",
    "COMPUTE_ENV_DELETED",
    "COMPUTE_NODE_CREATED",
    "COMPUTE_NODE_CREATION_FAILED",
    "COMPUTE_NODE_RUNNING",
    "COMPUTE_NODE_ABNORMAL",
    "COMPUTE_NODE_DELETING",
];

/// Where a job or environment is to be.
pub(crate) fn placement() -> Value {
    json!({"Zone": "ap-guangzhou-2"})
}

/// `Notifications` that ask for `events` on `topic`.
pub(crate) fn notifications(topic: &str, events: &[&str]) -> Value {
    let configs: Vec<Value> = events.iter().map(|name| json!({"EventName": name})).collect();
    json!([{"TopicName": topic, "EventConfigs": configs}])
}

/// An environment of `nodes` small nodes.
pub(crate) fn environment(name: &str, nodes: u64) -> Value {
    json!({"EnvName": name, "DesiredComputeNodeCount": nodes, "EnvType": "MANAGED",
        "EnvData": {"InstanceType": "S5.SMALL1", "ImageId": "img-bd78fy2t"}})
}

/// A task of `instances` instances that run `command` on an environment's nodes.
pub(crate) fn task(name: &str, env: &str, command: &str, instances: u64) -> Value {
    json!({"TaskName": name, "EnvId": env, "TaskInstanceNum": instances,
        "Application": {"DeliveryForm": "LOCAL", "Command": command}})
}

/// An edge of a job's graph.
pub(crate) fn edge(start: &str, end: &str) -> Value {
    json!({"StartTask": start, "EndTask": end})
}

/// Makes an environment and returns its id when all its nodes run.
pub(crate) fn running_environment(official: &mut Official, nodes: u64) -> String {
    let request = json!({"Placement": placement(), "ComputeEnv": environment("test-env", nodes)});
    let reply = official.batch("CreateComputeEnv", request).expect("a right request");
    let env = reply["EnvId"].as_str().expect("an id").to_owned();
    wait_for_nodes(official, &env, nodes);
    env
}

/// Waits until `nodes` nodes of the environment run, and returns the environment.
pub(crate) fn wait_for_nodes(official: &mut Official, env: &str, nodes: u64) -> Value {
    wait::until(&format!("{nodes} running nodes"), || {
        let view = official.batch("DescribeComputeEnv", json!({"EnvId": env})).expect("the environment exists");
        (view["ComputeNodeMetrics"]["RunningCount"] == nodes).then_some(view)
    })
}

/// Submits a job and returns its id.
pub(crate) fn submit(official: &mut Official, job: &Value) -> String {
    let reply = official.batch("SubmitJob", json!({"Placement": placement(), "Job": job}));
    reply.expect("a right request")["JobId"].as_str().expect("an id").to_owned()
}

/// Waits until the job is in one of `states`, and returns the job.
pub(crate) fn wait_for_job(official: &mut Official, job: &str, states: &[&str]) -> Value {
    wait::until(&format!("job {job} in {states:?}"), || {
        let view = official.batch("DescribeJob", json!({"JobId": job})).expect("the job exists");
        states.contains(&view["JobState"].as_str().unwrap_or_default()).then_some(view)
    })
}

/// Makes a topic with a queue subscribed to it; topic and queue have the names given, the subscription `in-queue`.
pub(crate) fn topic_with_queue(official: &mut Official, topic: &str, queue: &str) {
    official.tdmq("CreateCmqTopic", json!({"TopicName": topic})).expect("a new topic");
    // Longer than any test, so that a slow one never gets a message twice.
    let request = json!({"QueueName": queue, "VisibilityTimeout": 3600});
    official.tdmq("CreateCmqQueue", request).expect("a new queue");
    subscribe(official, topic, "in-queue", "queue", queue, "SIMPLIFIED");
}

/// Subscribes `endpoint`, a queue's name or an HTTP address, to a topic.
pub(crate) fn subscribe(official: &mut Official, topic: &str, name: &str, protocol: &str, endpoint: &str, form: &str) {
    let request = json!({"TopicName": topic, "SubscriptionName": name, "Protocol": protocol, "Endpoint": endpoint,
        "NotifyContentFormat": form});
    official.tdmq("CreateCmqSubscribe", request).expect("a new subscription");
}
