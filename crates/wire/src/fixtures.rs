//! Rows as they may stand, for the tests of what is written of them.

use std::sync::Arc;

use kernel::environment::{Env, EnvSpec};
use kernel::event::Outlets;
use kernel::id::{EnvId, JobId, MachineId, NodeId};
use kernel::instance::{Instance, InstanceKey, Stage};
use kernel::job::{DependOn, IfNotCreated, Job, JobSpec, TaskSpec};
use kernel::node::{Node, NodeStage};
use kernel::phase::{Counts, Phase};
use kernel::ranges::Ranges;
use kernel::task::{Task, TaskKey};
use kernel::time::Timestamp;

/// 2018-06-15T14:43:17.250Z.
pub(crate) const AT: Timestamp = Timestamp(1_529_073_797_250);

pub(crate) fn spec() -> Arc<JobSpec> {
    let task = TaskSpec {
        name: "count".into(),
        command: "wc".into(),
        env: EnvId::FIRST,
        own: None,
        restart_node: false,
        instances: 3,
        retries: 1,
        timeout_s: 60,
        max_concurrent: None,
        env_vars: Vec::new(),
        setup: Default::default(),
    };
    Arc::new(JobSpec {
        name: "figures \"by night\"".into(),
        description: String::new(),
        priority: 7,
        tasks: vec![task],
        dependences: Vec::new(),
        depend_on: DependOn::default(),
        if_not_created: IfNotCreated::default(),
        notifications: Vec::new(),
        tags: Vec::new(),
        zone: "ap-guangzhou-2".into(),
        document: String::new(),
    })
}

pub(crate) fn job(phase: Phase, reason: &str) -> Arc<Job> {
    let ended = phase.is_finished().then(|| AT.plus_s(60));
    Arc::new(Job {
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
        blocked: Vec::new(),
        outlets: Outlets::default(),
    })
}

pub(crate) fn task(phase: Phase, reason: &str) -> Arc<Task> {
    Arc::new(Task {
        key: TaskKey { job: JobId::from_number(35).unwrap(), task: 0 },
        phase,
        created: AT,
        ended: phase.is_finished().then(|| AT.plus_s(59)),
        reason: reason.into(),
        has_run: true,
        instances: Counts::all_in(phase, 3),
        bulk: Ranges::default(),
        intent: None,
        redo: None,
        attempts: 0,
    })
}

pub(crate) fn instance(stage: Stage, exit_code: Option<i32>, reason: &str) -> Arc<Instance> {
    let ended = matches!(stage, Stage::Succeed | Stage::Failed).then(|| AT.plus_s(5));
    Arc::new(Instance {
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
    })
}

/// An instance that was terminated before it had a place.
pub(crate) fn never_ran() -> Arc<Instance> {
    let ran = instance(Stage::Failed, None, "Terminated");
    let never =
        Instance { attempt: 0, launched: None, running: None, node: None, machine: None, env: None, ..(*ran).clone() };
    Arc::new(never)
}

pub(crate) fn env(desired: u64) -> Arc<Env> {
    let spec = EnvSpec {
        instance_types: Vec::new(),
        notifications: Vec::new(),
        tags: Vec::new(),
        zone: "ap-guangzhou-2".into(),
        recreate: true,
        max_recreations: 7,
        inputs: Vec::new(),
        key: None,
        document: String::new(),
    };
    Arc::new(Env {
        id: EnvId::from_number(3).unwrap(),
        owner: None,
        name: "batch-env".into(),
        description: String::new(),
        spec: Arc::new(spec),
        desired,
        deleting: false,
        created: AT,
        outlets: Outlets::default(),
    })
}

pub(crate) fn node(stage: NodeStage, reason: &str) -> Arc<Node> {
    Arc::new(Node {
        id: NodeId::from_number(1).unwrap(),
        machine: MachineId::from_number(2).unwrap(),
        attached: false,
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
        limits: String::new(),
        reason: reason.into(),
        drained: false,
        then: None,
        held: Default::default(),
        kept: Default::default(),
        run_ms: None,
    })
}
