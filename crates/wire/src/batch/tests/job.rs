use kernel::event::EventName;
use kernel::job::{DependOn, FailedAction, IfNotCreated};
use serde_json::{Value, json};

use super::{ENV, at_site, pairs, told, with};
use crate::api3::ApiError;
use crate::batch::{SubmitJob, submit_job};

fn submit(request: &Value) -> Result<SubmitJob, ApiError> {
    at_site(|site| submit_job(request, site))
}

fn task(name: &str) -> Value {
    json!({"TaskName": name, "EnvId": ENV, "Application": {"DeliveryForm": "LOCAL", "Command": "true"}})
}

/// A right request of two tasks.
fn right() -> Value {
    json!({"Placement": {"Zone": "ap-guangzhou-2"}, "Job": {"Tasks": [task("a"), task("b")]}})
}

#[test]
fn what_is_left_out_has_its_default() {
    let mut request = right();
    request["Job"]["Tasks"] = json!([{"EnvId": ENV, "Application": {"Command": "true"}}, task("b")]);
    let SubmitJob { spec, token } = submit(&request).unwrap();
    assert_eq!((spec.name.as_str(), spec.description.as_str(), spec.priority), ("", "", 0));
    assert_eq!((spec.depend_on, spec.dependences, token), (DependOn::PreTaskSucceed, vec![], None));
    assert_eq!((spec.zone.as_str(), &spec.tags, &spec.notifications), ("ap-guangzhou-2", &vec![], &vec![]));
    let task = &spec.tasks[0];
    assert_eq!((task.name.as_str(), task.command.as_str(), task.instances), ("task-1", "true", 1));
    assert_eq!((task.retries, task.timeout_s, task.max_concurrent), (0, 86_400, None));
    assert_eq!((task.env.to_string().as_str(), &task.env_vars), (ENV, &vec![]));
    assert_eq!(serde_json::from_str::<Value>(&spec.document).unwrap(), request);
}

#[test]
fn every_field_is_read() {
    let mut request = right();
    let first = json!({
        "TaskName": "a", "EnvId": ENV, "TaskInstanceNum": "1000000", "MaxRetryCount": 100, "Timeout": 2592000,
        "MaxConcurrentNum": 7, "FailedAction": "FAST_INTERRUPT", "ResourceMaxRetryCount": 100,
        "RestartComputeNode": "False", "InputMappings": [], "Authentications": [], "RedirectInfo": {},
        "EnvVars": [{"Name": "A_B", "Value": "x y+z"}, {"Name": "E", "Value": ""}],
        "Application": {"DeliveryForm": "LOCAL", "Command": "echo \"$A_B\"", "Docker": null},
    });
    request["Job"] = json!({
        "Tasks": [first, task("b"), task("数据.c_1")], "JobName": "hello 你好", "JobDescription": "d", "Priority": "100",
        "Dependences": [
            {"StartTask": "a", "EndTask": "b"},
            {"StartTask": "b", "EndTask": "数据.c_1"},
            {"StartTask": "a", "EndTask": "b"},
        ],
        "TaskExecutionDependOn": "PRE_TASK_FINISHED", "StateIfCreateCvmFailed": "RUNNABLE",
        "NotificationTarget": "TDMQ_CMQ", "Tags": [{"Key": "k", "Value": "v"}],
        "notifications": [{"topic_name": "t", "event_configs": [
            {"event_name": "JobFailed"},
            {"EventName": "COMPUTE_NODE_RUNNING", "event_vars": [{"name": "n", "value": "v"}, {"Name": "n", "Value": ""}]},
        ]}],
    });
    request["Placement"] = json!({"Zone": "ap-guangzhou-3", "ProjectId": "1", "HostIds": ["h"], "RackId": "r"});
    let spec = submit(&request).unwrap().spec;
    assert_eq!((spec.name.as_str(), spec.description.as_str(), spec.priority), ("hello 你好", "d", 100));
    assert_eq!((spec.depend_on, spec.dependences), (DependOn::PreTaskFinished, vec![(0, 1), (1, 2)]));
    assert_eq!((spec.zone.as_str(), spec.tags), ("ap-guangzhou-3", pairs(&[("k", "v")])));
    let task = &spec.tasks[0];
    assert_eq!((task.instances, task.retries, task.timeout_s), (1_000_000, 100, 2_592_000));
    assert_eq!((task.max_concurrent, &task.env_vars), (Some(7), &pairs(&[("A_B", "x y+z"), ("E", "")])));
    let notification = &spec.notifications[0];
    assert_eq!(notification.topic_name, "t");
    assert_eq!((notification.events[0].name, notification.events[0].vars.len()), (EventName::JobFailed, 0));
    assert_eq!(notification.events[1].name, EventName::ComputeNodeRunning);
    assert_eq!(notification.events[1].vars, pairs(&[("n", "v"), ("n", "")]));
}

