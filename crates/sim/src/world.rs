//! The world: a server's ledger under the weather, clients who ask things of it, nodes, a provider, a consumer.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Arc, Mutex};

use kernel::change::{EnvEdit, What};
use kernel::command::Command;
use kernel::instance::Stage;
use kernel::node::NodeStage;
use kernel::phase::Phase;
use kernel::state::State;
use kernel::time::Timestamp;
use kernel::topic::{StreamNo, TopicMessage};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use store::ledger::Outcome;
use store::sqlite::SqliteStore;
use store::{Reader, Store as _};

use crate::aside::ASIDE;
use crate::audit;
use crate::copies::{self, AGAIN};
use crate::faults::{Connection, Weather};
use crate::machines::Machines;
use crate::promises::{Asked, Promises, There};
use crate::pushes::Pusher;
use crate::replays::Replays;
use crate::sabotage::Sabotage;
use crate::server::Server;
use crate::stage::{COPIED, TOPICS};

/// Steps of the shortest and of the longest storm.
const STORM_STEPS: std::ops::RangeInclusive<usize> = 10..=150;
/// Rounds in which the calm must bring everything to its end.
const CALM_ROUNDS: usize = 5_000;
/// Jobs with more unfinished instances than this are terminated when the calm begins.
const CALM_INSTANCES: u64 = 60;
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

/// Which run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// What all chance comes from.
    pub seed: u64,
    /// Steps of the storm.
    pub steps: usize,
    /// Servers on the one store.
    pub servers: usize,
    /// A mistake that is made on purpose.
    pub sabotage: Option<Sabotage>,
}

impl Run {
    /// The whole run of a seed. How long its storm lasts is drawn from the seed, too: the calm is to begin in young
    /// states as well as in old ones; and so is how many servers there are.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        // A source of its own, so that what the seed draws in the storm is the same however long that is.
        let mut source = StdRng::seed_from_u64(!seed);
        let steps = source.random_range(STORM_STEPS);
        // Most installations have one.
        let servers = [1, 1, 2, 3][source.random_range(0..4)];
        Self { seed, steps, servers, sabotage: None }
    }

    /// The run of a seed with the longest storm there is, and one server.
    #[must_use]
    pub fn longest(seed: u64) -> Self {
        Self { steps: *STORM_STEPS.end(), servers: 1, ..Self::of(seed) }
    }
}

/// Runs one seed.
///
/// # Errors
/// The first [`Violation`].
pub fn simulate(run: Run) -> Result<Summary, Violation> {
    live(run, None)
}

/// The shortest storm with which a run that fails still fails: what follows is one step after another.
#[must_use]
pub fn shrink(run: Run) -> Run {
    let fails = |steps| simulate(Run { steps, ..run }).is_err();
    let (mut holds, mut shortest) = (0, run.steps);
    while holds + 1 < shortest {
        let middle = holds.midpoint(shortest);
        if fails(middle) { shortest = middle } else { holds = middle }
    }
    Run { steps: shortest, ..run }
}

/// Runs one seed and tells of each commit: its commands and what came of them.
///
/// # Errors
/// The first [`Violation`].
pub fn simulate_aloud(run: Run, voice: &mut dyn Write) -> Result<Summary, Violation> {
    live(run, Some(voice))
}

fn live(run: Run, voice: Option<&mut dyn Write>) -> Result<Summary, Violation> {
    let fail = |step: usize, what: String| Violation { seed: run.seed, step, what };
    let mut world = World::new(run, voice).map_err(|what| fail(0, what))?;
    let outcome = world.live(run.steps);
    outcome.map_err(|what| fail(world.step, what))
}

pub(crate) struct World<'v> {
    pub(crate) voice: Option<&'v mut dyn Write>,
    /// A look at the store that no weather is over.
    pub(crate) anchor: SqliteStore,
    store: Connection,
    pub(crate) reader: Box<dyn Reader>,
    pub(crate) weather: Weather,
    sabotage: Option<Sabotage>,
    pub(crate) servers: Vec<Server>,
    /// The server that whatever is done now is done by.
    pub(crate) at: usize,
    pub(crate) rng: StdRng,
    /// The real time, which nobody knows.
    real: Timestamp,
    /// The time by the clock of the server at work.
    pub(crate) now: Timestamp,
    pub(crate) step: usize,
    pub(crate) calm: bool,
    pub(crate) machines: Machines,
    pub(crate) promises: Promises,
    pub(crate) pushers: Vec<Pusher>,
    pub(crate) replays: Replays,
    pub(crate) restarts: usize,
    pub(crate) next_text: u64,
    pub(crate) wake: Timestamp,
}

