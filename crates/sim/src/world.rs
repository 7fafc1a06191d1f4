//! The world: a server's ledger under the weather, clients who ask things of it, nodes, a provider, a consumer.

use std::collections::{BTreeMap, BTreeSet};

use kernel::change::{EnvEdit, NodeFacts, What};
use kernel::command::{Command, NewSubscription, Token};
use kernel::decide::Settings;
use kernel::id::{EnvId, JobId, NodeId};
use kernel::instance::Stage;
use kernel::node::NodeStage;
use kernel::subscription::{Endpoint, Format, Strategy};
use kernel::time::Timestamp;
use kernel::topic::FilterType;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use store::ledger::{Ledger, Outcome};
use store::sqlite::SqliteStore;
use store::{Reader, Store as _};

use crate::faults::{Faulty, Weather};
use crate::machines::Machines;
use crate::promises::{Asked, Promises, There};
use crate::{audit, draw};

/// Steps of the storm.
const STORM_STEPS: usize = 150;
/// Rounds in which the calm must bring everything to its end.
const CALM_ROUNDS: usize = 5_000;
/// Jobs with more unfinished instances than this are terminated when the calm begins.
const CALM_INSTANCES: u64 = 60;
const LONG_S: u64 = 10 * 86_400;
const SHORT_S: u64 = 30;
/// Queues and how long they keep their messages, in seconds.
const QUEUES: [(&str, u64); 4] = [("work", LONG_S), ("short", SHORT_S), ("sink", LONG_S), ("inbox", LONG_S)];
/// Topics and the queues that subscribe to them.
const TOPICS: [(&str, &str); 2] = [("events", "sink"), ("news", "inbox")];

/// Something was not as it must be.
#[derive(Debug, thiserror::Error)]
#[error("seed {seed}, step {step}: {what}")]
pub struct Violation {
    /// The seed that leads there.
    pub seed: u64,
    /// The step at which it was seen.
    pub step: usize,
    /// What is wrong.
    pub what: String,
}

/// What a run has seen, so that a test can tell whether it has seen enough.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Jobs that were there at the end, all finished.
    pub jobs: usize,
    /// Events in the log.
    pub events: usize,
    /// Commands that were acknowledged.
    pub acknowledged: u64,
    /// Commits that took effect.
    pub commits: u64,
    /// How often the server was started again.
    pub restarts: usize,
}

/// Runs one seed.
///
/// # Errors
/// The first [`Violation`].
pub fn simulate(seed: u64) -> Result<Summary, Violation> {
    let fail = |step: usize, what: String| Violation { seed, step, what };
    let mut world = World::new(seed).map_err(|what| fail(0, what))?;
    let outcome = world.live();
    outcome.map_err(|what| fail(world.step, what))
}

struct World {
    anchor: SqliteStore,
    reader: Box<dyn Reader>,
    weather: Weather,
    ledger: Ledger,
    rng: StdRng,
    now: Timestamp,
    step: usize,
    calm: bool,
    machines: Machines,
    promises: Promises,
    restarts: usize,
    next_text: u64,
    wake: Timestamp,
}

