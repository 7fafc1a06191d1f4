use std::sync::Arc;

use kernel::environment::Env;
use kernel::instance::Stage;
use kernel::job::Job;
use kernel::node::NodeStage;
use kernel::phase::Phase;
use kernel::setup::{Redirect, Remote};
use serde_json::{Value, json};

use super::pairs;
use crate::batch::reply::{
    Log, NodeCounts, bulk_instance, describe_compute_env, describe_compute_envs, describe_job, describe_jobs,
    describe_task, describe_task_logs, instance,
};
use crate::fixtures;

/// Keys and values in their order, a line each.
fn lines(value: &Value) -> Vec<String> {
    let object = value.as_object().expect("an object");
    object.iter().map(|(key, value)| format!("{key}: {value}")).collect()
}

fn counts(succeed: u64, failed: u64) -> Value {
    json!({
        "SubmittedCount": 0, "PendingCount": 0, "RunnableCount": 0, "StartingCount": 0, "RunningCount": 0,
        "SucceedCount": succeed, "FailedInterruptedCount": 0, "FailedCount": failed,
    })
}

/// A job whose request is kept.
fn job(phase: Phase, reason: &str) -> Arc<Job> {
    let mut job = (*fixtures::job(phase, reason)).clone();
    let mut spec = (*job.spec).clone();
    spec.document = json!({"Placement": {"Zone": "z", "ProjectId": "7", "HostIds": ["h"]}, "Job": {}}).to_string();
    spec.tags = pairs(&[("k", "v")]);
    spec.dependences = vec![(0, 0)];
    job.spec = Arc::new(spec);
    Arc::new(job)
}

#[test]
fn a_job_has_every_documented_field() {
    let reply = describe_job(&job(Phase::Failed, "why"), &[fixtures::task(Phase::Failed, "")]);
    let task_set = r#"[{"TaskName":"count","TaskState":"FAILED","CreateTime":"2018-06-15T14:43:17Z","EndTime":"2018-06-15T14:44:16Z"}]"#;
    let wanted = [
        r#"JobId: "job-0000000z""#.to_owned(),
        r#"JobName: "figures \"by night\"""#.to_owned(),
        r#"Zone: "ap-guangzhou-2""#.to_owned(),
        "Priority: 7".to_owned(),
        r#"JobState: "FAILED""#.to_owned(),
        r#"CreateTime: "2018-06-15T14:43:17Z""#.to_owned(),
        r#"EndTime: "2018-06-15T14:44:17Z""#.to_owned(),
        format!("TaskSet: {task_set}"),
        r#"DependenceSet: [{"StartTask":"count","EndTask":"count"}]"#.to_owned(),
        format!("TaskMetrics: {}", counts(0, 1)),
        format!("TaskInstanceMetrics: {}", counts(0, 3)),
        r#"StateReason: "why""#.to_owned(),
        r#"Tags: [{"Key":"k","Value":"v"}]"#.to_owned(),
        r#"NextAction: """#.to_owned(),
    ];
    assert_eq!(lines(&reply), wanted);
    let mut ending = (*fixtures::job(Phase::Running, "")).clone();
    ending.terminating = true;
    let reply = describe_job(&ending, &[]);
    assert_eq!((&reply["EndTime"], &reply["NextAction"]), (&Value::Null, &json!("TERMINATING")));
    assert_eq!((&reply["Tags"], &reply["TaskSet"], &reply["DependenceSet"]), (&json!([]), &json!([]), &json!([])));
}

