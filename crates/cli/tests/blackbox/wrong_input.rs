//! Wrong input: the documented code, the field's path in the message, and nothing stored.

use serde_json::{Value, json};

use crate::support::official::{Official, SHA1_POST};
use crate::support::requests::{JOB_EVENTS, edge, notifications, placement, task, topic_with_queue};
use crate::support::server::Server;

/// An environment's id that is well formed, and unknown.
const NO_ENV: &str = "env-00000000";

/// A job of these tasks, with more members.
fn request(tasks: &[Value], more: Value) -> Value {
    let mut job = more;
    job["JobName"] = json!("wrong");
    job["Tasks"] = json!(tasks);
    json!({"Placement": placement(), "Job": job})
}

/// A task that is right but for `ENV_ID`, with one member changed.
fn changed(env: &str, member: &str, value: Value) -> Value {
    let mut task = task("a", env, "true", 1);
    task[member] = value;
    task
}

/// An environment to name in requests; it has no nodes and needs none.
fn empty_environment(official: &mut Official) -> String {
    let env = json!({"EnvName": "empty", "DesiredComputeNodeCount": 0, "EnvData": {"InstanceType": "S5.SMALL1"}});
    let reply = official.batch("CreateComputeEnv", json!({"Placement": placement(), "ComputeEnv": env}));
    reply.expect("a right request")["EnvId"].as_str().expect("an id").to_owned()
}

fn assert_no_jobs(official: &mut Official) {
    let jobs = official.batch("DescribeJobs", json!({})).expect("a right request");
    assert_eq!(jobs["TotalCount"], 0, "{jobs}");
}

/// Submits a wrong job just as it is, and asserts the code and the path of its refusal.
fn assert_refused(official: &mut Official, request: Value, code: &str, path: &str) {
    let shown = request.to_string();
    let refusal = official.batch_as_is("SubmitJob", request).expect_err("a wrong request");
    assert_eq!(refusal.code, code, "{refusal} for {shown}");
    assert!(refusal.message.contains(path), "the message names {path}: {refusal}");
}

#[test]
fn a_wrong_job_is_refused_with_its_code_and_path() {
    let server = Server::start();
    let mut official = server.official();
    let env = empty_environment(&mut official);
    topic_with_queue(&mut official, "known", "inbox");
    let one = || task("a", &env, "true", 1);
    let two = || [one(), task("b", &env, "true", 1)];
    let both = || changed(&env, "ComputeEnv", json!({"EnvData": {"InstanceType": "S5.SMALL1"}}));
    let neither = || changed(&env, "EnvId", Value::Null);
    let deep = json!({"DeliveryForm": "LOCAL", "Command": "true", "Comand": "true"});
    let twice = notifications("known", &["JOB_FAILED", "JOB_FAILED"]);
    let cycle = json!({"Dependences": [edge("a", "b"), edge("b", "a")]});
    let stranger = json!({"Dependences": [edge("a", "c")]});
    let exclusive = "AllowedOneAttributeInEnvIdAndComputeEnv";
    let negative = "InvalidParameterValue.Negative";
    let topic = json!({"Notifications": notifications("unknown", &JOB_EVENTS)});
    let cases = [
        (request(&two(), cycle), "InvalidParameterValue.DependenceUnfeasible", "Job.Dependences"),
        (request(&two(), stranger), "InvalidParameterValue.DependenceNotFoundTaskName", "Job.Dependences.0.EndTask"),
        (request(&[both()], json!({})), exclusive, "Job.Tasks.0"),
        (request(&[one(), neither()], json!({})), exclusive, "Job.Tasks.1"),
        (request(&[changed(&env, "TaskInstanceNum", json!(-1))], json!({})), negative, "Job.Tasks.0.TaskInstanceNum"),
        (request(&[changed(&env, "Timeout", json!("-5"))], json!({})), negative, "Job.Tasks.0.Timeout"),
        (request(&[one()], json!({"Priority": -1})), negative, "Job.Priority"),
        (request(&[one()], topic), "InvalidParameter.NotificationTopicName", "Job.Notifications.0.TopicName"),
        (
            request(&[one()], json!({"Notifications": twice})),
            "InvalidParameter.NotificationEventNameDuplicate",
            "Job.Notifications.0.EventConfigs.1.EventName",
        ),
        (
            request(&[changed(&env, "Application", deep)], json!({})),
            "UnknownParameter",
            "Job.Tasks.0.Application.Comand",
        ),
        (request(&[task("a", NO_ENV, "true", 1)], json!({})), "ResourceNotFound.ComputeEnv", "Job.Tasks.0.EnvId"),
        (request(&[one(), one()], json!({})), "InvalidParameter.TaskName", "Job.Tasks.1.TaskName"),
        (json!({"Placement": placement()}), "MissingParameter", "Job"),
    ];
    for (request, code, path) in cases {
        assert_refused(&mut official, request, code, path);
    }
    assert_no_jobs(&mut official);
    let empty = official.cmq("receive", json!({"queue": "inbox", "wait": 0})).expect_err("nothing was published");
    assert_eq!(empty.message, "(10200)no message");
}

