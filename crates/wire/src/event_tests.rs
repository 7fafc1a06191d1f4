use std::sync::Arc;

use kernel::environment::EnvSpec;
use kernel::event::EventName;
use kernel::id::MachineId;
use kernel::instance::{Asked, InstanceKey, Stage};
use kernel::job::{DependOn, TaskSpec};
use kernel::node::NodeStage;
use kernel::phase::{Counts, Phase};
use kernel::ranges::Ranges;
use kernel::task::TaskKey;
use kernel::time::Timestamp;
use rand::SeedableRng;

use super::*;

/// 2018-06-15T14:43:17.250Z.
const AT: Timestamp = Timestamp(1_529_073_797_250);

fn spec() -> Arc<JobSpec> {
    let task = TaskSpec {
        name: "count".into(),
        command: "wc".into(),
        env: EnvId::FIRST,
        instances: 3,
        retries: 1,
        timeout_s: 60,
        max_concurrent: None,
        env_vars: Vec::new(),
    };
    Arc::new(JobSpec {
        name: "figures \"by night\"".into(),
        description: String::new(),
        priority: 7,
        tasks: vec![task],
        dependences: Vec::new(),
        depend_on: DependOn::default(),
        notifications: Vec::new(),
        tags: Vec::new(),
        zone: "ap-guangzhou-2".into(),
        document: String::new(),
    })
}

fn job(phase: Phase, reason: &str) -> Subject {
    let ended = phase.is_finished().then(|| AT.plus_s(60));
    Subject::Job(Arc::new(Job {
        id: JobId::from_number(35).unwrap(),
        spec: spec(),
        phase,
        created: AT,
        ended,
        reason: reason.into(),
        terminating: false,
        has_run: true,
        tasks: Counts::all_in(phase, 1),
        instances: Counts::all_in(phase, 3),
        outlets: kernel::event::Outlets::default(),
    }))
}

fn task(phase: Phase, reason: &str) -> Subject {
    let task = Task {
        key: TaskKey { job: JobId::from_number(35).unwrap(), task: 0 },
        phase,
        created: AT,
        ended: phase.is_finished().then(|| AT.plus_s(59)),
        reason: reason.into(),
        has_run: true,
        instances: Counts::all_in(phase, 3),
        bulk: Ranges::default(),
        intent: None,
    };
    Subject::Task(spec(), Arc::new(task))
}

fn instance(stage: Stage, exit_code: Option<i32>, reason: &str) -> Subject {
    let ended = matches!(stage, Stage::Succeed | Stage::Failed).then(|| AT.plus_s(5));
    let instance = Instance {
        key: InstanceKey { job: JobId::from_number(35).unwrap(), task: 0, index: 2 },
        stage,
        attempt: 1,
        failures: 0,
        created: AT,
        launched: Some(AT.plus_s(1)),
        running: Some(AT.plus_s(2)),
        ended,
        exit_code,
        reason: reason.into(),
        node: NodeId::from_number(1),
        machine: MachineId::from_number(2),
        env: EnvId::from_number(3),
    };
    Subject::Instance(spec(), Arc::new(instance))
}

/// An instance that was terminated before it had a place.
fn never_ran() -> Subject {
    let Subject::Instance(spec, ran) = instance(Stage::Failed, None, "Terminated") else { unreachable!() };
    let never =
        Instance { attempt: 0, launched: None, running: None, node: None, machine: None, env: None, ..(*ran).clone() };
    Subject::Instance(spec, Arc::new(never))
}

fn env(desired: u64) -> Subject {
    let spec = EnvSpec {
        instance_types: Vec::new(),
        notifications: Vec::new(),
        tags: Vec::new(),
        zone: "ap-guangzhou-2".into(),
        recreate: true,
        max_recreations: 7,
        document: String::new(),
    };
    Subject::Env(Arc::new(Env {
        id: EnvId::from_number(3).unwrap(),
        name: "batch-env".into(),
        description: String::new(),
        spec: Arc::new(spec),
        desired,
        deleting: false,
        created: AT,
        outlets: kernel::event::Outlets::default(),
    }))
}

fn node(stage: NodeStage, reason: &str) -> Subject {
    let node = Node {
        id: NodeId::from_number(1).unwrap(),
        machine: MachineId::from_number(2).unwrap(),
        env: EnvId::from_number(3).unwrap(),
        stage,
        kind: "S5.LARGE8".into(),
        slots: 1,
        cpu: 4,
        mem_gb: 8,
        created: AT,
        resource_created: (stage != NodeStage::CreationFailed).then(|| AT.plus_s(1)),
        running: None,
        recreations: 0,
        agent_version: String::new(),
        addresses: Vec::new(),
        reason: reason.into(),
        held: Default::default(),
        run_ms: None,
    };
    Subject::Node(Arc::new(node), EnvId::from_number(3).unwrap(), "batch-env".into())
}

/// A subject as it may stand after the event.
fn subject(name: EventName) -> Subject {
    use EventName::*;
    let held = Stage::Held { node: NodeId::FIRST, started: true, asked: Asked::Run };
    match name {
        JobSubmitted => job(Phase::Runnable, ""),
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
        TaskInstanceFailed => never_ran(),
        TaskInstanceFailedInterrupted => instance(Stage::FailedInterrupted, Some(3), "ExitCode: 3"),
        TaskInstanceRetrying => instance(Stage::Waiting { not_before: AT }, Some(3), "ExitCode: 3"),
        ComputeEnvCreated | ComputeEnvDeleted => env(2),
        ComputeEnvScaled => env(5),
        ComputeNodeCreated => node(NodeStage::Created, ""),
        ComputeNodeCreationFailed => node(NodeStage::CreationFailed, "no capacity"),
        ComputeNodeRunning => node(NodeStage::Running, ""),
        ComputeNodeAbnormal => node(NodeStage::Abnormal, "heartbeat overdue"),
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
