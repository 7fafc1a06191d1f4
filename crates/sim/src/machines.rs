//! Nodes that do what they are told, more or less: they start what waits when a slot is free, end it one way or
//! another, repeat their reports until they are acknowledged, lose orders, and die.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kernel::change::RunEnd;
use kernel::command::{ExitHow, Report, RunExit};
use kernel::id::NodeId;
use kernel::instance::{Asked, InstanceKey, RunId, Stage};
use kernel::state::State;
use kernel::time::Timestamp;
use rand::{Rng, RngExt};

/// A node's process, while it lives.
#[derive(Default)]
pub(crate) struct Machine {
    slots: usize,
    waiting: VecDeque<RunId>,
    running: BTreeSet<RunId>,
    killed: BTreeSet<RunId>,
    /// What began here, ever: its journal.
    begun: BTreeSet<RunId>,
    /// Reports that have not been acknowledged.
    reports: Vec<Report>,
    /// Whether its connection broke, so that it must hear what is believed of it.
    pub(crate) stale: bool,
    /// Whether nothing is heard of it, and it hears nothing.
    pub(crate) silent: bool,
}

/// All of them, and the processes that live on them.
#[derive(Default)]
pub(crate) struct Machines {
    alive: BTreeMap<NodeId, Machine>,
    /// Journals of those that died.
    dead: BTreeMap<NodeId, BTreeSet<RunId>>,
    processes: BTreeMap<InstanceKey, NodeId>,
}

impl Machines {
    pub(crate) fn is_alive(&self, node: NodeId) -> bool {
        self.alive.contains_key(&node)
    }

    pub(crate) fn all(&self) -> Vec<NodeId> {
        self.alive.keys().copied().collect()
    }

    pub(crate) fn start(&mut self, node: NodeId, slots: u32) {
        let slots = usize::try_from(slots).expect("few");
        self.alive.entry(node).or_insert_with(|| Machine { slots, stale: true, ..Machine::default() });
    }

    pub(crate) fn get(&mut self, node: NodeId) -> Option<&mut Machine> {
        self.alive.get_mut(&node)
    }

    /// Ends a machine with all its processes; its journal tells what had begun.
    pub(crate) fn kill(&mut self, node: NodeId) -> Vec<RunId> {
        if let Some(machine) = self.alive.remove(&node) {
            self.processes.retain(|_, on| *on != node);
            self.dead.entry(node).or_default().extend(machine.begun);
        }
        self.dead.get(&node).into_iter().flatten().copied().collect()
    }

    /// Tells a machine what is believed of it, as at each new connection.
    pub(crate) fn welcome(&mut self, state: &State, node: NodeId) {
        let Some(machine) = self.alive.get_mut(&node) else { return };
        machine.stale = false;
        let held = state.node(node).map(|row| row.held.clone()).unwrap_or_default();
        let rows: Vec<_> = held.iter().filter_map(|key| state.instance(*key)).collect();
        let believed: BTreeSet<RunId> = rows.iter().map(|row| row.run()).collect();
        machine.waiting.retain(|run| believed.contains(run));
        for run in machine.running.iter().filter(|run| !believed.contains(run)) {
            self.processes.remove(&run.instance());
        }
        machine.running.retain(|run| believed.contains(run));
        for row in rows {
            let run = row.run();
            if !machine.holds(run) && !machine.has_reported(run) {
                machine.end(run, ExitHow::NotStarted("lost by the agent".into()), state.now());
            }
            if let Stage::Held { asked, .. } = row.stage {
                machine.asked(run, asked);
            }
        }
    }

    /// One thing that a machine does by itself; what is wrong with it, if another process of the instance lives.
    pub(crate) fn act(&mut self, node: NodeId, calm: bool, now: Timestamp, rng: &mut dyn Rng) -> Result<(), String> {
        let Some(machine) = self.alive.get_mut(&node) else { return Ok(()) };
        if let Some(run) = machine.killed.pop_first() {
            if machine.running.remove(&run) {
                self.processes.remove(&run.instance());
            }
            machine.waiting.retain(|other| *other != run);
            machine.end(run, ExitHow::Killed, now);
            return Ok(());
        }
        let free = machine.running.len() < machine.slots;
        if let Some(run) = (free && rng.random_bool(0.6)).then(|| machine.waiting.pop_front()).flatten() {
            if !calm && rng.random_bool(0.03) {
                machine.end(run, ExitHow::NotStarted("no such folder".into()), now);
                return Ok(());
            }
            machine.running.insert(run);
            machine.begun.insert(run);
            machine.reports.push(Report::Started(run));
            return match self.processes.insert(run.instance(), node) {
                None => Ok(()),
                Some(other) => Err(format!("{run:?} starts on {node} while a process of it lives on {other}")),
            };
        }
        let running: Vec<RunId> = machine.running.iter().copied().collect();
        // In the storm, runs are long enough to be going on when something befalls their node.
        if !running.is_empty() && (calm || rng.random_bool(0.4)) {
            let run = running[rng.random_range(0..running.len())];
            machine.running.remove(&run);
            self.processes.remove(&run.instance());
            machine.end(run, drawn_exit(calm, rng), now);
        }
        Ok(())
    }
}

fn drawn_exit(calm: bool, rng: &mut dyn Rng) -> ExitHow {
    match rng.random_range(0..20) {
        0 if !calm => ExitHow::Signal(9),
        1 if !calm => ExitHow::TimedOut,
        2..=4 => ExitHow::Code(1),
        _ => ExitHow::Code(0),
    }
}

impl Machine {
    /// Its connection is there again: what was ordered meanwhile has not reached it.
    pub(crate) fn hear_again(&mut self) {
        self.stale |= self.silent;
        self.silent = false;
    }

    /// Takes an order.
    pub(crate) fn order(&mut self, run: RunId) {
        if !self.holds(run) && !self.has_reported(run) {
            self.waiting.push_back(run);
        }
    }

    pub(crate) fn asked(&mut self, run: RunId, asked: Asked) {
        match asked {
            Asked::Run => {}
            Asked::Return if self.waiting.contains(&run) => {
                self.waiting.retain(|other| *other != run);
                self.reports.push(Report::Returned(run));
            }
            Asked::Return => {}
            Asked::Kill if self.holds(run) => {
                self.killed.insert(run);
            }
            Asked::Kill => {}
        }
    }

    pub(crate) fn reports(&self) -> Vec<Report> {
        self.reports.clone()
    }

    /// The first so many reports were acknowledged.
    pub(crate) fn acknowledged(&mut self, count: usize) {
        self.reports.drain(..count.min(self.reports.len()));
    }

    fn holds(&self, run: RunId) -> bool {
        self.waiting.contains(&run) || self.running.contains(&run)
    }

    fn has_reported(&self, run: RunId) -> bool {
        self.reports.iter().any(|report| match report {
            Report::Started(other) | Report::Returned(other) | Report::Exited(other, _) => *other == run,
        })
    }

    fn end(&mut self, run: RunId, how: ExitHow, at: Timestamp) {
        let stdout = if run.index.is_multiple_of(2) { format!("{run:?}") } else { String::new() };
        let end = RunEnd { at, stdout: stdout.as_bytes().into(), ..RunEnd::default() };
        self.killed.remove(&run);
        self.reports.push(Report::Exited(run, RunExit { how, run_ms: u64::from(run.index % 3) * 40, end }));
    }
}