#[test]
fn a_list_of_jobs_echoes_placements() {
    let reply = describe_jobs(7, &[job(Phase::Succeed, ""), fixtures::job(Phase::Running, "")]);
    assert_eq!(reply["TotalCount"], 7);
    let wanted = [
        r#"JobId: "job-0000000z""#.to_owned(),
        r#"JobName: "figures \"by night\"""#.to_owned(),
        r#"JobState: "SUCCEED""#.to_owned(),
        "Priority: 7".to_owned(),
        concat!(
            r#"Placement: {"Zone":"ap-guangzhou-2","ProjectId":7,"HostIds":["h"],"HostId":null,"#,
            r#""DedicatedResourcePackTenancy":null,"DedicatedResourcePackIds":[],"RackId":null}"#
        )
        .to_owned(),
        r#"CreateTime: "2018-06-15T14:43:17Z""#.to_owned(),
        r#"EndTime: "2018-06-15T14:44:17Z""#.to_owned(),
        format!("TaskMetrics: {}", counts(1, 0)),
        r#"Tags: [{"Key":"k","Value":"v"}]"#.to_owned(),
    ];
    assert_eq!(lines(&reply["JobSet"][0]), wanted);
    assert_eq!(reply["JobSet"][1]["Placement"]["ProjectId"], 0);
}

#[test]
fn a_task_has_its_instances() {
    let spec = fixtures::spec();
    let task = &spec.tasks[0];
    let job = fixtures::job(Phase::Running, "").id;
    let instances = vec![
        instance(task, &fixtures::instance(Stage::Succeed, Some(0), "")),
        bulk_instance(job, task, 3, Phase::Pending, fixtures::AT),
        instance(task, &fixtures::never_ran()),
    ];
    let reply = describe_task(&fixtures::spec(), &fixtures::task(Phase::Succeed, ""), instances);
    let keys: Vec<&String> = reply.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "JobId",
            "TaskName",
            "TaskState",
            "CreateTime",
            "EndTime",
            "TaskInstanceTotalCount",
            "TaskInstanceSet",
            "TaskInstanceMetrics",
        ]
    );
    assert_eq!((&reply["TaskName"], &reply["TaskInstanceTotalCount"]), (&json!("count"), &json!(3)));
    let redirect = concat!(
        r#"{"StdoutRedirectPath":"","StderrRedirectPath":"","#,
        r#""StdoutRedirectFileName":"","StderrRedirectFileName":""}"#
    );
    let ran = [
        "TaskInstanceIndex: 2".to_owned(),
        r#"TaskInstanceState: "SUCCEED""#.to_owned(),
        "ExitCode: 0".to_owned(),
        r#"StateReason: """#.to_owned(),
        r#"ComputeNodeInstanceId: "ins-00000002""#.to_owned(),
        r#"CreateTime: "2018-06-15T14:43:17Z""#.to_owned(),
        r#"LaunchTime: "2018-06-15T14:43:18Z""#.to_owned(),
        r#"RunningTime: "2018-06-15T14:43:19Z""#.to_owned(),
        r#"EndTime: "2018-06-15T14:43:22Z""#.to_owned(),
        format!("RedirectInfo: {redirect}"),
        r#"StateDetailedReason: "successful""#.to_owned(),
    ];
    let set = &reply["TaskInstanceSet"];
    assert_eq!(lines(&set[0]), ran);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&set[1]), keys(&set[0]));
    assert_eq!((&set[1]["ExitCode"], &set[1]["LaunchTime"]), (&Value::Null, &Value::Null));
    assert_eq!((&set[2]["ComputeNodeInstanceId"], &set[2]["StateDetailedReason"]), (&json!(""), &json!("Terminated")));
}

#[test]
fn an_instance_tells_where_its_output_is_copied_to() {
    let job = fixtures::job(Phase::Running, "").id;
    let mut task = fixtures::spec().tasks[0].clone();
    let remote = Some(Remote { url: "cos://b/x/".into(), bucket: Some(("b".into(), "x/".into())) });
    task.setup.stdout = Redirect { remote: remote.clone(), ..Redirect::default() };
    let remote_name = "${BATCH_TASK_INSTANCE_INDEX}.err".to_owned();
    task.setup.stderr = Redirect { remote, remote_name, ..Redirect::default() };
    let view = bulk_instance(job, &task, 3, Phase::Pending, fixtures::AT);
    let expected = json!({"StdoutRedirectPath": "cos://b/x/", "StderrRedirectPath": "cos://b/x/",
        "StdoutRedirectFileName": "stdout.job-0000000z.count.3.log", "StderrRedirectFileName": "3.err"});
    assert_eq!(view["RedirectInfo"], expected);
    let log = Log { index: 3, stdout: Vec::new(), stderr: b"x".to_vec() };
    let reply = describe_task_logs(job, &task, &[log]);
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&reply["TaskInstanceLogSet"][0][key], value, "{key}");
    }
}