fn words(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn open(anchor: &SqliteStore, weather: &Weather) -> Result<Ledger, String> {
    let settings = Settings { retry_pause_s: 2, lost_retries: 1, ..Settings::default() };
    let mut last = String::new();
    // The weather may strike a server that starts, too; it is started again then.
    for _ in 0..100 {
        let inner = anchor.another().map_err(words)?;
        let store = Faulty { inner, weather: weather.clone() };
        match Ledger::open(Box::new(store), settings.clone(), Box::new(audit::text)) {
            Ok(ledger) => return Ok(ledger),
            Err(error) => last = words(error),
        }
    }
    Err(last)
}

impl World {
    fn new(seed: u64) -> Result<Self, String> {
        let anchor = SqliteStore::open_in_memory().map_err(words)?;
        let reader = anchor.reader().map_err(words)?;
        let weather = Weather::new(seed);
        weather.storm(false);
        let ledger = open(&anchor, &weather)?;
        let now = Timestamp(1_800_000_000_000);
        let mut world = Self {
            anchor,
            reader,
            weather,
            ledger,
            rng: StdRng::seed_from_u64(seed),
            now,
            step: 0,
            calm: false,
            machines: Machines::default(),
            promises: Promises::default(),
            restarts: 0,
            next_text: 0,
            wake: Timestamp::NEVER,
        };
        world.set_up()?;
        Ok(world)
    }

    fn set_up(&mut self) -> Result<(), String> {
        let mut commands: Vec<Command> = QUEUES
            .iter()
            .map(|(name, keeps)| Command::CreateQueue { name: (*name).into(), settings: draw::queue(*keeps) })
            .collect();
        for (topic, queue) in TOPICS {
            let name = topic.to_owned();
            let filter = FilterType::Tags;
            commands.push(Command::CreateTopic { name, filter, max_msg_bytes: 65_536, retention_s: LONG_S });
            commands.push(Command::Subscribe(Box::new(NewSubscription {
                topic: topic.into(),
                name: "all".into(),
                endpoint: Endpoint::Queue { queue: Default::default(), name: queue.into() },
                strategy: Strategy::default(),
                format: Format::default(),
                filter_tags: Vec::new(),
                binding_keys: Vec::new(),
            })));
        }
        commands.push(self.create_env());
        self.commit(commands.into_iter().map(|command| (command, Asked::Nothing)).collect())
    }

    /// The storm, the calm, the audit.
    fn live(&mut self) -> Result<Summary, String> {
        self.weather.storm(true);
        for _ in 0..STORM_STEPS {
            self.storm_step()?;
        }
        self.weather.storm(false);
        self.calm = true;
        self.restart(true)?;
        self.make_habitable()?;
        for _ in 0..CALM_ROUNDS {
            if self.is_done() {
                return self.audit();
            }
            self.calm_round()?;
        }
        let jobs: Vec<_> = self.ledger.state().jobs().map(|job| format!("{} {}", job.id, job.phase)).collect();
        Err(format!("the calm brings these to no end: {jobs:?}"))
    }

    fn storm_step(&mut self) -> Result<(), String> {
        self.step += 1;
        self.now = self.now.plus_ms(self.rng.random_range(0..1_500));
        let count = self.rng.random_range(1..8);
        let mut told = BTreeSet::new();
        let mut batch = Vec::new();
        for _ in 0..count {
            if let Some(asked) = self.drawn(&mut told)? {
                batch.push(asked);
            }
        }
        self.commit(batch)?;
        if self.rng.random_bool(0.05) {
            // What it removes is no decision; that it fails is no harm.
            let limit = self.rng.random_range(1..50);
            let _ = self.ledger.sweep(self.now, Timestamp(i64::MIN), limit);
        }
        if self.rng.random_bool(0.03) {
            self.restart(true)?;
        }
        Ok(())
    }

    /// Commits commands, settles the answers and lets the changes take effect.
    fn commit(&mut self, batch: Vec<(Command, Asked)>) -> Result<(), String> {
        let (commands, asked): (Vec<Command>, Vec<Asked>) = batch.into_iter().unzip();
        match self.ledger.commit(&commands, self.now, &mut self.rng) {
            Ok(outcome) => self.settle(asked, &outcome)?,
            Err(_) => {
                for asked in asked {
                    self.promises.unanswered(asked)?;
                }
                self.restart(false)?;
            }
        }
        kernel::invariant::check(self.ledger.state())
    }

    fn settle(&mut self, asked: Vec<Asked>, outcome: &Outcome) -> Result<(), String> {
        if outcome.replies.len() != asked.len() {
            return Err(format!("{} commands have {} replies", asked.len(), outcome.replies.len()));
        }
        for (asked, reply) in asked.into_iter().zip(&outcome.replies) {
            match (&asked, reply) {
                (Asked::Reports(node, count), Ok(_)) => {
                    if let Some(machine) = self.machines.get(*node) {
                        machine.acknowledged(*count);
                    }
                }
                _ => self.promises.settle(asked, reply, self.now)?,
            }
        }
        self.wake = outcome.wake;
        if outcome.reloaded {
            self.break_connections();
        }
        for change in &outcome.changes {
            self.carry_out(&change.what);
        }
        Ok(())
    }

    /// Gives the order that a change calls for, unless it gets lost.
    fn carry_out(&mut self, what: &What) {
        let (key, asked) = match what {
            What::InstancePlaced(key, _) => (*key, None),
            What::InstanceAsked(key, asked) => (*key, Some(*asked)),
            _ => return,
        };
        let Some(row) = self.ledger.state().instance(key).cloned() else { return };
        let Stage::Held { node, .. } = row.stage else { return };
        let lost = !self.calm && self.rng.random_bool(0.02);
        let Some(machine) = self.machines.get(node) else { return };
        if lost {
            machine.stale = true;
        }
        if machine.stale {
            return;
        }
        match asked {
            None => machine.order(row.run()),
            Some(asked) => machine.asked(row.run(), asked),
        }
    }

    fn break_connections(&mut self) {
        for node in self.machines.all() {
            if let Some(machine) = self.machines.get(node) {
                machine.stale = true;
            }
        }
    }

    /// Starts the server again. `clean`: nothing was under way, so that it must find what it left.
    fn restart(&mut self, clean: bool) -> Result<(), String> {
        self.restarts += 1;
        let before = clean.then(|| audit::image(self.ledger.state()));
        self.ledger = open(&self.anchor, &self.weather)?;
        self.break_connections();
        let after = audit::image(self.ledger.state());
        match before {
            Some(before) if before != after => {
                let lost: Vec<_> = before.iter().filter(|row| !after.contains(row)).take(3).collect();
                let new: Vec<_> = after.iter().filter(|row| !before.contains(row)).take(3).collect();
                Err(format!("recovery lost {lost:?} and found {new:?}"))
            }
            _ => kernel::invariant::check(self.ledger.state()),
        }
    }

    /// Something that somebody does.
    fn drawn(&mut self, told: &mut BTreeSet<NodeId>) -> Result<Option<(Command, Asked)>, String> {
        Ok(match self.rng.random_range(0..100) {
            0..=39 => {
                let nodes = self.machines.all();
                match self.pick(&nodes) {
                    Some(node) => self.machine(node, told)?,
                    None => None,
                }
            }
            40..=57 => {
                let nodes: Vec<NodeId> = self.ledger.state().nodes().map(|node| node.id).collect();
                self.pick(&nodes).and_then(|node| self.provide(node))
            }
            58 => self.lose_machine(),
            59..=64 => self.submit(),
            65..=67 => self.drawn_job().map(|id| (Command::TerminateJob(id), Asked::Nothing)),
            68..=69 => self.drawn_job().map(|id| (Command::DeleteJob(id), Asked::Deletion(id))),
            70..=73 => Some(self.change_envs()),
            74..=75 => Some(self.change_streams()),
            76..=80 => Some(self.send()),
            81..=83 => Some(self.publish()),
            84..=88 => Some(self.receive()),
            89..=92 => self.delete_received(),
            93..=97 => {
                let (topic, _) = TOPICS[self.rng.random_range(0..TOPICS.len())];
                self.fan_out(topic)?
            }
            _ => {
                let expired = self.ledger.expired(self.now, 20).unwrap_or_default();
                expired.into_iter().next().map(|command| (command, Asked::Nothing))
            }
        })
    }

    /// A machine does something and tells of it.
    fn machine(&mut self, node: NodeId, told: &mut BTreeSet<NodeId>) -> Result<Option<(Command, Asked)>, String> {
        self.machines.act(node, self.calm, self.now, &mut self.rng)?;
        let Some(machine) = self.machines.get(node) else { return Ok(None) };
        if machine.stale {
            if !self.calm && self.rng.random_bool(0.5) {
                return Ok(None);
            }
            self.machines.welcome(self.ledger.state(), node);
            return Ok(Some((Command::NodeConnected(node, NodeFacts::default()), Asked::Nothing)));
        }
        let reports = machine.reports();
        if reports.is_empty() || !told.insert(node) {
            return Ok(None);
        }
        let asked = Asked::Reports(node, reports.len());
        Ok(Some((Command::NodeReports(node, reports), asked)))
    }

    /// What the provider, and a fresh agent, do about a node as it stands.
    fn provide(&mut self, node: NodeId) -> Option<(Command, Asked)> {
        let row = self.ledger.state().node(node)?.clone();
        let alive = self.machines.is_alive(node);
        let command = match row.stage {
            NodeStage::Submitted { not_before } if not_before <= self.now => Command::NodeCreating(node),
            NodeStage::Creating if !self.calm && self.rng.random_bool(0.1) => {
                Command::NodeCreationFailed(node, "drawn".into())
            }
            NodeStage::Creating => Command::NodeCreated(node),
            NodeStage::Created | NodeStage::Abnormal => {
                self.machines.start(node, row.slots);
                Command::NodeConnected(node, NodeFacts { agent_version: "1".into(), ..NodeFacts::default() })
            }
            NodeStage::Running if !alive => self.lost(node),
            NodeStage::Deleting => Command::NodeDestroyed { node, begun: self.machines.kill(node) },
            _ => return None,
        };
        Some((command, Asked::Nothing))
    }

    fn lost(&mut self, node: NodeId) -> Command {
        Command::NodeLost { node, reason: "drawn".into(), begun: self.machines.kill(node) }
    }

    fn lose_machine(&mut self) -> Option<(Command, Asked)> {
        let nodes = self.machines.all();
        let node = self.pick(&nodes)?;
        Some((self.lost(node), Asked::Nothing))
    }

    fn envs(&self) -> Vec<EnvId> {
        self.ledger.state().envs().filter(|env| !env.deleting).map(|env| env.id).collect()
    }

    fn submit(&mut self) -> Option<(Command, Asked)> {
        let envs = self.envs();
        if envs.is_empty() || self.ledger.state().jobs().count() > 12 {
            return None;
        }
        // Few tokens, so that requests are repeated; all of a token have one digest.
        let token = self.rng.random_bool(0.3).then(|| format!("token-{}", self.rng.random_range(0..6)));
        let spec = Box::new(draw::job(&envs, "events", &mut self.rng));
        let sent = token.clone().map(|token| Token { token, digest: "same".into() });
        Some((Command::SubmitJob { spec, token: sent }, Asked::Job { token }))
    }

    fn drawn_job(&mut self) -> Option<JobId> {
        let jobs: Vec<JobId> = self.promises.jobs.keys().copied().collect();
        self.pick(&jobs)
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        (!list.is_empty()).then(|| list[self.rng.random_range(0..list.len())])
    }

    fn create_env(&mut self) -> Command {
        let spec = Box::new(draw::env("events", &mut self.rng));
        let (name, description) = ("drawn".to_owned(), String::new());
        Command::CreateEnv { name, description, desired: self.rng.random_range(1..4), spec, token: None }
    }

    fn change_envs(&mut self) -> (Command, Asked) {
        let envs = self.envs();
        let Some(env) = self.pick(&envs) else {
            return (self.create_env(), Asked::Nothing);
        };
        let command = match self.rng.random_range(0..10) {
            0 if envs.len() < 4 => self.create_env(),
            1 if envs.len() > 1 => Command::DeleteEnv(env),
            2..=4 => {
                let nodes: Vec<NodeId> = self.ledger.state().nodes_of(env).map(|node| node.id).take(1).collect();
                Command::TerminateNodes(env, nodes)
            }
            _ => {
                let desired = Some(self.rng.random_range(0..4));
                Command::ModifyEnv(env, EnvEdit { desired, ..EnvEdit::default() })
            }
        };
        (command, Asked::Nothing)
    }

    /// Topics and queues that come and go.
    fn change_streams(&mut self) -> (Command, Asked) {
        let name = format!("passing-{}", self.rng.random_range(0..3));
        let command = match self.rng.random_range(0..6) {
            0 => Command::CreateQueue { name, settings: draw::queue(LONG_S) },
            1 => Command::DeleteQueue { name },
            2 => {
                let filter = FilterType::Tags;
                Command::CreateTopic { name, filter, max_msg_bytes: 1_024, retention_s: SHORT_S }
            }
            3 => Command::DeleteTopic { name, with_subscriptions: true },
            4 => Command::Send { queue: name, bodies: vec!["passing".into()], delay_s: 1 },
            _ => Command::Receive { queue: name, max: 3 },
        };
        (command, Asked::Nothing)
    }

    fn text(&mut self, of: &str) -> String {
        self.next_text += 1;
        format!("{of}-{}", self.next_text)
    }

    fn send(&mut self) -> (Command, Asked) {
        let (queue, _) = QUEUES[self.rng.random_range(0..2)];
        let text = self.text(queue);
        let delay_s = if self.rng.random_bool(0.3) { 3 } else { 0 };
        (Command::Send { queue: queue.into(), bodies: vec![text.as_str().into()], delay_s }, Asked::Text(text))
    }

    fn publish(&mut self) -> (Command, Asked) {
        let text = self.text("news");
        let bodies = vec![text.as_str().into()];
        let command = Command::Publish { topic: "news".into(), bodies, tags: Vec::new(), routing_key: String::new() };
        (command, Asked::Text(text))
    }

    fn receive(&mut self) -> (Command, Asked) {
        let (queue, retention_s) = QUEUES[self.rng.random_range(0..QUEUES.len())];
        let command = Command::Receive { queue: queue.into(), max: self.rng.random_range(1..17) };
        (command, Asked::Receipt { queue, retention_ms: retention_s * 1_000 })
    }

    fn delete_received(&mut self) -> Option<(Command, Asked)> {
        let (queue, _) = QUEUES[self.rng.random_range(0..QUEUES.len())];
        let of_queue = self.promises.received.iter().filter(|(_, (of, ..))| *of == queue);
        let texts: Vec<_> = of_queue.map(|(text, (_, handle, _))| (text.clone(), *handle)).take(16).collect();
        if texts.is_empty() {
            return None;
        }
        let handles = texts.iter().map(|(_, handle)| *handle).collect();
        Some((Command::DeleteMessages { queue: queue.into(), handles }, Asked::Deleted { texts }))
    }

    fn fan_out(&mut self, topic: &str) -> Result<Option<(Command, Asked)>, String> {
        let state = self.ledger.state();
        let Some(topic) = state.topic_named(topic).map(|topic| topic.no) else { return Ok(None) };
        let Some(subscription) = state.subscriptions_of(topic).next().cloned() else { return Ok(None) };
        let limit = self.rng.random_range(1..200);
        let messages = self.reader.topic_messages(topic, subscription.cursor, limit).map_err(words)?;
        Ok(messages
            .last()
            .map(|message| message.seq)
            .map(|through| (Command::FanOut { key: subscription.key, messages, through }, Asked::Nothing)))
    }

    /// Gives every living job a chance: nodes where there are none to be, an end to what is too large for them.
    fn make_habitable(&mut self) -> Result<(), String> {
        let state = self.ledger.state();
        let mut commands = Vec::new();
        for env in state.envs().filter(|env| !env.deleting && env.desired == 0) {
            commands.push(Command::ModifyEnv(env.id, EnvEdit { desired: Some(1), ..EnvEdit::default() }));
        }
        for job in state.jobs() {
            let ended = kernel::phase::Phase::ALL.iter().filter(|phase| phase.is_finished());
            let ended: u64 = ended.map(|phase| job.instances.of(*phase)).sum();
            if job.instances.total() - ended > CALM_INSTANCES {
                commands.push(Command::TerminateJob(job.id));
            }
        }
        self.commit(commands.into_iter().map(|command| (command, Asked::Nothing)).collect())
    }

    fn is_done(&mut self) -> bool {
        let state = self.ledger.state();
        let ended = state.jobs().all(|job| job.phase.is_finished());
        let copied = state.subscriptions().all(|subscription| {
            state.topic(subscription.key.topic).is_none_or(|topic| topic.end() == subscription.cursor)
        });
        ended && copied
    }

    fn calm_round(&mut self) -> Result<(), String> {
        self.step += 1;
        self.now = self.now.plus_ms(100).max(self.wake.min(self.now.plus_s(60)));
        let mut told = BTreeSet::new();
        let mut batch = Vec::new();
        let nodes: Vec<_> = self.ledger.state().nodes().map(|node| (node.id, node.env, node.stage)).collect();
        for (node, env, stage) in nodes {
            if stage == NodeStage::CreationFailed {
                batch.push((Command::TerminateNodes(env, vec![node]), Asked::Nothing));
            }
            batch.extend(self.provide(node));
        }
        for node in self.machines.all() {
            for _ in 0..4 {
                self.machines.act(node, true, self.now, &mut self.rng)?;
            }
            batch.extend(self.machine(node, &mut told)?);
        }
        for (topic, _) in TOPICS {
            batch.extend(self.fan_out(topic)?);
        }
        self.commit(batch)
    }

    fn audit(&mut self) -> Result<Summary, String> {
        self.restart(true)?;
        let mut events = 0;
        let mut jobs = 0;
        for (topic, queue) in TOPICS {
            let topic_no = self.ledger.state().topic_named(topic).ok_or("a topic is gone")?.no;
            let log = audit::log(self.reader.as_mut(), topic_no)?;
            let sent: BTreeMap<String, There> = log.iter().map(|row| (row.body.to_string(), There::Yes)).collect();
            audit::queue_holds(&self.texts_in(queue)?, &self.promises, &sent)?;
            if topic == "events" {
                audit::log_is_gapless(&log)?;
                jobs = audit::jobs(self.reader.as_mut(), &self.promises, &log)?;
                events = log.len();
            } else {
                let published: Vec<String> = sent.into_keys().collect();
                let nothing = Promises::default();
                audit::queue_holds(&published, &nothing, &self.texts_of(topic))?;
            }
        }
        audit::queue_holds(&self.texts_in("work")?, &self.promises, &self.texts_of("work"))?;
        let (acknowledged, commits) = (self.promises.acknowledged, self.ledger.version());
        Ok(Summary { jobs, events, acknowledged, commits, restarts: self.restarts })
    }

    fn texts_in(&mut self, queue: &str) -> Result<Vec<String>, String> {
        let no = self.ledger.state().queue_named(queue).ok_or("a queue is gone")?.no;
        let texts = audit::texts_in(&mut self.anchor, no)?;
        let stored = self.ledger.state().queue(no).map_or(0, |queue| queue.stored);
        if stored == texts.len() as u64 {
            Ok(texts)
        } else {
            Err(format!("queue {queue} counts {stored} messages and holds {}", texts.len()))
        }
    }

    fn texts_of(&self, kind: &str) -> BTreeMap<String, There> {
        let of_kind = self.promises.texts.iter().filter(|(text, _)| text.starts_with(kind));
        of_kind.map(|(text, there)| (text.clone(), *there)).collect()
    }
}
