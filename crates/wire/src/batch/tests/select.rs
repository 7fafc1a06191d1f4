use kernel::phase::Phase;
use serde_json::{Value, json};

use super::{at_site, texts, told, with};
use crate::api3::ApiError;
use crate::batch::{
    DescribeComputeEnvs, DescribeJobs, Logs, describe_compute_envs, describe_jobs, describe_task, describe_task_logs,
};

const JOB: &str = "job-0000000z";

fn jobs(request: &Value) -> Result<DescribeJobs, ApiError> {
    at_site(|site| describe_jobs(request, site))
}

fn envs(request: &Value) -> Result<DescribeComputeEnvs, ApiError> {
    at_site(|site| describe_compute_envs(request, site))
}

fn filters(filters: &[(&str, &[&str])]) -> Value {
    let filters: Vec<_> = filters.iter().map(|(name, values)| json!({"Name": name, "Values": values})).collect();
    json!({"Filters": filters})
}

#[test]
fn filters_of_jobs_are_read() {
    let all = jobs(&json!({})).unwrap();
    assert_eq!(
        (all.filter, all.page),
        (kernel::list::JobFilter::default(), kernel::list::Span { offset: 0, limit: 20 })
    );
    let ids = jobs(&json!({"JobIds": [JOB, "job-00000001"], "Offset": 3, "Limit": "100"})).unwrap();
    assert_eq!((ids.filter.ids.len(), ids.page), (2, kernel::list::Span { offset: 3, limit: 100 }));
    let request = filters(&[
        ("job-id", &[JOB]),
        ("job-name", &["a", "b"]),
        ("job-state", &["SUCCEED", "FAILED"]),
        ("zone", &["ap-guangzhou-3"]),
        ("tag-key", &["k"]),
        ("tag-value", &["v"]),
        ("tag:x", &["y", "z"]),
    ]);
    let filter = jobs(&request).unwrap().filter;
    assert_eq!(
        (filter.ids.len(), filter.names, filter.zones),
        (1, vec!["a".into(), "b".into()], vec!["ap-guangzhou-3".to_owned()])
    );
    assert_eq!(filter.phases, [Phase::Succeed, Phase::Failed]);
    let pairs = vec![("x".to_owned(), vec!["y".to_owned(), "z".to_owned()])];
    assert_eq!(filter.tags, kernel::list::Tagged { keys: vec!["k".into()], values: vec!["v".into()], pairs });
}

#[test]
fn wrong_lists_are_refused_with_code_and_path() {
    let values: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let cases = [
        (filters(&[("job-nam", &["a"])]), "InvalidFilter Filters.0.Name"),
        (filters(&[("job-name", &["a"]), ("env-id", &["a"])]), "InvalidFilter Filters.1.Name"),
        (filters(&[("job-name", &["a"]), ("job-name", &["a"])]), "InvalidParameterValue.InvalidFilter Filters.1.Name"),
        (filters(&[("job-name", &[])]), "InvalidParameterValue.InvalidFilter Filters.0.Values"),
        (filters(&[("job-name", &values)]), "InvalidParameterValue.LimitExceeded Filters.0.Values"),
        (filters(&[("job-state", &["FAILED", "DONE"])]), "InvalidParameterValue.InvalidFilter Filters.0.Values.1"),
        (filters(&[("job-id", &["job-1"])]), "InvalidParameter.JobIdMalformed Filters.0.Values.0"),
        (filters(&[("zone", &["ap-guangzhou-9"])]), "InvalidZone.MismatchRegion Filters.0.Values.0"),
        (filters(&[("zone", &["ap-beijing-1"])]), "InvalidZone.MismatchRegion Filters.0.Values.0"),
        (json!({"Filters": [{"Name": "zone"}]}), "MissingParameter Filters.0.Values"),
        (json!({"Filters": [{"Name": "zone", "Value": "x"}]}), "UnknownParameter Filters.0.Value"),
        (json!({"JobIds": texts(1)}), "InvalidParameter.JobIdMalformed JobIds.0"),
        (json!({"JobIds": vec![JOB; 101]}), "InvalidParameterValue.LimitExceeded JobIds"),
        (json!({"Limit": 0}), "InvalidParameterValue Limit"),
        (json!({"Limit": 101}), "InvalidParameterValue Limit"),
        (json!({"Offset": -1}), "InvalidParameterValue.Negative Offset"),
    ];
    for (request, refusal) in cases {
        assert_eq!(told(jobs(&request)), refusal, "{request}");
    }
    let both = with(filters(&[("job-name", &["a"])]), "JobIds", json!([JOB]));
    assert_eq!(told(jobs(&both)), "InvalidParameter.InvalidParameterCombination Filters");
}

