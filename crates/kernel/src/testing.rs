//! What the kernel's own tests share: a world with a clock and a random source, nodes that do as they are told, and
//! jobs in few words. After every step the invariants are checked.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::change::{Change, NodeFacts, What};
use crate::command::{Command, ExitHow, Refusal, Reply, Report, RunExit};
use crate::decide::{Settings, decide, follow_ups, redo_needs};
use crate::environment::{EnvSpec, NodeType};
use crate::event::{Event, EventConfig, EventName, Notification};
use crate::evolve::evolve;
use crate::id::{EnvId, JobId, NodeId};
use crate::instance::{InstanceKey, RunId, Stage};
use crate::job::{DependOn, FailedAction, IfNotCreated, JobSpec, OwnNodes, TaskSpec};
use crate::node::NodeStage;
use crate::phase::Phase;
use crate::state::{Row, RowKey, State};
use crate::time::Timestamp;
use crate::topic::{FilterType, NewBody, StreamNo};

/// A random source with a seed.
pub(crate) fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// A kernel with what it needs, and what came of it.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) settings: Settings,
    pub(crate) now: Timestamp,
    pub(crate) rng: StdRng,
    pub(crate) changes: Vec<Change>,
    pub(crate) events: Vec<Event>,
    /// Of each event's message its place, and that of the one before it.
    pub(crate) places: Vec<(u64, u64)>,
    /// Finished instances that have left the state, as a store would keep them.
    pub(crate) past: BTreeMap<InstanceKey, Row>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let settings = Settings { retry_pause_s: 0, ..Settings::default() };
        let (state, now) = (State::default(), Timestamp(1_800_000_000_000));
        let (changes, events, past) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { state, settings, now, rng: rng(seed), changes, events, places: Vec::new(), past }
    }

    /// Decides a command and lets it take effect, with nothing that follows of itself.
    pub(crate) fn only(&mut self, command: Command) -> Result<Reply, Refusal> {
        self.load(&command);
        let decision = decide(&self.state, &self.settings, command, self.now, &mut self.rng)?;
        for change in decision.changes {
            evolve(&mut self.state, &change);
            self.changes.push(change);
        }
        crate::invariant::check(&self.state).expect("the invariants hold");
        for message in decision.messages {
            if let NewBody::Event(event) = message.body {
                self.events.push(*event);
                self.places.push((message.seq, message.previous));
            }
        }
        Ok(decision.reply)
    }

    /// Takes in what the command needs of the past.
    fn load(&mut self, command: &Command) {
        let wanted = match command {
            Command::Sweep => redo_needs(&self.state).map(|(key, from, most)| {
                let at = |index| InstanceKey { job: key.job, task: key.task, index };
                let rows = self.past.range(at(from)..=at(u32::MAX)).map(|(_, row)| row.clone());
                let failed = rows.filter(|row| matches!(row, Row::Instance(row) if row.phase() == Phase::Failed));
                failed.take(most).collect::<Vec<_>>()
            }),
            Command::TerminateInstance { job, index, .. } => {
                let rows = self.past.iter().filter(|(key, _)| key.job == *job && u64::from(key.index) == *index);
                Some(rows.map(|(_, row)| row.clone()).collect())
            }
            _ => None,
        };
        wanted.into_iter().flatten().for_each(|row| self.state.load(row));
    }

    /// Decides a command and all that follows.
    pub(crate) fn run(&mut self, command: Command) -> Result<Reply, Refusal> {
        let reply = self.only(command)?;
        self.settle();
        Ok(reply)
    }

    /// Carries out what follows of itself, until nothing does.
    pub(crate) fn settle(&mut self) {
        loop {
            let before = self.changes.len();
            for command in follow_ups(&self.state, &self.settings, self.now).0 {
                self.only(command).expect("a follow-up is never refused");
            }
            let touched: Vec<RowKey> = self.state.take_dirty();
            let ended = |key: &RowKey| matches!(key, RowKey::Instance(_) | RowKey::Activity(_));
            let mut ended: Vec<RowKey> = touched.into_iter().filter(ended).collect();
            for key in &ended {
                let RowKey::Instance(instance) = key else { continue };
                match self.state.row(key) {
                    Some(row) => self.past.insert(*instance, row),
                    None => self.past.remove(instance),
                };
            }
            ended.extend(self.past.keys().copied().map(RowKey::Instance));
            self.state.forget(&ended);
            if self.changes.len() == before {
                return;
            }
        }
    }

    pub(crate) fn pass_ms(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        self.settle();
    }

    /// A topic that has no subscriptions, put straight into the state.
    pub(crate) fn topic(&mut self, name: &str) -> StreamNo {
        let (filter, name) = (FilterType::Tags, name.to_owned());
        let new = Command::CreateTopic {
            name: name.clone(),
            filter,
            max_msg_bytes: 65_536,
            retention_s: 86_400,
            trace: false,
            tags: Vec::new(),
        };
        self.run(new).unwrap();
        self.state.topic_named(&name).unwrap().no
    }

    /// An environment with running nodes of one slot each.
    pub(crate) fn env(&mut self, nodes: u64, notifications: Vec<Notification>) -> EnvId {
        self.env_with_slots(nodes, 1, notifications)
    }

    pub(crate) fn env_with_slots(&mut self, nodes: u64, slots: u32, notifications: Vec<Notification>) -> EnvId {
        let kind = NodeType { name: "S5.SMALL1".into(), cpu: 1, mem_gb: 1, slots };
        let spec = EnvSpec {
            instance_types: vec![kind],
            notifications,
            tags: Vec::new(),
            zone: "ap-guangzhou-1".into(),
            recreate: true,
            max_recreations: 7,
            inputs: Vec::new(),
            key: None,
            document: "{}".into(),
        };
        let (name, description) = ("env".to_owned(), String::new());
        let create = Command::CreateEnv { name, description, desired: nodes, spec: Box::new(spec), token: None };
        let Reply::Env(env) = self.run(create).unwrap() else { panic!("no environment") };
        self.start_nodes();
        env
    }

    /// Makes and connects every node that is wanted now, or is to be started anew.
    pub(crate) fn start_nodes(&mut self) {
        let stands = |state: &State, stage| -> Vec<NodeId> {
            state.nodes().filter(|node| node.stage == stage).map(|node| node.id).collect()
        };
        for node in stands(&self.state, NodeStage::Restarting) {
            self.run(Command::NodeEnded(node)).unwrap();
        }
        for node in stands(&self.state, NodeStage::Creating) {
            self.run(Command::NodeCreated(node)).unwrap();
            self.run(Command::NodeConnected(node, NodeFacts::default())).unwrap();
        }
        let wanted = |state: &State, now: Timestamp| -> Vec<NodeId> {
            let due = |stage| matches!(stage, NodeStage::Submitted { not_before } if not_before <= now);
            state.nodes().filter(|node| due(node.stage)).map(|node| node.id).collect()
        };
        for node in wanted(&self.state, self.now) {
            self.run(Command::NodeCreating(node)).unwrap();
            self.run(Command::NodeCreated(node)).unwrap();
            self.run(Command::NodeConnected(node, NodeFacts::default())).unwrap();
        }
    }

    /// Destroys every node that is to go.
    pub(crate) fn destroy_nodes(&mut self) {
        let going = self.state.nodes().filter(|node| node.stage == NodeStage::Deleting);
        for node in going.map(|node| node.id).collect::<Vec<_>>() {
            self.run(Command::NodeDestroyed { node, begun: vec![] }).unwrap();
        }
    }

    pub(crate) fn nodes(&self, env: EnvId) -> Vec<NodeId> {
        self.state.nodes_of(env).map(|node| node.id).collect()
    }

    pub(crate) fn submit(&mut self, spec: JobSpec) -> JobId {
        match self.run(Command::SubmitJob { spec: Box::new(spec), token: None }) {
            Ok(Reply::Job(job)) => job,
            other => panic!("{other:?}"),
        }
    }

    /// Attempts that nodes hold, in order.
    pub(crate) fn held(&self) -> Vec<(NodeId, RunId)> {
        let rows = self.state.instances.iter().filter_map(|(_, row)| Some((row.holder()?, row.run())));
        rows.collect()
    }

    pub(crate) fn report(&mut self, node: NodeId, report: Report) {
        self.run(Command::NodeReports(node, vec![report])).unwrap();
    }

    pub(crate) fn start(&mut self, node: NodeId, run: RunId) {
        self.report(node, Report::Started(run));
    }

    pub(crate) fn exit(&mut self, node: NodeId, run: RunId, how: ExitHow) {
        let exit = RunExit { how, run_ms: 10_000, end: Default::default() };
        self.report(node, Report::Exited(run, exit));
    }

    /// Lets nodes run everything they hold; `how` says how each attempt ends.
    pub(crate) fn run_all(&mut self, how: impl Fn(RunId) -> ExitHow) {
        while let Some((node, run)) = self.held().first().copied() {
            self.start(node, run);
            self.exit(node, run, how(run));
        }
    }

    /// The state words of a job's tasks, whether it has ended or not.
    pub(crate) fn phases(&self, job: JobId) -> (Phase, Vec<Phase>) {
        (self.state.job(job).unwrap().phase, self.state.tasks_of(job).map(|task| task.phase).collect())
    }

    /// Events so far, as words and what they happened to.
    pub(crate) fn event_names(&self) -> Vec<EventName> {
        self.events.iter().map(|event| event.name).collect()
    }

    /// How the instance stands; `None` when it has no row (any more).
    pub(crate) fn stage(&self, key: InstanceKey) -> Option<Stage> {
        self.state.instance(key).map(|row| row.stage)
    }

    pub(crate) fn has(&self, wanted: impl Fn(&What) -> bool) -> bool {
        self.changes.iter().any(|change| wanted(&change.what))
    }
}

