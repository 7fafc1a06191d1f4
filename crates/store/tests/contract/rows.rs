//! Sample rows, with no field left at its default.

use std::sync::Arc;

use kernel::access::{AccessKey, Earlier, Grant, JoinToken, Quota, Role, Scope};
use kernel::activity::{Activity, ActivityKey, ActivityKind, ActivityState};
use kernel::delivery::{Attempt, Delivery, DeliveryKey, DeliveryStage, Outcome};
use kernel::environment::{Env, EnvSpec, NodeType};
use kernel::event::{EventConfig, EventName, Notification, Outlets, Owner};
use kernel::explain::Why;
use kernel::id::{ActivityId, EnvId, JobId, MachineId, NodeId, QueueId, SubscriptionId, TemplateId, TopicId};
use kernel::instance::{Asked, Instance, InstanceKey, Stage};
use kernel::job::{DependOn, IfNotCreated, Job, JobSpec, TaskSpec};
use kernel::machine::{Machine, MachineFacts};
use kernel::node::{Node, NodeStage, Then};
use kernel::phase::{Counts, Phase};
use kernel::queue::{
    DeadLetter, DeadLetterRule, Kept, KeptMessage, MessageKey, Origin, Queue, QueueMessage, QueueSettings, Rewinding,
};
use kernel::ranges::Ranges;
use kernel::state::Row;
use kernel::subscription::{
    CircuitRule, DeadLetters, Endpoint, Format, Health, Manner, Order, PauseReason, Strategy, Subscription,
    SubscriptionKey,
};
use kernel::task::{Intent, Redo, Task, TaskKey};
use kernel::template::{Template, TemplateSpec};
use kernel::time::Timestamp;
use kernel::token::ClientToken;
use kernel::topic::{FilterType, StreamNo, Topic, TopicMessage};

pub(crate) fn job_id(number: u64) -> JobId {
    JobId::from_number(number).unwrap()
}

pub(crate) fn env_id(number: u64) -> EnvId {
    EnvId::from_number(number).unwrap()
}

pub(crate) fn counts(of: &[(Phase, u64)]) -> Counts {
    let mut counts = Counts::default();
    for (phase, count) in of {
        counts.add(&Counts::all_in(*phase, *count));
    }
    counts
}

pub(crate) fn template_id(number: u64) -> TemplateId {
    TemplateId::from_number(number).unwrap()
}

pub(crate) fn template(number: u64, name: &str) -> Template {
    let spec = TemplateSpec {
        name: name.into(),
        description: "of the suite".into(),
        task: "{\"Application\":{\"Command\":\"true\"}}".into(),
        tags: vec![("team".into(), format!("t{number}"))],
    };
    Template { id: template_id(number), spec: Arc::new(spec), created: Timestamp(number as i64) }
}

/// The making of a node, which goes on, or which failed at a time.
pub(crate) fn activity(number: u64, env: u64, node: u64, failed: Option<i64>) -> Activity {
    let (state, reason) = match failed {
        None => (ActivityState::Processing, String::new()),
        Some(_) => (ActivityState::Failed, "capacity".into()),
    };
    Activity {
        id: ActivityId::from_number(number).unwrap(),
        key: ActivityKey { node: NodeId::from_number(node).unwrap(), kind: ActivityKind::CreateComputeNode },
        env: env_id(env),
        machine: MachineId::from_number(7).unwrap(),
        cause: "CreateComputeEnv: the capacity is 1".into(),
        state,
        reason,
        started: Timestamp(number as i64),
        ended: failed.map(Timestamp),
    }
}

fn notification() -> Notification {
    let vars = vec![("who".to_owned(), "me".to_owned())];
    let events = vec![EventConfig { name: EventName::JobFailed, vars }];
    Notification { topic_name: "told".into(), topic: StreamNo(1), events }
}

