use std::sync::Arc;

use kernel::phase::Phase;
use serde_json::{Value, json};

use crate::batch::reply::describe_job_submit_info;
use crate::fixtures;

/// A task of every kind of field, as a flattened request has it: nothing but texts.
fn flattened() -> Value {
    json!({
        "TaskName": "count",
        "Application": {"DeliveryForm": "LOCAL", "Command": "true",
            "Docker": {"Image": "a/b", "User": "me", "Password": "geheim", "MaxRetryCount": "2"}},
        "TaskInstanceNum": "3", "Timeout": "60", "MaxRetryCount": "1", "RestartComputeNode": "True",
        "ComputeEnv": {"EnvData": {"InstanceTypes": ["local"], "DataDisks": [{"DiskSize": "10"}],
            "InternetAccessible": {"PublicIpAssigned": "TRUE"}, "LoginSettings": {"Password": "geheim"}}},
        "EnvVars": [{"Name": "A", "Value": "1"}],
        "Authentications": [{"Scene": "COS", "SecretId": "AKID", "SecretKey": "geheim"}],
        "OutputMappingConfigs": [{"Scene": "COS", "WorkerNum": "2", "WorkerPartSize": "8"}],
    })
}

fn reply(tasks: Value) -> Value {
    let mut job = (*fixtures::job(Phase::Failed, "why")).clone();
    let mut spec = (*job.spec).clone();
    spec.description = "of figures".into();
    let edge = json!([{"StartTask": "count", "EndTask": "count"}]);
    spec.document = json!({"Job": {"Tasks": tasks, "Dependences": edge, "Priority": "7"}}).to_string();
    spec.tags = vec![("k".into(), "v".into())];
    job.spec = Arc::new(spec);
    describe_job_submit_info(&job)
}

#[test]
fn a_submission_is_echoed_in_the_declared_types() {
    let reply = reply(json!([flattened()]));
    assert_eq!(reply["JobId"], "job-0000000z");
    assert_eq!((&reply["JobDescription"], &reply["Priority"]), (&json!("of figures"), &json!(7)));
    assert_eq!(reply["Dependences"], json!([{"StartTask": "count", "EndTask": "count"}]));
    assert_eq!(reply["Tags"], json!([{"Key": "k", "Value": "v"}]));
    let task = &reply["Tasks"][0];
    for (field, wanted) in [
        ("/TaskInstanceNum", json!(3)),
        ("/Timeout", json!(60)),
        ("/MaxRetryCount", json!(1)),
        ("/RestartComputeNode", json!(true)),
        ("/Application/Docker/MaxRetryCount", json!(2)),
        ("/Application/Commands", json!([])),
        ("/ComputeEnv/EnvData/DataDisks/0/DiskSize", json!(10)),
        ("/ComputeEnv/EnvData/InternetAccessible/PublicIpAssigned", json!(true)),
        ("/OutputMappingConfigs/0/WorkerNum", json!(2)),
        ("/EnvVars", json!([{"Name": "A", "Value": "1"}])),
        ("/EnvId", Value::Null),
        ("/RedirectInfo", Value::Null),
        ("/InputMappings", json!([])),
        ("/FailedAction", Value::Null),
    ] {
        assert_eq!(task.pointer(field), Some(&wanted), "{field}");
    }
}

#[test]
fn a_submission_is_echoed_without_secrets() {
    let text = reply(json!([flattened()])).to_string();
    assert!(!text.contains("geheim"), "{text}");
    assert_eq!(text.matches("******").count(), 3, "{text}");
}

#[test]
fn a_task_without_a_name_is_echoed_with_the_one_it_got() {
    let reply = reply(json!([{"Application": {"Command": "true"}}]));
    assert_eq!(reply["Tasks"][0]["TaskName"], "count");
}