#[test]
fn a_token_comes_with_a_digest_of_its_request() {
    let token = |token: &str, name: &str| {
        let request = with(with(right(), "ClientToken", json!(token)), "Job.JobName", json!(name));
        submit(&request).map(|job| job.token)
    };
    let one = token("t-1", "x").unwrap().unwrap();
    assert_eq!((one.token.as_str(), one.digest.len()), ("t-1", 64));
    assert_eq!(token("t-1", "x").unwrap().unwrap(), one);
    assert_ne!(token("t-1", "y").unwrap().unwrap().digest, one.digest);
    assert_eq!(token("", "x").unwrap(), None);
    for wrong in ["t".repeat(65), "é".into(), "a b".into()] {
        assert_eq!(told(token(&wrong, "x")), "InvalidParameterValue ClientToken");
    }
}

/// Each: what is changed in a right request, and the code and path of the refusal.
#[test]
fn wrong_tasks_are_refused_with_code_and_path() {
    let long = |count: usize| json!("x".repeat(count));
    let cases = [
        ("Job.Tasks", json!([]), "MissingParameter Job.Tasks"),
        ("Job.Tasks", json!(vec![task("x"); 1001]), "InvalidParameterValue.LimitExceeded Job.Tasks"),
        ("Job.Tasks.1.TaskName", json!("a"), "InvalidParameter.TaskName Job.Tasks.1.TaskName"),
        ("Job.Tasks.0.TaskName", json!(""), "InvalidParameter.TaskName Job.Tasks.0.TaskName"),
        ("Job.Tasks.0.TaskName", json!("a/b"), "InvalidParameter.TaskName Job.Tasks.0.TaskName"),
        ("Job.Tasks.0.TaskName", json!("a b"), "InvalidParameter.TaskName Job.Tasks.0.TaskName"),
        ("Job.Tasks.0.TaskName", json!(".a"), "InvalidParameter.TaskName Job.Tasks.0.TaskName"),
        ("Job.Tasks.0.TaskName", long(61), "InvalidParameter.TaskNameTooLong Job.Tasks.0.TaskName"),
        ("Job.Tasks.0.TaskInstanceNum", json!(0), "InvalidParameterValue.TaskInstanceNum Job.Tasks.0.TaskInstanceNum"),
        (
            "Job.Tasks.0.TaskInstanceNum",
            json!(1_000_001),
            "InvalidParameterValue.TaskInstanceNum Job.Tasks.0.TaskInstanceNum",
        ),
        ("Job.Tasks.0.TaskInstanceNum", json!(-1), "InvalidParameterValue.Negative Job.Tasks.0.TaskInstanceNum"),
        ("Job.Tasks.0.TaskInstanceNum", json!("x"), "InvalidParameter Job.Tasks.0.TaskInstanceNum"),
        ("Job.Tasks.0.MaxRetryCount", json!(101), "InvalidParameterValue.MaxRetryCount Job.Tasks.0.MaxRetryCount"),
        ("Job.Tasks.0.MaxRetryCount", json!(-1), "InvalidParameterValue.Negative Job.Tasks.0.MaxRetryCount"),
        ("Job.Tasks.0.Timeout", json!(0), "InvalidParameterValue Job.Tasks.0.Timeout"),
        ("Job.Tasks.0.Timeout", json!(2_592_001), "InvalidParameterValue Job.Tasks.0.Timeout"),
        ("Job.Tasks.0.MaxConcurrentNum", json!(-1), "InvalidParameterValue.Negative Job.Tasks.0.MaxConcurrentNum"),
        ("Job.Tasks.0.ResourceMaxRetryCount", json!(101), "InvalidParameterValue Job.Tasks.0.ResourceMaxRetryCount"),
        ("Job.Tasks.0.FailedAction", json!("STOP"), "InvalidParameterValue Job.Tasks.0.FailedAction"),
        ("Job.Tasks.0.EnvId", json!("env-1"), "InvalidParameter.EnvIdMalformed Job.Tasks.0.EnvId"),
        ("Job.Tasks.0.EnvId", json!(null), "AllowedOneAttributeInEnvIdAndComputeEnv Job.Tasks.0.EnvId"),
        ("Job.Tasks.0.ComputeEnv", json!({}), "AllowedOneAttributeInEnvIdAndComputeEnv Job.Tasks.0.EnvId"),
        ("Job.Tasks.0.Application", json!(null), "MissingParameter Job.Tasks.0.Application"),
        ("Job.Tasks.0.Application.Command", json!(null), "MissingParameter Job.Tasks.0.Application.Command"),
        ("Job.Tasks.0.Application.Command", json!(""), "InvalidParameterValue Job.Tasks.0.Application.Command"),
        ("Job.Tasks.0.Application.Command", json!("a\0b"), "InvalidParameterValue Job.Tasks.0.Application.Command"),
        ("Job.Tasks.0.Application.Command", long(65_537), "InvalidParameterValue Job.Tasks.0.Application.Command"),
        (
            "Job.Tasks.0.Application.DeliveryForm",
            json!("REMOTE"),
            "InvalidParameterValue Job.Tasks.0.Application.DeliveryForm",
        ),
        (
            "Job.Tasks.0.Application.Commands",
            json!([{"Command": "true"}]),
            "InvalidParameter.InvalidParameterCombination Job.Tasks.0.Application.Commands",
        ),
        ("Job.Tasks.0.Application.Comand", json!("true"), "UnknownParameter Job.Tasks.0.Application.Comand"),
        ("Job.Tasks.0.EnvVars", json!([{"Name": "a"}]), "MissingParameter Job.Tasks.0.EnvVars.0.Value"),
        ("Job.Tasks.0.EnvVars", json!([{"Name": "", "Value": ""}]), "InvalidParameterValue Job.Tasks.0.EnvVars.0.Name"),
        (
            "Job.Tasks.0.EnvVars",
            json!([{"Name": "a=b", "Value": ""}]),
            "InvalidParameterValue Job.Tasks.0.EnvVars.0.Name",
        ),
        (
            "Job.Tasks.0.EnvVars",
            json!([{"Name": "a", "Value": ""}, {"Name": "a", "Value": ""}]),
            "InvalidParameterValue Job.Tasks.0.EnvVars.1.Name",
        ),
        (
            "Job.Tasks.0.EnvVars",
            json!([{"Name": "a", "Value": "\0"}]),
            "InvalidParameterValue Job.Tasks.0.EnvVars.0.Value",
        ),
        (
            "Job.Tasks.0.EnvVars",
            json!([{"Name": "a", "Value": long(32 * 1024)}]),
            "InvalidParameterValue Job.Tasks.0.EnvVars.0.Value",
        ),
    ];
    for (path, value, refusal) in cases {
        let request = with(right(), path, value);
        assert_eq!(told(submit(&request)), refusal, "{path}");
    }
}