/// A running job with one task of ten instances, of which those from 3 on have no row.
pub(crate) fn job(number: u64) -> Job {
    let task = TaskSpec {
        name: "only".into(),
        command: "echo 'ä \"quoted\"'".into(),
        env: env_id(1),
        own: None,
        restart_node: false,
        instances: 10,
        retries: 2,
        timeout_s: 60,
        max_concurrent: Some(4),
        env_vars: vec![("A".into(), "1".into())],
        setup: Default::default(),
    };
    let spec = JobSpec {
        name: format!("job {number}"),
        description: "of the suite".into(),
        priority: 7,
        tasks: vec![task],
        dependences: vec![],
        depend_on: DependOn::PreTaskFinished,
        if_not_created: IfNotCreated::default(),
        notifications: vec![notification()],
        tags: vec![("team".into(), format!("t{number}")), ("kind".into(), "sample".into())],
        zone: "ap-guangzhou-2".into(),
        document: "{\"a\": 1}".into(),
    };
    Job {
        id: job_id(number),
        spec: Arc::new(spec),
        phase: Phase::Running,
        created: Timestamp(number as i64),
        ended: None,
        reason: "because".into(),
        terminating: true,
        has_run: true,
        tasks: counts(&[(Phase::Running, 1)]),
        instances: counts(&[(Phase::Runnable, 8), (Phase::Running, 1), (Phase::Succeed, 1)]),
        outlets: serde_json::from_str("[[1, 5, 2, 9]]").unwrap(),
        blocked: vec![(0, Why::NoNode)],
    }
}

pub(crate) fn finished(job: Job, ended: i64) -> Job {
    Job { phase: Phase::Failed, ended: Some(Timestamp(ended)), terminating: false, blocked: vec![], ..job }
}

pub(crate) fn task(job: u64) -> Task {
    let mut bulk = Ranges::up_to(10);
    (0..3).for_each(|index| assert!(bulk.remove(index)));
    Task {
        key: TaskKey { job: job_id(job), task: 0 },
        phase: Phase::Running,
        created: Timestamp(job as i64),
        ended: None,
        reason: "going on".into(),
        has_run: true,
        instances: counts(&[(Phase::Runnable, 8), (Phase::Running, 1), (Phase::Succeed, 1)]),
        bulk,
        intent: Some(Intent::DependenceUnmet { task: "before".into() }),
        redo: Some(Redo { from: 8, left: 2 }),
        attempts: 4,
    }
}

pub(crate) fn instance(job: u64, index: u32, stage: Stage) -> Instance {
    let ended = matches!(stage, Stage::Succeed | Stage::Failed).then_some(Timestamp(90));
    Instance {
        key: InstanceKey { job: job_id(job), task: 0, index },
        stage,
        attempt: 2,
        failures: 1,
        created: Timestamp(1),
        launched: Some(Timestamp(2)),
        running: Some(Timestamp(3)),
        ended,
        exit_code: Some(-1),
        reason: "ExitCode: 3".into(),
        node: NodeId::from_number(1),
        machine: MachineId::from_number(2),
        env: EnvId::from_number(1),
    }
}

/// The instances of [`task`]: one waits, one runs, one has succeeded.
pub(crate) fn instances(job: u64) -> Vec<Instance> {
    let node = NodeId::from_number(1).unwrap();
    vec![
        instance(job, 0, Stage::Waiting { not_before: Timestamp(77) }),
        instance(job, 1, Stage::Held { node, started: true, asked: Asked::Kill }),
        instance(job, 2, Stage::Succeed),
    ]
}

pub(crate) fn env(number: u64) -> Env {
    let kind = NodeType { name: "S5.LARGE8".into(), cpu: 4, mem_gb: 8, slots: 2 };
    let spec = EnvSpec {
        instance_types: vec![kind],
        notifications: vec![notification()],
        tags: vec![("team".into(), format!("t{number}"))],
        zone: format!("zone-{number}"),
        recreate: true,
        max_recreations: 3,
        inputs: Vec::new(),
        key: None,
        document: "{}".into(),
    };
    Env {
        id: env_id(number),
        owner: None,
        name: format!("env {number}"),
        description: "of the suite".into(),
        spec: Arc::new(spec),
        desired: 2,
        deleting: true,
        created: Timestamp(number as i64),
        outlets: serde_json::from_str("[[1, 2, 3, 4]]").unwrap(),
    }
}

pub(crate) fn access_key(secret_id: &str) -> AccessKey {
    let scope = Scope { topics: vec!["jobs-*".into()], ..Scope::default() };
    let quota = Quota { jobs: Some(6), ..Quota::default() };
    AccessKey {
        secret_id: secret_id.into(),
        sealed: "sealed".into(),
        earlier: Some(Earlier { sealed: "earlier".into(), until: Timestamp(77) }),
        note: "of somebody".into(),
        grant: Grant { roles: [Role::Read, Role::Submit].into(), scope, calls_per_s: Some(5), body_bytes: None, quota },
        disabled: true,
        created: Timestamp(1),
        modified: Timestamp(2),
    }
}

