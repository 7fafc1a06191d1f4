//! What tests of this crate share.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use kernel::event::Outlets;
use kernel::id::{EnvId, JobId, MachineId, NodeId};
use kernel::instance::{Asked, Instance, InstanceKey, Stage};
use kernel::job::{DependOn, IfNotCreated, Job, JobSpec, TaskSpec};
use kernel::node::{Node, NodeStage};
use kernel::phase::{Counts, Phase};
use kernel::state::{Row, State};
use kernel::time::Timestamp;

/// Polls a future once.
pub(crate) fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The node of [`holding`].
pub(crate) const NODE: NodeId = NodeId::FIRST;
/// The job of [`holding`].
pub(crate) const JOB: JobId = JobId::FIRST;

/// A state with one running node that holds one instance for each entry: whether it has started, and what was asked.
pub(crate) fn holding(instances: &[(bool, Asked)]) -> State {
    let mut state = State::default();
    state.load(Row::Node(Arc::new(node(NodeStage::Running))));
    state.load(Row::Job(Arc::new(job())));
    for (index, (started, asked)) in (0..).zip(instances) {
        let stage = Stage::Held { node: NODE, started: *started, asked: *asked };
        state.load(Row::Instance(Arc::new(instance(index, stage))));
    }
    state
}

pub(crate) fn node(stage: NodeStage) -> Node {
    Node {
        id: NODE,
        machine: MachineId::FIRST,
        attached: false,
        env: EnvId::FIRST,
        stage,
        kind: "local".into(),
        slots: 2,
        cpu: 2,
        mem_gb: 4,
        created: Timestamp(0),
        resource_created: None,
        running: None,
        recreations: 0,
        agent_version: String::new(),
        addresses: Vec::new(),
        limits: String::new(),
        reason: String::new(),
        drained: false,
        then: None,
        held: imbl::OrdSet::new(),
        kept: imbl::OrdSet::new(),
        run_ms: None,
    }
}

fn job() -> Job {
    let task = TaskSpec {
        name: "count".into(),
        command: "wc -l".into(),
        env: EnvId::FIRST,
        own: None,
        restart_node: false,
        instances: 9,
        retries: 0,
        timeout_s: 60,
        max_concurrent: None,
        env_vars: vec![("A".into(), "b".into())],
        setup: Default::default(),
    };
    let spec = JobSpec {
        name: String::new(),
        description: String::new(),
        priority: 0,
        tasks: vec![task],
        dependences: Vec::new(),
        depend_on: DependOn::default(),
        if_not_created: IfNotCreated::default(),
        notifications: Vec::new(),
        tags: Vec::new(),
        zone: String::new(),
        document: String::new(),
    };
    Job {
        id: JOB,
        spec: Arc::new(spec),
        phase: Phase::Running,
        created: Timestamp(0),
        ended: None,
        reason: String::new(),
        terminating: false,
        has_run: true,
        tasks: Counts::all_in(Phase::Running, 1),
        instances: Counts::all_in(Phase::Running, 9),
        blocked: Vec::new(),
        outlets: Outlets::default(),
    }
}

fn instance(index: u32, stage: Stage) -> Instance {
    Instance {
        key: InstanceKey { job: JOB, task: 0, index },
        stage,
        attempt: 1,
        failures: 0,
        created: Timestamp(0),
        launched: Some(Timestamp(0)),
        running: None,
        ended: None,
        exit_code: None,
        reason: String::new(),
        node: Some(NODE),
        machine: None,
        env: Some(EnvId::FIRST),
    }
}