#[test]
fn logs_are_base64() {
    let log = Log { index: 2, stdout: "消\n".into(), stderr: vec![0xff] };
    let reply = describe_task_logs(fixtures::job(Phase::Running, "").id, &fixtures::spec().tasks[0], &[log]);
    assert_eq!(
        lines(&reply),
        [
            "TotalCount: 3",
            concat!(
                r#"TaskInstanceLogSet: [{"TaskInstanceIndex":2,"StdoutLog":"5raICg==","StderrLog":"/w==","#,
                r#""StdoutRedirectPath":"","StderrRedirectPath":"","StdoutRedirectFileName":"","StderrRedirectFileName":""}]"#
            ),
        ]
    );
}

#[test]
fn an_environment_has_every_documented_field() {
    let nodes = [fixtures::node(NodeStage::Running, ""), fixtures::node(NodeStage::CreationFailed, "no capacity")];
    let reply = describe_compute_env(&fixtures::env(2), &nodes);
    let placement = concat!(
        r#"{"Zone":"ap-guangzhou-2","ProjectId":0,"HostIds":[],"HostId":null,"#,
        r#""DedicatedResourcePackTenancy":null,"DedicatedResourcePackIds":[],"RackId":null}"#
    );
    let metrics = concat!(
        r#"{"SubmittedCount":0,"CreatingCount":0,"CreationFailedCount":1,"CreatedCount":0,"#,
        r#""RunningCount":1,"DeletingCount":0,"AbnormalCount":0}"#
    );
    let node = |state: &str, created: &str, free: u32| {
        format!(
            concat!(
                r#"{{"ComputeNodeId":"node-00000001","ComputeNodeInstanceId":"ins-00000002","ComputeNodeState":"{}","#,
                r#""Cpu":4,"Mem":8,"ResourceCreatedTime":{},"TaskInstanceNumAvailable":{},"AgentVersion":"","#,
                r#""PrivateIpAddresses":[],"PublicIpAddresses":[],"ResourceType":"CVM","ResourceOrigin":"BATCH_CREATED"}}"#
            ),
            state, created, free
        )
    };
    let nodes = [node("RUNNING", r#""2018-06-15T14:43:18Z""#, 1), node("CREATION_FAILED", "null", 0)].join(",");
    let wanted = [
        r#"EnvId: "env-00000003""#.to_owned(),
        r#"EnvName: "batch-env""#.to_owned(),
        format!("Placement: {placement}"),
        r#"CreateTime: "2018-06-15T14:43:17Z""#.to_owned(),
        format!("ComputeNodeMetrics: {metrics}"),
        "DesiredComputeNodeCount: 2".to_owned(),
        r#"EnvType: "MANAGED""#.to_owned(),
        r#"ResourceType: "CVM""#.to_owned(),
        r#"NextAction: """#.to_owned(),
        "AttachedComputeNodeCount: 0".to_owned(),
        "Tags: []".to_owned(),
    ];
    let with_nodes: Vec<String> = wanted.iter().cloned().chain([format!("ComputeNodeSet: [{nodes}]")]).collect();
    assert_eq!(lines(&reply), with_nodes);
    let counts = NodeCounts { running: 1, creation_failed: 1, ..NodeCounts::default() };
    let list = describe_compute_envs(9, &[(fixtures::env(2), counts)]);
    assert_eq!((&list["TotalCount"], lines(&list["ComputeEnvSet"][0])), (&json!(9), wanted.to_vec()));
    let deleting = Env { deleting: true, ..(*fixtures::env(0)).clone() };
    assert_eq!(describe_compute_env(&deleting, &[])["NextAction"], "DELETING");
}