/// A job of tasks `(name, instances)` on one environment.
pub(crate) fn job(env: EnvId, tasks: &[(&str, u32)]) -> JobSpec {
    let task = |(name, instances): &(&str, u32)| TaskSpec {
        name: (*name).to_owned(),
        command: "true".into(),
        env,
        own: None,
        restart_node: false,
        instances: *instances,
        retries: 0,
        timeout_s: 60,
        max_concurrent: None,
        env_vars: Vec::new(),
        setup: Default::default(),
    };
    JobSpec {
        name: "job".into(),
        description: String::new(),
        priority: 0,
        tasks: tasks.iter().map(task).collect(),
        dependences: Vec::new(),
        depend_on: DependOn::default(),
        if_not_created: IfNotCreated::default(),
        notifications: Vec::new(),
        tags: Vec::new(),
        zone: "ap-guangzhou-1".into(),
        document: "{}".into(),
    }
}

/// A job of tasks `(name, instances)` that each have nodes of their own, with one slot.
pub(crate) fn elastic_job(tasks: &[(&str, u32)]) -> JobSpec {
    let mut spec = job(EnvId::FIRST, tasks);
    let kind = NodeType { name: "S5.SMALL1".into(), cpu: 1, mem_gb: 1, slots: 1 };
    for task in &mut spec.tasks {
        let failed_action = FailedAction::default();
        task.own = Some(OwnNodes { instance_types: vec![kind.clone()], failed_action, creation_retries: 0 });
    }
    spec
}

/// A notification of events to a topic, without pairs.
pub(crate) fn notify(topic: &str, events: &[EventName]) -> Notification {
    let events = events.iter().map(|name| EventConfig { name: *name, vars: Vec::new() }).collect();
    Notification { topic_name: topic.into(), topic: StreamNo::default(), events }
}
