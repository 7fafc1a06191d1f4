use kernel::event::EventName;
use kernel::explain::Why;
use kernel::id::EnvId;
use kernel::id::SubscriptionId;
use kernel::instance::{Asked, Stage};
use kernel::node::NodeStage;
use kernel::phase::Phase;
use kernel::topic::{MsgId, StreamNo};
use rand::SeedableRng;

use super::*;
use crate::fixtures::{self, AT, spec};

fn job(phase: Phase, reason: &str) -> Subject {
    Subject::Job(fixtures::job(phase, reason))
}

fn task(phase: Phase, reason: &str) -> Subject {
    Subject::Task(spec(), fixtures::task(phase, reason))
}

fn instance(stage: Stage, exit_code: Option<i32>, reason: &str) -> Subject {
    Subject::Instance(spec(), fixtures::instance(stage, exit_code, reason))
}

fn node(stage: NodeStage, reason: &str) -> Subject {
    Subject::Node(
        fixtures::node(stage, reason),
        NodeOwner::Env(EnvId::from_number(3).expect("an id"), "batch-env".into()),
    )
}

fn blocked() -> Vec<TaskWhy> {
    let why = |task, name: &str, phase, why, detail: &str| {
        let (name, detail) = (name.to_owned(), detail.to_owned());
        TaskWhy { task, name, phase, why, detail, until: None }
    };
    vec![
        why(
            0,
            "split",
            Phase::Runnable,
            Why::NoNode,
            "no node of compute environment env-00000003 is RUNNING: 1 CREATING",
        ),
        why(1, "count", Phase::Pending, Why::Dependence, "waits for `split` (RUNNABLE)"),
    ]
}

fn trouble(failures: u32, last_status: Option<u16>, last_error: &str, seq: Option<u64>) -> Subject {
    Subject::Delivery(Box::new(DeliveryTrouble {
        id: SubscriptionId::FIRST,
        topic: "job-events".into(),
        name: "hook".into(),
        endpoint: "http://example.com/hook".into(),
        failures,
        last_status,
        last_error: last_error.into(),
        message: seq.map(|seq| MsgId::new(StreamNo(3), seq)),
    }))
}

/// A subject as it may stand after the event.
fn subject(name: EventName) -> Subject {
    use EventName::*;
    let held = Stage::Held { node: NodeId::FIRST, started: true, asked: Asked::Run };
    match name {
        JobSubmitted | JobRetried => job(Phase::Runnable, ""),
        JobBlocked => Subject::Blocked(fixtures::job(Phase::Runnable, ""), blocked().into()),
        JobRunning => job(Phase::Running, ""),
        JobSucceed | JobDeleted => job(Phase::Succeed, ""),
        JobFailed => job(Phase::Failed, "TaskFailed: count"),
        JobFailedInterrupted => job(Phase::FailedInterrupted, "TaskFailed: count"),
        TaskRunning => task(Phase::Running, ""),
        TaskSucceed => task(Phase::Succeed, ""),
        TaskFailed => task(Phase::Failed, "ExitCode: 3"),
        TaskFailedInterrupted => task(Phase::FailedInterrupted, "ExitCode: 3"),
        TaskInstanceRunning => instance(held, None, ""),
        TaskInstanceSucceed => instance(Stage::Succeed, Some(0), ""),
        TaskInstanceFailed => Subject::Instance(spec(), fixtures::never_ran()),
        TaskInstanceFailedInterrupted => instance(Stage::FailedInterrupted, Some(3), "ExitCode: 3"),
        TaskInstanceRetrying => instance(Stage::Waiting { not_before: AT }, Some(3), "ExitCode: 3"),
        ComputeEnvCreated | ComputeEnvDeleted => Subject::Env(fixtures::env(2)),
        ComputeEnvScaled => Subject::Env(fixtures::env(5)),
        ComputeNodeCreated => node(NodeStage::Created, ""),
        ComputeNodeCreationFailed => node(NodeStage::CreationFailed, "no capacity"),
        ComputeNodeRunning => node(NodeStage::Running, ""),
        ComputeNodeAbnormal => node(NodeStage::Abnormal, "heartbeat overdue"),
        SubscriptionFailing => trouble(3, Some(503), "", None),
        SubscriptionRecovered => trouble(7, None, "no answer within 15000 ms", None),
        DeliveryDead => trouble(177, None, "connection refused", Some(7)),
        ComputeNodeDeleting | ComputeNodeDeleted => node(NodeStage::Deleting, "ComputeEnvDeleted"),
    }
}

/// Every event has a line in `event_bodies.jsonl`, in which `evt-ULID` stands for its id.
#[test]
fn each_event_has_its_body() {
    let mut wanted = include_str!("event_bodies.jsonl").lines();
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    for (number, name) in EventName::ALL.iter().enumerate() {
        let vars =
            if number == 0 { vec![("who".into(), "me".into()), ("x".into(), String::new())] } else { Vec::new() };
        let id = EventId::draw(AT, &mut rng);
        let event = Event { name: *name, at: AT, id, sequence: number as u64 + 1, vars, subject: subject(*name) };
        let body = body(&event, "ap-guangzhou").replace(&id.to_string(), "evt-ULID");
        assert_eq!(body, wanted.next().unwrap_or_default(), "{name}");
    }
    assert_eq!(wanted.next(), None, "a body that no event has");
}

/// The text of an event of `subject`.
fn text_of(name: EventName, subject: Subject) -> String {
    let id = EventId::draw(AT, &mut rand::rngs::StdRng::seed_from_u64(1));
    body(&Event { name, at: AT, id, sequence: 1, vars: Vec::new(), subject }, "ap-guangzhou")
}

#[test]
fn a_node_of_a_jobs_own_names_job_and_task_and_its_instances_no_environment() {
    let owner = NodeOwner::Task(kernel::id::JobId::from_number(35).expect("an id"), "count".into());
    let subject = Subject::Node(fixtures::node(NodeStage::Created, ""), owner);
    let text = text_of(EventName::ComputeNodeCreated, subject);
    let wanted =
        r#""Batch":{"ComputeNodeId":"node-00000001","JobId":"job-0000000z","ComputeNodeState":"CREATED","Mem":8,"#;
    assert!(text.contains(wanted), "{text}");
    assert!(text.contains(r#","TaskName":"count","ComputeNodeInstanceId":"#), "{text}");
    assert!(!text.contains("EnvId") && !text.contains("EnvName"), "{text}");

    let mut own = (*spec()).clone();
    let (instance_types, failed_action) = (Vec::new(), kernel::job::FailedAction::default());
    own.tasks[0].own = Some(kernel::job::OwnNodes { instance_types, failed_action, creation_retries: 0 });
    let row = fixtures::instance(Stage::Succeed, Some(0), "");
    let text = text_of(EventName::TaskInstanceSucceed, Subject::Instance(own.into(), row));
    assert!(text.contains("ComputeNodeId") && !text.contains("EnvId"), "{text}");
}