pub(crate) fn machine(number: u64) -> Machine {
    Machine {
        id: MachineId::from_number(number).unwrap(),
        credential: "0123".into(),
        facts: MachineFacts { name: "far".into(), cpu: 4, mem_gb: 8, slots: 2 },
        joined: Timestamp(1),
        seen: Timestamp(2),
    }
}

pub(crate) fn node(number: u64, env: u64, stage: NodeStage) -> Node {
    Node {
        id: NodeId::from_number(number).unwrap(),
        machine: MachineId::from_number(number + 100).unwrap(),
        attached: false,
        env: env_id(env),
        stage,
        kind: "S5.LARGE8".into(),
        slots: 2,
        cpu: 4,
        mem_gb: 8,
        created: Timestamp(1),
        resource_created: Some(Timestamp(2)),
        running: Some(Timestamp(3)),
        recreations: 1,
        agent_version: "0.1.0".into(),
        addresses: vec!["127.0.0.1".into()],
        limits: "cpu, memory".into(),
        reason: "no reason".into(),
        drained: true,
        then: Some(Then::Restart),
        held: Default::default(),
        kept: Default::default(),
        run_ms: None,
    }
}

pub(crate) fn topic(no: u32, name: &str) -> Topic {
    Topic {
        no: StreamNo(no),
        id: TopicId::from_number(u64::from(no)).unwrap(),
        name: name.into(),
        filter: FilterType::Routing,
        max_msg_bytes: 65_536,
        retention_s: 86_400,
        trace: true,
        tags: vec![("team".into(), name.to_lowercase())],
        next_seq: 5,
        next_subscription: 3,
        created: Timestamp(1),
        modified: Timestamp(2),
    }
}

pub(crate) fn topic_message(topic: u32, seq: u64) -> Arc<TopicMessage> {
    Arc::new(TopicMessage {
        topic: StreamNo(topic),
        seq,
        published: Timestamp(seq as i64 * 10),
        body: format!("text {seq} ☃").into(),
        tags: vec!["JOB".into(), "FAILED".into()],
        routing_key: "job.failed".into(),
        previous: seq - 1,
        owner: [None, Some(Owner::Job(JobId::FIRST)), Some(Owner::Subscription(SubscriptionId::LAST))]
            [seq as usize % 3],
    })
}

pub(crate) fn queue(no: u32, name: &str) -> Queue {
    Queue {
        no: StreamNo(no),
        id: QueueId::from_number(u64::from(no)).unwrap(),
        name: name.into(),
        settings: QueueSettings {
            max_messages: 1_000_000,
            polling_wait_s: 1,
            visibility_s: 30,
            max_msg_bytes: 65_536,
            retention_s: 600,
            rewind_s: 600,
            kept_max_bytes: 1_048_576,
            trace: true,
        },
        dead_letter: Some(DeadLetter { queue: StreamNo(no + 1_000), rule: DeadLetterRule::Receives { most: 3 } }),
        heap: StreamNo(no),
        next_seq: 9,
        stored: 4,
        kept: Some(Kept { heap: StreamNo(no + 500), count: 2, bytes: 9 }),
        rewinding: Some(Rewinding { at: Timestamp(8), from: Timestamp(5), after: 1 }),
        tags: vec![("team".into(), name.to_lowercase())],
        created: Timestamp(1),
        modified: Timestamp(2),
    }
}

pub(crate) fn queue_message(queue: u32, seq: u64, visible: i64) -> QueueMessage {
    QueueMessage {
        key: MessageKey { heap: StreamNo(queue), seq },
        body: format!("text {seq}").into(),
        enqueued: Timestamp(seq as i64 * 10),
        visible: Timestamp(visible),
        first_dequeued: None,
        dequeues: 0,
        receipt: 0,
        origin: None,
    }
}

pub(crate) fn dead_letter(message: QueueMessage) -> QueueMessage {
    let origin = Origin { msg_id: u64::MAX, queue: "q".into(), enqueued: Timestamp(3), dequeues: 7 };
    QueueMessage { origin: Some(Arc::new(origin)), ..message }
}

pub(crate) fn kept_message(heap: u32, seq: u64) -> KeptMessage {
    let QueueMessage { key, body, enqueued, origin, .. } = dead_letter(queue_message(heap, seq, 0));
    KeptMessage { key, body, enqueued, deleted: Timestamp(1_000), origin }
}