#[test]
fn wrong_jobs_are_refused_with_code_and_path() {
    let edge = |start: &str, end: &str| json!({"StartTask": start, "EndTask": end});
    let long = |count: usize| json!("消".repeat(count));
    let tag = |key: &str| json!({"Key": key, "Value": ""});
    let tags: Vec<_> = (0..11).map(|number| tag(&number.to_string())).collect();
    let cases = [
        ("Job", json!(null), "MissingParameter Job"),
        ("Job", json!([]), "InvalidParameter Job"),
        ("Job.JobName", long(61), "InvalidParameter.JobNameTooLong Job.JobName"),
        ("Job.JobName", json!("a\u{7}"), "InvalidParameterValue Job.JobName"),
        ("Job.JobDescription", long(201), "InvalidParameter.JobDescriptionTooLong Job.JobDescription"),
        ("Job.Priority", json!(101), "InvalidParameterValue Job.Priority"),
        ("Job.Priority", json!(-1), "InvalidParameterValue.Negative Job.Priority"),
        ("Job.Dependences", json!([edge("a", "a")]), "InvalidParameterValue.DependenceUnfeasible Job.Dependences"),
        (
            "Job.Dependences",
            json!([edge("a", "c")]),
            "InvalidParameterValue.DependenceNotFoundTaskName Job.Dependences.0.EndTask",
        ),
        (
            "Job.Dependences",
            json!([edge("a", "b"), edge("c", "b")]),
            "InvalidParameterValue.DependenceNotFoundTaskName Job.Dependences.1.StartTask",
        ),
        ("Job.Dependences", json!([{"StartTask": "a"}]), "MissingParameter Job.Dependences.0.EndTask"),
        ("Job.TaskExecutionDependOn", json!("NEVER"), "InvalidParameterValue Job.TaskExecutionDependOn"),
        ("Job.StateIfCreateCvmFailed", json!("RUNNING"), "InvalidParameterValue Job.StateIfCreateCvmFailed"),
        ("Job.NotificationTarget", json!("KAFKA"), "InvalidParameterValue Job.NotificationTarget"),
        ("Job.Tags", json!([tag("")]), "InvalidParameterValue Job.Tags.0.Key"),
        ("Job.Tags", json!([tag("a"), tag("a")]), "InvalidParameterValue Job.Tags.1.Key"),
        ("Job.Tags", json!(tags), "InvalidParameterValue.LimitExceeded Job.Tags"),
        ("Job.Jobname", json!("a"), "UnknownParameter Job.Jobname"),
        ("Zone", json!("a"), "UnknownParameter Zone"),
        ("Placement", json!(null), "MissingParameter Placement"),
        ("Placement.Zone", json!(null), "MissingParameter Placement.Zone"),
        ("Placement.Zone", json!("ap-guangzhou-99"), "InvalidParameterValue.UnavailableZone Placement.Zone"),
        ("Placement.Zone", json!("ap-guangzhou-x"), "InvalidZone.MismatchRegion Placement.Zone"),
        ("Placement.Zone", json!("ap-beijing-1"), "InvalidParameterValue.InvalidZoneMismatchRegion Placement.Zone"),
        ("Placement.HostIds", json!("h"), "InvalidParameter Placement.HostIds"),
        ("Placement.Rack", json!("r"), "UnknownParameter Placement.Rack"),
    ];
    for (path, value, refusal) in cases {
        let request = with(right(), path, value);
        assert_eq!(told(submit(&request)), refusal, "{path}");
    }
}