#[test]
fn filters_of_environments_are_read() {
    let request = filters(&[("env-id", &["env-0000000z"]), ("env-name", &["e"]), ("resource-type", &["CVM", "CPM"])]);
    let filter = envs(&request).unwrap().filter;
    let filter = filter.unwrap();
    assert_eq!((filter.ids.len(), filter.names), (1, vec!["e".to_owned()]));
    assert_eq!(envs(&filters(&[("resource-type", &["CPM"])])).unwrap().filter, None);
    for (request, refusal) in [
        (filters(&[("job-name", &["a"])]), "InvalidFilter Filters.0.Name"),
        (filters(&[("resource-type", &["X"])]), "InvalidParameterValue.ResourceType Filters.0.Values.0"),
        (filters(&[("env-id", &["e"])]), "InvalidParameter.EnvIdMalformed Filters.0.Values.0"),
        (json!({"EnvIds": [JOB]}), "InvalidParameter.EnvIdMalformed EnvIds.0"),
    ] {
        assert_eq!(told(envs(&request)), refusal);
    }
}

#[test]
fn requests_for_instances_are_read() {
    let request = json!({"JobId": JOB, "TaskName": "a"});
    let task = describe_task(&request).unwrap();
    assert_eq!(
        (task.task_name.as_str(), task.phases.len(), task.page),
        ("a", 0, kernel::list::Span { offset: 0, limit: 100 })
    );
    for name in ["task-instance-state", "task-instance-type"] {
        let filters = json!([{"Name": name, "Values": ["RUNNING"]}]);
        assert_eq!(describe_task(&with(request.clone(), "Filters", filters)).unwrap().phases, [Phase::Running]);
    }
    for (path, value, refusal) in [
        ("TaskName", json!(null), "MissingParameter TaskName"),
        ("Limit", json!(1001), "InvalidParameterValue Limit"),
        ("Filters", json!([{"Name": "zone", "Values": ["x"]}]), "InvalidFilter Filters.0.Name"),
    ] {
        assert_eq!(told(describe_task(&with(request.clone(), path, value))), refusal);
    }
}

#[test]
fn requests_for_logs_are_read() {
    let request = json!({"JobId": JOB, "TaskName": "a"});
    let logs = |path: &str, value: Value| describe_task_logs(&with(request.clone(), path, value));
    assert_eq!(describe_task_logs(&request).unwrap().instances, Logs::Page(kernel::list::Span { offset: 0, limit: 5 }));
    assert_eq!(logs("Offset", json!(7)).unwrap().instances, Logs::Page(kernel::list::Span { offset: 7, limit: 5 }));
    let indexes = logs("TaskInstanceIndexes", json!([2, "0", 2])).unwrap().instances;
    assert_eq!(indexes, Logs::Indexes(vec![0, 2]));
    assert_eq!(told(logs("Limit", json!(11))), "InvalidParameterValue Limit");
    assert_eq!(told(logs("TaskInstanceIndexes", json!([-1]))), "InvalidParameterValue.Negative TaskInstanceIndexes.0");
    let eleven: Vec<u64> = (0..11).collect();
    let too_many = "InvalidParameterValue.LimitExceeded TaskInstanceIndexes";
    assert_eq!(told(logs("TaskInstanceIndexes", json!(eleven))), too_many);
    let both = with(with(request.clone(), "TaskInstanceIndexes", json!([1])), "Offset", json!(0));
    assert_eq!(told(describe_task_logs(&both)), "InvalidParameter.InvalidParameterCombination Offset");
}
