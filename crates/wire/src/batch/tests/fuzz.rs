//! Requests with anything in the place of something: read or refused in words, and never a panic. `PROPTEST_CASES` sets
//! how many.

use proptest::prelude::*;

use super::*;
use crate::batch;

/// A job with every field that has rules of its own.
const REQUEST: &str = r#"{"Placement": {"Zone": "ap-guangzhou-2"}, "ClientToken": "t", "JobId": "job-0000000z",
  "EnvId": "env-0000000z", "TaskName": "a", "TaskInstanceIndex": 1, "TaskInstanceIndexes": [1], "MetricName": "CpuUsage",
  "JobIds": ["job-0000000z"], "ComputeNodeIds": ["node-0000000z"], "Offset": 0, "Limit": 1,
  "Filters": [{"Name": "job-state", "Values": ["FAILED"]}], "DesiredComputeNodeCount": 1,
  "TaskTemplateName": "n", "TaskTemplateInfo": {"TaskName": "a", "EnvId": "env-0000000z",
    "Application": {"DeliveryForm": "LOCAL", "Command": "x"}},
  "ComputeEnv": {"EnvName": "e", "DesiredComputeNodeCount": 1, "EnvData": {"InstanceTypes": ["local"]},
    "Tags": [{"Key": "a", "Value": "b"}], "Notifications": [{"TopicName": "t", "EventConfigs": [{"EventName": "X"}]}]},
  "Job": {"JobName": "j", "Priority": 1, "TaskExecutionDependOn": "PRE_TASK_SUCCEED", "Tasks": [{"TaskName": "a",
      "TaskInstanceNum": 2, "EnvId": "env-0000000z", "MaxRetryCount": 1, "Timeout": 5, "FailedAction": "TERMINATE",
      "Application": {"DeliveryForm": "PACKAGE", "Command": "x", "PackagePath": "http://h/p.tgz",
        "Docker": {"Image": "i", "User": "u", "Password": "p"}},
      "RedirectInfo": {"StdoutRedirectPath": "cos://b-1.cos.ap-guangzhou.myqcloud.com/x/"},
      "InputMappings": [{"SourcePath": "cos://b-1.cos.ap-guangzhou.myqcloud.com/x/", "DestinationPath": "/d"}],
      "EnvVars": [{"Name": "N", "Value": "v"}], "Authentications": [{"Scene": "COS", "SecretId": "i", "SecretKey": "k"}]}],
    "Dependences": [{"StartTask": "a", "EndTask": "a"}],
    "Notifications": [{"TopicName": "t", "EventConfigs": [{"EventName": "JOB_FAILED",
      "EventVars": [{"Name": "n", "Value": "v"}]}]}]}}"#;

/// Values that stand where others are expected.
fn odd() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,70}".prop_map(Value::from),
        "(cos|http|nfs|cfs|file)://[a-z./:@%?#-]{0,30}".prop_map(Value::from),
        "(job|env|node|ins|task-tmpl)-[0-9a-z]{0,9}".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{0,8}Z?".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[A-Za-z]{0,12}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// All places in a document, as pointers.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| places(inner, &format!("{at}/{name}"), all)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, inner)| places(inner, &format!("{at}/{index}"), all));
        }
        _ => {}
    }
}

/// A refusal says which, and about what.
fn in_words<T>(result: Result<T, ApiError>) -> Result<(), TestCaseError> {
    if let Err(error) = result {
        prop_assert!(!error.code.is_empty() && !error.message.is_empty(), "{error:?}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_request_is_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), odd()), 1..4),
        taken in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut request: Value = serde_json::from_str(REQUEST).expect("a request");
        for (place, value) in changes {
            let mut all = Vec::new();
            places(&request, "", &mut all);
            if let Some(there) = request.pointer_mut(&all[place.index(all.len())]) {
                *there = value;
            }
        }
        // Each action takes some of the fields; what is left of them alone must do as well as all together.
        let some: Value = match (&request, taken) {
            (Value::Object(fields), Some(taken)) if !fields.is_empty() => {
                let (name, value) = fields.iter().nth(taken.index(fields.len())).expect("one of them");
                json!({ name: value.clone() })
            }
            _ => request.clone(),
        };
        for params in [request, some] {
            in_words(at_site(|site| batch::submit_job(&params, site)))?;
            in_words(at_site(|site| batch::create_compute_env(&params, site)))?;
            in_words(at_site(|site| batch::modify_compute_env(&params, site)))?;
            in_words(at_site(|site| batch::create_task_template(&params, site)))?;
            in_words(at_site(|site| batch::modify_task_template(&params, site)))?;
            in_words(at_site(|site| batch::describe_jobs(&params, site)))?;
            in_words(at_site(|site| batch::describe_compute_envs(&params, site)))?;
            in_words(batch::describe_job_monitor_data(&params))?;
            in_words(batch::describe_compute_env_activities(&params))?;
            in_words(batch::attach_instances(&params))?;
            in_words(batch::detach_instances(&params))?;
            in_words(batch::terminate_compute_nodes(&params))?;
            in_words(batch::terminate_task_instance(&params))?;
            in_words(batch::retry_jobs(&params))?;
            in_words(batch::describe_task(&params))?;
            in_words(batch::describe_task_logs(&params))?;
            in_words(batch::describe_task_templates(&params))?;
            in_words(batch::submit_task_template(&params))?;
        }
    }
}