#[test]
fn a_cycle_is_shown() {
    let mut request = right();
    request["Job"]["Tasks"] = json!(["a", "b", "c", "d", "e"].map(task));
    let edges = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "b"), ("d", "e")];
    request["Job"]["Dependences"] = json!(edges.map(|(start, end)| json!({"StartTask": start, "EndTask": end})));
    let error = submit(&request).unwrap_err();
    assert_eq!(error.code, "InvalidParameterValue.DependenceUnfeasible");
    assert_eq!(error.message, "Job.Dependences: tasks wait for one another: b -> c -> d -> b");
    request["Job"]["Dependences"].as_array_mut().unwrap().remove(3);
    assert!(submit(&request).is_ok());
}

#[test]
fn wrong_notifications_are_refused_with_code_and_path() {
    let entry = |topic: &str, events: &[&str]| {
        let events: Vec<_> = events.iter().map(|name| json!({"EventName": name})).collect();
        json!({"TopicName": topic, "EventConfigs": events})
    };
    let with_vars =
        |vars: Value| json!([{"TopicName": "t", "EventConfigs": [{"EventName": "JOB_FAILED", "EventVars": vars}]}]);
    let var = |name: usize, value: usize| json!({"Name": "n".repeat(name), "Value": "v".repeat(value)});
    let events = "Job.Notifications.0.EventConfigs";
    let long = "t".repeat(65);
    let cases = [
        (json!([{"EventConfigs": []}]), "MissingParameter Job.Notifications.0.TopicName".to_owned()),
        (
            json!([entry("", &["JOB_FAILED"])]),
            "InvalidParameter.NotificationTopicName Job.Notifications.0.TopicName".to_owned(),
        ),
        (
            json!([entry(&long, &["JOB_FAILED"])]),
            "InvalidParameter.NotificationTopicNameTooLong Job.Notifications.0.TopicName".to_owned(),
        ),
        (json!([entry("t", &[])]), format!("MissingParameter {events}")),
        (json!([entry("t", &["JOB_DONE"])]), format!("InvalidParameterValue {events}.0.EventName")),
        (json!([entry("t", &["COMPUTE_ENV_CREATED"])]), format!("InvalidParameterValue {events}.0.EventName")),
        (
            json!([entry("t", &["JOB_FAILED", "JobFailed"])]),
            format!("InvalidParameter.NotificationEventNameDuplicate {events}.1.EventName"),
        ),
        (
            json!([entry("t", &["JOB_FAILED"]), entry("T", &["JOB_FAILED"])]),
            "InvalidParameter.NotificationEventNameDuplicate Job.Notifications.1.EventConfigs.0.EventName".to_owned(),
        ),
        (with_vars(json!([var(65, 0)])), format!("InvalidParameterValue {events}.0.EventVars.0.Name")),
        (with_vars(json!([var(0, 1)])), format!("InvalidParameterValue {events}.0.EventVars.0.Name")),
        (with_vars(json!([var(1, 1025)])), format!("InvalidParameterValue {events}.0.EventVars.0.Value")),
        (with_vars(json!(vec![var(1, 1); 21])), format!("InvalidParameterValue.LimitExceeded {events}.0.EventVars")),
    ];
    for (notifications, refusal) in cases {
        let request = with(right(), "Job.Notifications", notifications);
        assert_eq!(told(submit(&request)), refusal);
    }
    let two_topics = json!([entry("t", &["JOB_FAILED"]), entry("u", &["JOB_FAILED"]), entry("t", &["JOB_SUCCEED"])]);
    assert!(submit(&with(right(), "Job.Notifications", two_topics)).is_ok());
}