pub(crate) fn received(message: QueueMessage, visible: i64) -> QueueMessage {
    let first_dequeued = Some(Timestamp(5));
    QueueMessage { visible: Timestamp(visible), first_dequeued, dequeues: 2, receipt: 99, ..message }
}

pub(crate) fn subscription(topic: u32, no: u32, endpoint: Endpoint) -> Subscription {
    Subscription {
        key: SubscriptionKey { topic: StreamNo(topic), no },
        id: SubscriptionId::from_number(u64::from(topic * 100 + no)).unwrap(),
        name: format!("Sub-{no}"),
        endpoint,
        strategy: Strategy::BackoffRetry,
        format: Format::Simplified,
        filter_tags: vec!["FAILED".into()],
        binding_keys: vec!["job.#".into()],
        start: 1,
        manner: Manner {
            order: Order::Job,
            posts_per_s: 5,
            retry_after: false,
            circuit: Some(CircuitRule { failures: 3, pause_s: 9 }),
            dead_letters: Some(DeadLetters { queue: StreamNo(7), name: "dead".into() }),
            ..Manner::default()
        },
        secrets: None,
        replays: Vec::new(),
        stage: kernel::subscription::Stage::Paused { why: PauseReason::Gone, since: Timestamp(5) },
        health: Health { failures: 4, last_status: Some(410), last_error: "no answer".into() },
        outlets: Outlets::default(),
        cursor: 2,
        created: Timestamp(1),
        modified: Timestamp(2),
    }
}

pub(crate) fn http() -> Endpoint {
    Endpoint::Http { url: "http://127.0.0.1:9/Hook".into() }
}

pub(crate) fn to_queue(queue: u32, name: &str) -> Endpoint {
    Endpoint::Queue { queue: StreamNo(queue), name: name.into() }
}

pub(crate) fn delivery(topic: u32, subscription: u32, seq: u64, stage: DeliveryStage) -> Delivery {
    let subscription = SubscriptionKey { topic: StreamNo(topic), no: subscription };
    Delivery { key: DeliveryKey { subscription, seq }, stage, attempts: 3 }
}

pub(crate) fn attempt(topic: u32, subscription: u32, seq: u64, number: u32) -> Arc<Attempt> {
    let subscription = SubscriptionKey { topic: StreamNo(topic), no: subscription };
    let outcome = match number % 2 {
        0 => Outcome::Replied { status: 503, body: "later".into() },
        _ => Outcome::Failed { error: "refused".into() },
    };
    Arc::new(Attempt {
        key: DeliveryKey { subscription, seq },
        number,
        at: Timestamp(seq as i64 * 100 + i64::from(number)),
        duration_ms: 12,
        address: "127.0.0.1:9".into(),
        outcome,
    })
}

pub(crate) fn token(key: &str) -> ClientToken {
    ClientToken { key: key.into(), digest: "d".into(), answer: "job-00000001".into(), used: Timestamp(4) }
}

/// One row of each kind that the kernel loads at its start, in that order.
pub(crate) fn one_of_each() -> Vec<Row> {
    let node_id = NodeId::from_number(1).unwrap();
    let held = Stage::Held { node: node_id, started: true, asked: Asked::Kill };
    vec![
        Row::Topic(Arc::new(topic(1, "Told"))),
        Row::Queue(Arc::new(queue(2, "Kept"))),
        Row::Subscription(Arc::new(subscription(1, 1, to_queue(2, "Kept")))),
        Row::Subscription(Arc::new(subscription(1, 2, http()))),
        Row::Template(Arc::new(template(1, "kept"))),
        Row::Env(Arc::new(env(1))),
        Row::AccessKey(Arc::new(access_key("AKIDone"))),
        Row::JoinToken(Arc::new(JoinToken { digest: "d1".into(), created: Timestamp(1), until: Timestamp(9) })),
        Row::Machine(Arc::new(machine(7))),
        Row::Node(Arc::new(Node { attached: true, ..node(1, 1, NodeStage::Running) })),
        Row::Node(Arc::new(node(2, 1, NodeStage::Submitted { not_before: Timestamp(8) }))),
        Row::Activity(Arc::new(activity(1, 1, 1, None))),
        Row::Job(Arc::new(job(1))),
        Row::Task(Arc::new(task(1))),
        Row::Instance(Arc::new(instance(1, 0, Stage::Waiting { not_before: Timestamp(77) }))),
        Row::Instance(Arc::new(instance(1, 1, held))),
        Row::Token(Arc::new(token("SubmitJob abc"))),
    ]
}
