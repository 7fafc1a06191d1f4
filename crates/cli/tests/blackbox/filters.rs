//! Lists of jobs and of instances: every filter there is, paging, and what is no filter.

use serde_json::{Value, json};

use crate::support::official::Official;
use crate::support::requests::{environment, task, wait_for_job};
use crate::support::server::Server;

/// Submits a job that waits for ever, and returns its id.
fn submit(official: &mut Official, env: &str, name: &str, zone: &str, tags: &[(&str, &str)]) -> String {
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let job = json!({"JobName": name, "Tasks": [task("a", env, "true", 5)], "Tags": tags});
    let request = json!({"Placement": {"Zone": zone}, "Job": job});
    let reply = official.batch("SubmitJob", request).expect("a right request");
    reply["JobId"].as_str().expect("an id").to_owned()
}

fn ids(reply: &Value) -> Vec<&str> {
    let jobs = reply["JobSet"].as_array().expect("a list");
    jobs.iter().map(|job| job["JobId"].as_str().expect("an id")).collect()
}

fn filter(name: &str, values: &[&str]) -> Value {
    json!({"Name": name, "Values": values})
}

#[test]
fn jobs_are_found_by_every_filter_and_in_pages() {
    let server = Server::start();
    let mut official = server.official();
    let place = json!({"Zone": "ap-guangzhou-1"});
    let request = json!({"Placement": place, "ComputeEnv": environment("empty", 0)});
    let env = official.batch("CreateComputeEnv", request).expect("a right request");
    let env = env["EnvId"].as_str().expect("an id").to_owned();
    let first = submit(&mut official, &env, "one", "ap-guangzhou-1", &[("team", "a"), ("kind", "x")]);
    let second = submit(&mut official, &env, "two", "ap-guangzhou-2", &[("team", "b")]);
    let third = submit(&mut official, &env, "two", "ap-guangzhou-2", &[]);
    official.batch("TerminateJob", json!({"JobId": third})).expect("the job exists");
    wait_for_job(&mut official, &third, &["FAILED"]);
    let (first, second, third) = (first.as_str(), second.as_str(), third.as_str());

    // The newest first; two that were submitted within one millisecond may stand either way.
    let table: [(Vec<Value>, &[&str]); 10] = [
        (vec![filter("job-id", &[first, third])], &[first, third]),
        (vec![filter("job-name", &["two"])], &[second, third]),
        (vec![filter("job-state", &["RUNNABLE"])], &[first, second]),
        (vec![filter("job-state", &["FAILED", "SUCCEED"])], &[third]),
        (vec![filter("zone", &["ap-guangzhou-1"])], &[first]),
        (vec![filter("tag-key", &["kind", "none"])], &[first]),
        (vec![filter("tag-value", &["a", "b"])], &[first, second]),
        (vec![filter("tag:team", &["b", "x"])], &[second]),
        (vec![filter("job-name", &["two"]), filter("job-state", &["RUNNABLE"])], &[second]),
        (vec![filter("tag:kind", &["a"])], &[]),
    ];
    for (filters, wanted) in table {
        let reply = official.batch("DescribeJobs", json!({"Filters": filters})).expect("a right request");
        let mut found = ids(&reply);
        found.sort_unstable();
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        assert_eq!((found, &reply["TotalCount"]), (wanted.clone(), &json!(wanted.len())), "{filters:?}");
    }
    let mut pages = Vec::new();
    for offset in 0..4 {
        let page = official.batch("DescribeJobs", json!({"Offset": offset, "Limit": 1})).expect("a right request");
        assert_eq!(page["TotalCount"], 3, "{page}");
        pages.extend(ids(&page).into_iter().map(str::to_owned));
    }
    let whole = official.batch("DescribeJobs", json!({})).expect("a right request");
    assert_eq!(pages, ids(&whole), "pages make the whole list");

    instances(&mut official, first, third);
    let wrong = [
        (filter("job-nam", &["x"]), "InvalidFilter"),
        (filter("job-state", &["DONE"]), "InvalidParameterValue.InvalidFilter"),
        (filter("zone", &["mars"]), "InvalidZone.MismatchRegion"),
    ];
    for (filter, code) in wrong {
        let refusal = official.batch("DescribeJobs", json!({"Filters": [filter]})).expect_err("a wrong filter");
        assert_eq!(refusal.code, code, "{refusal}");
        assert!(refusal.message.contains("Filters.0."), "{refusal}");
    }
}

/// Instances of a job that waits and of one that was terminated, by either name of the filter.
fn instances(official: &mut Official, waiting: &str, failed: &str) {
    for name in ["task-instance-state", "task-instance-type"] {
        for (job, state, count) in [(waiting, "RUNNABLE", 5), (waiting, "FAILED", 0), (failed, "FAILED", 5)] {
            let filters = json!([filter(name, &[state, "SUCCEED"])]);
            let request = json!({"JobId": job, "TaskName": "a", "Filters": filters, "Offset": 1, "Limit": 2});
            let reply = official.batch("DescribeTask", request).expect("a right request");
            let found = reply["TaskInstanceSet"].as_array().expect("a list");
            assert_eq!(found.len(), if count > 0 { 2 } else { 0 }, "{job} {state}: {reply}");
            assert!(found.iter().all(|one| one["TaskInstanceState"] == state), "{reply}");
            assert_eq!(reply["TaskInstanceTotalCount"], 5, "{reply}");
        }
    }
    let request = json!({"JobId": waiting, "TaskName": "a", "Filters": [filter("job-state", &["FAILED"])]});
    let refusal = official.batch("DescribeTask", request).expect_err("no filter of instances");
    assert_eq!(refusal.code, "InvalidFilter", "{refusal}");
}