/// A request whose first task has nodes of its own.
fn own(env: Value) -> Value {
    with(with(right(), "Job.Tasks.0.EnvId", Value::Null), "Job.Tasks.0.ComputeEnv", env)
}

#[test]
fn a_task_may_have_nodes_of_its_own() {
    let env = json!({"EnvType": "MANAGED", "MountDataDisks": [{"LocalPath": "/data"}],
        "EnvData": {"InstanceTypes": ["S5.LARGE8", "local"], "LoginSettings": {"Password": "secret"},
            "Zones": ["ap-guangzhou-2"]},
        "AgentRunningMode": {"Scene": "WINDOWS", "User": "u", "Session": "s"}});
    let mut request = own(env);
    request["Job"]["StateIfCreateCvmFailed"] = json!("RUNNABLE");
    request["Job"]["Tasks"][0]["FailedAction"] = json!("FAST_INTERRUPT");
    request["Job"]["Tasks"][0]["ResourceMaxRetryCount"] = json!("8");
    let spec = submit(&request).unwrap().spec;
    let nodes = spec.tasks[0].own.as_ref().unwrap();
    let names: Vec<&str> = nodes.instance_types.iter().map(|kind| kind.name.as_str()).collect();
    assert_eq!(names, ["S5.LARGE8", "local"]);
    assert_eq!((nodes.failed_action, nodes.creation_retries), (FailedAction::FastInterrupt, 8));
    assert_eq!(spec.if_not_created, IfNotCreated::Runnable);
    assert!(!spec.document.contains("secret") && spec.document.contains("******"), "{}", spec.document);
    let plain = submit(&own(json!({}))).unwrap().spec;
    let nodes = plain.tasks[0].own.as_ref().unwrap();
    assert_eq!((nodes.instance_types[0].name.as_str(), nodes.failed_action), ("local", FailedAction::Terminate));
}

#[test]
fn what_is_wrong_with_nodes_of_a_tasks_own_is_named_by_its_path() {
    let vpc = json!({"VpcId": "v", "SubnetId": "s"});
    let cases = [
        (json!({"EnvType": "UNMANAGED"}), "InvalidParameterValue.ComputeEnv", "EnvType"),
        (json!({"EnvName": "e"}), "UnknownParameter", "EnvName"),
        (json!({"EnvData": {"InstanceType": "mine"}}), "InvalidParameterValue.InstanceType", "EnvData.InstanceType"),
        (
            json!({"EnvData": {"InstanceTypes": ["local", "local"]}}),
            "InvalidParameterValue.InstanceTypeDuplicate",
            "EnvData.InstanceTypes.1",
        ),
        (
            json!({"EnvData": {"Zones": ["ap-beijing-1"]}}),
            "InvalidParameterValue.InvalidZoneMismatchRegion",
            "EnvData.Zones.0",
        ),
        (json!({"EnvData": {"Zones": ["ap-guangzhou-7"]}}), "InvalidParameterValue.UnavailableZone", "EnvData.Zones.0"),
        (
            json!({"EnvData": {"Zones": ["ap-guangzhou-2"], "VirtualPrivateCloud": vpc}}),
            "InvalidParameter.InvalidParameterCombination",
            "EnvData.Zones",
        ),
        (
            json!({"EnvData": {"VirtualPrivateClouds": [vpc], "VirtualPrivateCloud": vpc}}),
            "InvalidParameter.InvalidParameterCombination",
            "EnvData.VirtualPrivateClouds",
        ),
        (json!({"MountDataDisks": [{}]}), "MissingParameter", "MountDataDisks.0.LocalPath"),
    ];
    for (env, code, path) in cases {
        assert_eq!(told(submit(&own(env))), format!("{code} Job.Tasks.0.ComputeEnv.{path}"));
    }
}

#[test]
fn a_restart_of_nodes_can_be_asked_for() {
    let spec = submit(&with(right(), "Job.Tasks.0.RestartComputeNode", json!("true"))).unwrap().spec;
    assert!(spec.tasks[0].restart_node && spec.tasks[0].own.is_none());
}