pub(crate) fn words(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

impl<'v> World<'v> {
    fn new(run: Run, voice: Option<&'v mut dyn Write>) -> Result<Self, String> {
        let Run { seed, sabotage, .. } = run;
        let anchor = SqliteStore::open_in_memory().map_err(words)?;
        let reader = anchor.reader().map_err(words)?;
        let weather = Weather::new(seed);
        weather.storm(false);
        let now = Timestamp(1_800_000_000_000);
        let store = Arc::new(Mutex::new(anchor.another().map_err(words)?));
        let start = |_| Server::start(&store, &weather, sabotage, 0, now);
        let servers = (0..run.servers).map(start).collect::<Result<Vec<_>, _>>()?;
        let mut world = Self {
            voice,
            anchor,
            store,
            reader,
            weather,
            sabotage,
            servers,
            at: 0,
            rng: StdRng::seed_from_u64(seed),
            real: now,
            now,
            step: 0,
            calm: false,
            machines: Machines::default(),
            promises: Promises::default(),
            pushers: Vec::new(),
            replays: Replays::default(),
            restarts: 0,
            next_text: 0,
            wake: Timestamp::NEVER,
        };
        world.set_up()?;
        Ok(world)
    }

    /// The storm, the calm, the audit.
    fn live(&mut self, steps: usize) -> Result<Summary, String> {
        self.weather.storm(true);
        for _ in 0..steps {
            self.storm_step()?;
        }
        self.weather.storm(false);
        self.calm = true;
        self.set_clocks_right();
        self.restart(true)?;
        self.make_habitable()?;
        for _ in 0..CALM_ROUNDS {
            if self.is_done() {
                return self.audit();
            }
            self.calm_round()?;
        }
        let unfinished = self.state().jobs().filter(|job| !job.phase.is_finished());
        let jobs: Vec<_> = unfinished.map(|job| job.id).collect();
        let why: Vec<Command> = jobs.iter().take(3).map(|id| Command::ExplainJob(*id)).collect();
        let why = self.servers[self.at].ledger.commit(&why, self.now, &mut self.rng).map(|outcome| outcome.replies);
        let nodes = self.state().nodes();
        let nodes: Vec<_> =
            nodes.map(|it| format!("{} of {} {} {:?}", it.id, it.env, it.stage.as_str(), it.then)).collect();
        Err(format!("the calm brings these to no end: {jobs:?}: {why:?}; nodes: {nodes:?}"))
    }

    fn storm_step(&mut self) -> Result<(), String> {
        self.step += 1;
        self.real = self.real.plus_ms(self.rng.random_range(0..1_500));
        self.turn_to_any();
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
            let _ = self.servers[self.at].ledger.sweep(self.now, Timestamp(i64::MIN), limit);
        }
        if self.rng.random_bool(0.03) {
            self.restart(true)?;
        }
        Ok(())
    }

    /// What is alive, as the server at work knows it.
    pub(crate) fn state(&self) -> &State {
        self.servers[self.at].ledger.state()
    }

    /// Whether no other server has committed since the one at work did.
    pub(crate) fn is_up_to_date(&mut self) -> Result<bool, String> {
        let stored = self.anchor.stamp().map_err(words)?.version;
        Ok(stored == self.servers[self.at].ledger.version())
    }

    /// Lets one of the servers be at work. Now and then somebody sets its machine's clock.
    fn turn_to_any(&mut self) {
        if self.servers.len() > 1 {
            self.at = self.rng.random_range(0..self.servers.len());
        }
        if self.rng.random_bool(0.02) {
            let ahead = [-60_000, -2_000, 0, 2_000, 60_000, 600_000];
            self.servers[self.at].ahead_ms = ahead[self.rng.random_range(0..ahead.len())];
        }
        self.now = self.servers[self.at].time(self.real);
    }

    /// Sets all clocks to the latest of them: what is to happen by any of them happens.
    fn set_clocks_right(&mut self) {
        let real = self.real;
        let read = self.servers.iter_mut().map(|server| server.time(real));
        self.real = read.fold(real, Timestamp::max).max(self.now);
        self.servers.iter_mut().for_each(|server| server.ahead_ms = 0);
        self.now = self.real;
    }

    /// Commits commands, settles the answers and lets the changes take effect.
    pub(crate) fn commit(&mut self, batch: Vec<(Command, Asked)>) -> Result<(), String> {
        let (commands, asked): (Vec<Command>, Vec<Asked>) = batch.into_iter().unzip();
        let outcome = self.servers[self.at].ledger.commit(&commands, self.now, &mut self.rng);
        if let Some(voice) = &mut self.voice {
            // Whoever listens may stop.
            let _ = writeln!(voice, "step {} at {}: {commands:?}\n    {outcome:?}", self.step, self.now.0);
        }
        match outcome {
            Ok(outcome) => self.settle(asked, &outcome)?,
            Err(_) => {
                for asked in asked {
                    self.promises.unanswered(asked)?;
                }
                self.restart(false)?;
            }
        }
        kernel::invariant::check(self.state())
    }

    fn settle(&mut self, asked: Vec<Asked>, outcome: &Outcome) -> Result<(), String> {
        if outcome.replies.len() != asked.len() {
            return Err(format!("{} commands have {} replies", asked.len(), outcome.replies.len()));
        }
        // No decision is made for a time before that of another.
        let decided = self.now.max(self.state().now());
        for (asked, reply) in asked.into_iter().zip(&outcome.replies) {
            match (&asked, reply) {
                (Asked::Reports(node, count), Ok(_)) => {
                    if let Some(machine) = self.machines.get(*node) {
                        machine.acknowledged(*count);
                    }
                }
                (Asked::Record(place), _) => {
                    let pusher = &mut self.pushers[*place];
                    pusher.recorded(reply.is_ok(), self.reader.as_mut(), self.now, &mut self.rng)?;
                }
                (Asked::Replayed(which), _) => {
                    let reader = self.reader.as_mut();
                    self.replays.recorded(*which, reply.is_ok(), reader, self.now, &mut self.rng)?;
                }
                _ => self.promises.settle(asked, reply, decided)?,
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
        let Some(row) = self.state().instance(key).cloned() else { return };
        let Stage::Held { node, .. } = row.stage else { return };
        let lost = !self.calm && self.rng.random_bool(0.02);
        let Some(machine) = self.machines.get(node) else { return };
        if lost {
            machine.stale = true;
        }
        if machine.stale || machine.silent {
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
        // One that another has overtaken, and that does not know it yet, finds more than it left.
        let before = (clean && self.is_up_to_date()?).then(|| audit::image(self.state()));
        let ahead_ms = self.servers[self.at].ahead_ms;
        self.servers[self.at] = Server::start(&self.store, &self.weather, self.sabotage, ahead_ms, self.real)?;
        self.now = self.servers[self.at].time(self.real);
        self.break_connections();
        self.pushers.iter_mut().for_each(Pusher::begin_anew);
        self.replays.begin_anew();
        let after = audit::image(self.state());
        match before {
            Some(before) if before != after => {
                let lost: Vec<_> = before.iter().filter(|row| !after.contains(row)).take(3).collect();
                let new: Vec<_> = after.iter().filter(|row| !before.contains(row)).take(3).collect();
                Err(format!("recovery lost {lost:?} and found {new:?}"))
            }
            _ => kernel::invariant::check(self.state()),
        }
    }

    /// Gives every living job a chance: nodes where there are none to be, an end to what is too large for them.
    fn make_habitable(&mut self) -> Result<(), String> {
        let state = self.state();
        // First, as long as none of them is being deleted for what follows.
        let drained = state.nodes().filter(|node| node.drained && node.stage != NodeStage::Deleting);
        let mut commands = vec![Command::DrainNodes(drained.map(|node| node.id).collect(), false)];
        let paused = state.subscriptions().filter(|row| row.stage.is_paused());
        commands.extend(paused.filter_map(|row| {
            let topic = state.topic(row.key.topic)?.name.clone();
            Some(Command::ResumeSubscription { topic, name: row.name.clone() })
        }));
        // One each: environments that keep all places leave none to nodes of tasks' own.
        for env in state.envs().filter(|env| !env.deleting && env.owner.is_none() && env.desired != 1) {
            commands.push(Command::ModifyEnv(env.id, EnvEdit { desired: Some(1), ..EnvEdit::default() }));
        }
        for job in state.jobs() {
            let ended = Phase::ALL.iter().filter(|phase| phase.is_finished());
            let ended: u64 = ended.map(|phase| job.instances.of(*phase)).sum();
            if job.instances.total() - ended > CALM_INSTANCES {
                commands.push(Command::TerminateJob(job.id));
            }
        }
        self.commit(commands.into_iter().map(|command| (command, Asked::Nothing)).collect())
    }

    fn is_done(&mut self) -> bool {
        let state = self.state();
        let ended = state.jobs().all(|job| job.phase.is_finished());
        let copied = state.subscriptions().all(|subscription| {
            state.topic(subscription.key.topic).is_none_or(|topic| topic.end() == subscription.cursor)
        });
        ended && copied && self.pushers.iter().all(Pusher::is_at_rest) && Replays::running(state).is_empty()
    }

    fn calm_round(&mut self) -> Result<(), String> {
        self.step += 1;
        let replays = self.replays.wake(self.servers[self.at].ledger.state());
        let wake = self.pushers.iter().map(Pusher::wake).fold(self.wake.min(replays), Timestamp::min);
        self.real = self.real.plus_ms(100).max(wake.min(self.now.plus_s(60)));
        self.now = self.servers[self.at].time(self.real);
        let mut told = BTreeSet::new();
        let mut batch = Vec::new();
        // What was interrupted ends when somebody terminates it; until then it may keep all places there are.
        let state = self.state();
        let stuck = state.jobs().filter(|job| {
            job.instances.of(Phase::FailedInterrupted) > 0 && job.instances.active() == 0 && !job.terminating
        });
        batch.extend(stuck.map(|job| (Command::TerminateJob(job.id), Asked::Nothing)));
        let nodes: Vec<_> = self.state().nodes().map(|node| (node.id, node.env, node.stage)).collect();
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
        for (topic, name) in COPIED {
            batch.extend(self.fan_out(topic, name)?);
        }
        for place in 0..self.pushers.len() {
            batch.extend(self.push(place)?);
        }
        for which in Replays::running(self.state()) {
            batch.extend(self.replay(which)?);
        }
        self.commit(batch)
    }

    fn audit(&mut self) -> Result<Summary, String> {
        self.restart(true)?;
        let mut events = 0;
        let mut jobs = 0;
        for (topic, queue) in TOPICS {
            let topic_no = self.state().topic_named(topic).ok_or("a topic is gone")?.no;
            let log = audit::log(self.reader.as_mut(), topic_no)?;
            let sent: BTreeMap<String, There> = log.iter().map(|row| (row.body.to_string(), There::Yes)).collect();
            audit::queue_holds(&self.texts_in(queue)?, &self.promises, &sent)?;
            if topic == "events" {
                audit::log_is_gapless(&log)?;
                jobs = audit::jobs(self.reader.as_mut(), &self.promises, &log)?;
                events = log.len();
            } else {
                self.copies_hold(topic_no, &log)?;
                let published: Vec<String> = sent.into_keys().collect();
                let nothing = Promises::default();
                audit::queue_holds(&published, &nothing, &self.texts_of(topic))?;
            }
        }
        let aside = self.texts_in(ASIDE)?;
        self.promises.aside.hold(&aside)?;
        self.promises.hold_for_keys(self.state())?;
        self.promises.templates.hold(self.state())?;
        self.replays.audit(self.state())?;
        for pusher in &self.pushers {
            let replayed = self.replays.arrived(pusher.key());
            pusher.audit(self.servers[self.at].ledger.state(), self.reader.as_mut(), &replayed)?;
        }
        audit::queue_holds(&self.texts_in("work")?, &self.promises, &self.texts_of("work"))?;
        let (acknowledged, commits) = (self.promises.acknowledged, self.servers[self.at].ledger.version());
        Ok(Summary { jobs, events, acknowledged, commits, restarts: self.restarts })
    }

    fn copies_hold(&mut self, topic: StreamNo, log: &[Arc<TopicMessage>]) -> Result<(), String> {
        let texts = self.texts_in(AGAIN)?;
        let subscription = self.state().subscriptions_of(topic).find(|row| row.name == AGAIN);
        copies::audit(log, subscription.ok_or("a subscription is gone")?, &texts)
    }

    fn texts_in(&mut self, queue: &str) -> Result<Vec<String>, String> {
        let no = self.state().queue_named(queue).ok_or("a queue is gone")?.no;
        let texts = audit::texts_in(&mut self.anchor, no)?;
        let stored = self.state().queue(no).map_or(0, |queue| queue.stored);
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
