//! Jobs of which nothing runs: who is told why, and what stands in a job's way; quotas.

use serde_json::{Value, json};

use crate::support::events::{Log, drain, event};
use crate::support::official::Official;
use crate::support::requests::{environment, notifications, placement, submit, task, topic_with_queue, wait_for_job};
use crate::support::server::Server;

/// An environment without nodes.
fn empty(official: &mut Official) -> String {
    let request = json!({"Placement": placement(), "ComputeEnv": environment("empty", 0)});
    let reply = official.batch("CreateComputeEnv", request).expect("a right request");
    reply["EnvId"].as_str().expect("an id").to_owned()
}

#[test]
fn a_job_without_a_place_says_why_and_runs_when_there_is_one() {
    let server = Server::start_with("[jobs]\nblocked_after_s = 1\n");
    let mut official = server.official();
    topic_with_queue(&mut official, "told", "inbox");
    let env = empty(&mut official);
    let tasks = [task("first", &env, "true", 2), task("then", &env, "true", 1)];
    let job = json!({"JobName": "stuck", "Tasks": tasks, "Dependences": [{"StartTask": "first", "EndTask": "then"}],
        "Notifications": notifications("told", &["JOB_BLOCKED", "JobSucceed"])});
    let job = submit(&mut official, &job);

    let texts = drain(&mut official, "inbox", |texts| !texts.is_empty());
    let blocked = event(&texts[0]);
    assert_eq!((&blocked["EventName"], &blocked["Batch"]["JobState"]), (&json!("JOB_BLOCKED"), &json!("RUNNABLE")));
    let reasons = &blocked["Batch"]["Reasons"];
    assert_eq!((&reasons[0]["TaskName"], &reasons[0]["Reason"]), (&json!("first"), &json!("NoNode")), "{blocked}");
    assert_eq!((&reasons[1]["TaskName"], &reasons[1]["Reason"]), (&json!("then"), &json!("Dependence")), "{blocked}");
    assert!(reasons[0]["Detail"].as_str().is_some_and(|detail| detail.contains(&env)), "{blocked}");
    assert_eq!(
        blocked["Batch"].as_object().and_then(|keys| keys.keys().next_back()).map(String::as_str),
        Some("Reasons")
    );

    let explained = said(&server, &["job", "explain", &job]);
    for part in ["RUNNABLE", "NoNode", &env, "PENDING", "Dependence", "waits for `first` (RUNNABLE)"] {
        assert!(explained.contains(part), "{part} in {explained}");
    }
    let explained: Value = serde_json::from_str(&said(&server, &["job", "explain", &job, "--json"])).expect("JSON");
    assert_eq!(explained["TaskSet"][0]["Reason"], reasons[0]["Reason"], "the event and the verb say the same");
    official.batch("ModifyComputeEnv", json!({"EnvId": env, "DesiredComputeNodeCount": 1})).expect("it exists");
    wait_for_job(&mut official, &job, &["SUCCEED"]);
    let more = drain(&mut official, "inbox", |texts| texts.iter().any(|text| text.contains("JOB_SUCCEED")));
    let log = Log::of(&job, texts.iter().chain(&more).map(|text| event(text)));
    log.assert_whole(log.names().len());
    let explained = said(&server, &["job", "explain", &job]);
    assert_eq!(explained.matches("Finished").count(), 2, "{explained}");
}

/// What a run of `herald` printed, since it succeeded.
fn said(server: &Server, args: &[&str]) -> String {
    let output = server.herald(args);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("herald prints UTF-8")
}

#[test]
fn quotas_are_kept() {
    let server = Server::start_with("[jobs]\nquota = 1\n[nodes]\nenv_quota = 2\ncpu_quota = 1\n");
    let mut official = server.official();
    let env = empty(&mut official);
    let mut create = |nodes: u64| {
        let request = json!({"Placement": placement(), "ComputeEnv": environment("more", nodes)});
        official.batch("CreateComputeEnv", request).map_err(|refusal| (refusal.code, refusal.message))
    };
    let (code, message) = create(2).expect_err("too many cores");
    assert_eq!(code, "LimitExceeded.CpuQuota");
    assert!(message.starts_with("ComputeEnv.DesiredComputeNodeCount: "), "{message}");
    create(0).expect("one that wants nothing");
    assert_eq!(create(0).expect_err("too many environments").0, "LimitExceeded.ComputeEnvQuota");
    let grow = json!({"EnvId": env, "DesiredComputeNodeCount": 2});
    let refusal = official.batch("ModifyComputeEnv", grow).expect_err("too many cores");
    assert_eq!(refusal.code, "LimitExceeded.CpuQuota", "{refusal}");

    let job = json!({"Tasks": [task("a", &env, "true", 1)]});
    let first = submit(&mut official, &job);
    let request = json!({"Placement": placement(), "Job": job});
    let refusal = official.batch("SubmitJob", request.clone()).expect_err("too many jobs");
    assert_eq!(refusal.code, "LimitExceeded.JobQuota", "{refusal}");
    official.batch("TerminateJob", json!({"JobId": first})).expect("the job exists");
    wait_for_job(&mut official, &first, &["FAILED"]);
    official.batch("SubmitJob", request).expect("one that has ended does not count");
}
