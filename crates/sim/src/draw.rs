//! Specs drawn by chance.

use kernel::command::{Command, QueueEdit};
use kernel::environment::{EnvSpec, NodeType};
use kernel::event::{EventConfig, EventName, Notification};
use kernel::id::EnvId;
use kernel::job::{DependOn, FailedAction, IfNotCreated, JobSpec, OwnNodes, TaskSpec};
use kernel::queue::{DeadLetterRule, QueueSettings};
use kernel::time::Timestamp;
use kernel::topic::{FilterType, StreamNo};
use rand::{Rng, RngExt};

/// A graph of one to four tasks on some of the environments, all its events to `topic`.
pub(crate) fn job(envs: &[EnvId], topic: &str, rng: &mut dyn Rng) -> JobSpec {
    let count = rng.random_range(1..=4u32);
    let tasks = (0..count).map(|number| task(number, envs[rng.random_range(0..envs.len())], rng)).collect();
    let mut dependences = Vec::new();
    for then in 1..count {
        for first in 0..then {
            if rng.random_bool(0.4) {
                dependences.push((first, then));
            }
        }
    }
    let modes = [DependOn::PreTaskSucceed, DependOn::PreTaskAtLeastPartlySucceed, DependOn::PreTaskFinished];
    JobSpec {
        name: "drawn".into(),
        description: String::new(),
        priority: rng.random_range(0..3),
        tasks,
        dependences,
        depend_on: modes[rng.random_range(0..modes.len())],
        if_not_created: if rng.random_bool(0.5) { IfNotCreated::Failed } else { IfNotCreated::Runnable },
        notifications: vec![all_events(topic, EventName::is_of_job)],
        tags: vec![("seed".into(), "drawn".into())],
        zone: "ap-guangzhou-1".into(),
        document: "{}".into(),
    }
}

fn task(number: u32, env: EnvId, rng: &mut dyn Rng) -> TaskSpec {
    // Now and then one that is terminated in several chunks.
    let instances = if rng.random_bool(0.01) { 1_100 } else { rng.random_range(1..8) };
    TaskSpec {
        name: format!("t{number}"),
        command: "true".into(),
        env,
        own: rng.random_bool(0.25).then(|| own(rng)),
        restart_node: rng.random_bool(0.1),
        instances,
        retries: rng.random_range(0..3),
        timeout_s: 60,
        max_concurrent: rng.random_bool(0.3).then(|| rng.random_range(1..4)),
        env_vars: Vec::new(),
        setup: Default::default(),
    }
}

fn own(rng: &mut dyn Rng) -> OwnNodes {
    let kind = |name: &str, slots| NodeType { name: name.into(), cpu: 1, mem_gb: 1, slots };
    let types = [kind("first", rng.random_range(1..3)), kind("second", 1)];
    let actions = [FailedAction::Terminate, FailedAction::Interrupt, FailedAction::FastInterrupt];
    OwnNodes {
        instance_types: types[..rng.random_range(1..=2)].to_vec(),
        failed_action: actions[rng.random_range(0..actions.len())],
        creation_retries: rng.random_range(0..3),
    }
}

fn all_events(topic: &str, wanted: fn(EventName) -> bool) -> Notification {
    let names = EventName::ALL.iter().copied().filter(|name| wanted(*name));
    let events = names.map(|name| EventConfig { name, vars: Vec::new() }).collect();
    Notification { topic_name: topic.into(), topic: StreamNo(0), events }
}

/// An environment that remakes its nodes, all its events to `topic`.
pub(crate) fn env(topic: &str, rng: &mut dyn Rng) -> EnvSpec {
    let kind = NodeType { name: "local".into(), cpu: 1, mem_gb: 1, slots: rng.random_range(1..4) };
    EnvSpec {
        instance_types: vec![kind],
        notifications: vec![all_events(topic, EventName::is_of_env)],
        tags: Vec::new(),
        zone: "ap-guangzhou-1".into(),
        recreate: rng.random_bool(0.7),
        max_recreations: 7,
        inputs: Vec::new(),
        key: None,
        document: "{}".into(),
    }
}

/// A queue that keeps its messages so long, in seconds, and deleted ones too.
pub(crate) fn create_queue(name: &str, retention_s: u64) -> Command {
    let settings = QueueSettings {
        max_messages: 1_000_000,
        polling_wait_s: 0,
        visibility_s: 5,
        max_msg_bytes: 65_536,
        retention_s,
        rewind_s: retention_s / 2,
        kept_max_bytes: 2_000,
        trace: false,
    };
    Command::CreateQueue { name: name.into(), settings, dead_letter: None, tags: Vec::new() }
}

/// A topic that keeps its messages so long, in seconds.
pub(crate) fn create_topic(name: String, retention_s: u64) -> Command {
    let filter = FilterType::Tags;
    Command::CreateTopic { name, filter, max_msg_bytes: 65_536, retention_s, trace: false, tags: Vec::new() }
}

/// What becomes of one of `passing` queues, or of what is in it.
pub(crate) fn change_queue(passing: &[String], now: Timestamp, rng: &mut dyn Rng) -> Command {
    let [name, other] = [0, 0].map(|_| passing[rng.random_range(0..passing.len())].clone());
    let rule = match rng.random_bool(0.5) {
        true => DeadLetterRule::Receives { most: rng.random_range(1..3) },
        false => DeadLetterRule::Age { seconds: 10 },
    };
    let dead_letter_queue = rng.random_bool(0.5).then_some(other);
    let edit = QueueEdit {
        rewind_s: rng.random_bool(0.5).then(|| rng.random_range(0..2) * 20),
        dead_letter_rule: dead_letter_queue.is_some().then_some(rule),
        dead_letter_queue,
        ..QueueEdit::default()
    };
    match rng.random_range(0..5) {
        0 => Command::ClearQueue { name },
        1 => Command::UnbindDeadLetter { name },
        2 => Command::RewindQueue { name, to: now.minus_s(rng.random_range(0..30)) },
        _ => Command::ModifyQueue { name, edit: Box::new(edit) },
    }
}