#[test]
fn a_wrong_signature_or_a_stale_one_is_refused() {
    let server = Server::start();
    let mut official = server.official();
    let env = empty_environment(&mut official);
    let right = request(&[task("a", &env, "true", 1)], json!({}));

    let stale = official.raw("SubmitJob", &right.to_string(), 0, -301);
    assert_error(&stale, "AuthFailure.SignatureExpire");
    let early = official.raw("SubmitJob", &right.to_string(), 0, 330);
    assert_error(&early, "AuthFailure.SignatureExpire");
    official.sign_with("anotheranotheranotheranotherkey0");
    let refusal = official.batch("SubmitJob", right.clone()).expect_err("a wrong signature");
    assert_eq!(refusal.code, "AuthFailure.SignatureFailure", "{refusal}");
    let refusal = official.cmq("create_queue", json!({"queue": "inbox"})).expect_err("a wrong signature");
    assert!(refusal.code == "4100" && refusal.message.starts_with("(10030)authentication failed"), "{refusal}");

    let mut official = server.official();
    assert_no_jobs(&mut official);
    let queues = official.tdmq("DescribeCmqQueues", json!({})).expect("a right request");
    assert_eq!(queues["TotalCount"], 0, "{queues}");
    official.batch("SubmitJob", right).expect("the same request, signed rightly");
}

/// Asserts that a raw reply is an error envelope as the official clients need it.
fn assert_error(reply: &Value, code: &str) {
    assert_eq!(reply["status"], 200, "{reply}");
    assert_eq!(reply["type"], "application/json", "{reply}");
    let response = &reply["body"]["Response"];
    assert_eq!(response["Error"]["Code"], code, "{reply}");
    assert!(response["RequestId"].is_string(), "{reply}");
}

#[test]
fn a_broken_or_too_large_body_is_refused() {
    let server = Server::start();
    let mut official = server.official();
    let env = empty_environment(&mut official);
    let right = request(&[task("a", &env, "true", 1)], json!({})).to_string();
    let limit = 10 * 1024 * 1024;

    let cut = &right[..right.len() - 2];
    assert_error(&official.raw("SubmitJob", cut, 0, 0), "InvalidParameter");
    let padding = limit - right.len();
    assert_error(&official.raw("SubmitJob", &right, padding + 1, 0), "RequestSizeLimitExceeded");
    assert_error(&official.raw("SubmitJob", &right, padding + limit / 10, 0), "RequestSizeLimitExceeded");
    assert_no_jobs(&mut official);

    let fits = official.raw("SubmitJob", &right, padding, 0);
    assert!(fits["body"]["Response"]["JobId"].is_string(), "a body of the largest size is taken: {fits}");
}

#[test]
fn an_unknown_action_is_refused() {
    let server = Server::start();
    let mut official = server.official();
    assert_error(&official.raw("SubmitJobs", "{}", 0, 0), "InvalidAction");
    let refusal = official.batch_as_is("DescribeJobs", json!({"Filters": [{"Name": "zone", "Value": "x"}]}));
    let refusal = refusal.expect_err("an unknown parameter");
    assert_eq!(refusal.code, "UnknownParameter", "{refusal}");
    assert!(refusal.message.contains("Filters.0.Value"), "{refusal}");
}

#[test]
fn a_v2_request_of_more_than_its_limit_is_refused() {
    let server = Server::start();
    let mut official = server.official();
    official.cmq("create_queue", json!({"queue": "inbox"})).expect("a new queue");
    let text = "x".repeat(5 * 1024 * 1024);
    let refusal = official.cmq_as(SHA1_POST, "send", json!({"queue": "inbox", "text": text}));
    let refusal = refusal.expect_err("too large a body");
    assert_eq!(refusal.code, "4000", "{refusal}");
    assert!(refusal.message.starts_with("(10420)"), "{refusal}");
    let text = "x".repeat(65_537);
    let refusal = official.cmq("send", json!({"queue": "inbox", "text": text})).expect_err("too large a message");
    assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("4400", "(10230)exceed maximum message size"));
    let empty = official.cmq("receive", json!({"queue": "inbox", "wait": 0})).expect_err("an empty queue");
    assert_eq!(empty.code, "7000", "{empty}");
}
