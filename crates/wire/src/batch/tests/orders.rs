use kernel::id::JobId;
use serde_json::{Value, json};

use super::told;
use crate::batch::{TerminateTaskInstance, retry_jobs, terminate_task_instance};

fn id(number: u64) -> String {
    JobId::from_number(number).expect("a number of eight digits").to_string()
}

#[test]
fn jobs_to_retry_are_named_each_once() {
    let ids = [id(1), id(2)];
    let parsed: Vec<JobId> = ids.iter().map(|id| id.parse().expect("an id")).collect();
    assert_eq!(retry_jobs(&json!({"JobIds": ids})), Ok(parsed));
    let many: Vec<String> = (0..101).map(id).collect();
    assert_eq!(retry_jobs(&json!({"JobIds": many[..100]})).map(|ids| ids.len()), Ok(100));
    let table: [(Value, &str); 7] = [
        (json!({}), "MissingParameter JobIds"),
        (json!({"JobIds": []}), "MissingParameter JobIds"),
        (json!({"JobIds": [id(1), "job-1"]}), "InvalidParameter.JobIdMalformed JobIds.1"),
        (json!({"JobIds": [id(1), id(2), id(1)]}), "InvalidParameterValue JobIds.2"),
        (json!({"JobIds": many}), "InvalidParameterValue.LimitExceeded JobIds"),
        (json!({"JobIds": id(1)}), "InvalidParameter JobIds"),
        (json!({"JobIds": [id(1)], "JobId": id(1)}), "UnknownParameter JobId"),
    ];
    for (params, wanted) in table {
        assert_eq!(told(retry_jobs(&params)), wanted, "{params}");
    }
}

#[test]
fn an_instance_to_end_is_named_by_job_task_and_index() {
    let right = json!({"JobId": id(1), "TaskName": "a", "TaskInstanceIndex": "3"});
    let wanted =
        TerminateTaskInstance { job: JobId::from_number(1).expect("a number"), task_name: "a".into(), index: 3 };
    assert_eq!(terminate_task_instance(&right), Ok(wanted));
    let table: [(&str, Value, &str); 5] = [
        ("JobId", json!("env-00000001"), "InvalidParameter.JobIdMalformed JobId"),
        ("TaskName", Value::Null, "MissingParameter TaskName"),
        ("TaskInstanceIndex", Value::Null, "MissingParameter TaskInstanceIndex"),
        ("TaskInstanceIndex", json!(-1), "InvalidParameterValue.Negative TaskInstanceIndex"),
        ("TaskInstanceIndex", json!("first"), "InvalidParameter TaskInstanceIndex"),
    ];
    for (field, value, wanted) in table {
        let mut params = right.clone();
        params[field] = value;
        assert_eq!(told(terminate_task_instance(&params)), wanted, "{params}");
    }
}
