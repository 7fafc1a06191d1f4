//! The runs that this node holds: which wait, which go, what is to be done to them next. No IO, no clock.
//!
//! A run is *queued* until a slot is free, then *starting* in the hands of a worker, *running* while its process
//! lives, *finishing* while a worker looks after its output, and then gone. It holds a slot while it is starting or
//! running. What someone wants of a run that is just starting is kept and done as soon as it has a process.
//!
//! A run that is being ended with grace goes on until its whole group is gone: where a shell leads the group, SIGTERM
//! ends the shell at once, and it is the shell's child that uses the grace.
//!
//! The answers of these functions are signals to be sent. They must be sent before the lock round this state is
//! released: a leader that is known here has not been reaped, so its id, and its group's, is still its own.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use wire::node::{Exit, RunId, TaskOrder};

use crate::limits::{GROUP_LOOK, QUEUED_RUNS};

/// A signal for a process group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupSignal {
    /// The group, named by its leader.
    pub(crate) group: i32,
    pub(crate) signal: Signal,
}

/// The runs of this node. `F` is what the worker that started a run leaves for the one that finishes it.
#[derive(Debug)]
pub(crate) struct Runs<F> {
    slots: usize,
    /// Runs that hold a slot.
    busy: usize,
    /// Nothing is started or taken any more.
    closed: bool,
    queue: VecDeque<(RunId, Arc<TaskOrder>)>,
    active: HashMap<RunId, Active<F>>,
    /// The running among the active, by their leader's process id.
    leaders: HashMap<i32, RunId>,
    deadlines: BTreeSet<(Instant, RunId)>,
}

#[derive(Debug)]
struct Active<F> {
    order: Arc<TaskOrder>,
    phase: Phase<F>,
    ending: Option<Ending>,
    /// Nobody wants to hear of it any more.
    forgotten: bool,
}

#[derive(Debug)]
enum Phase<F> {
    Starting,
    Running(Running<F>),
    Finishing,
}

#[derive(Debug)]
struct Running<F> {
    leader: i32,
    /// The leader has been reaped, and the rest of its group has not ended yet.
    leader_gone: bool,
    since: Instant,
    /// When something is to be done: its time or its grace is over, or its group is to be looked at.
    deadline: Option<Instant>,
    grace_end: Option<Instant>,
    files: F,
}

/// That a run is being ended.
#[derive(Debug)]
struct Ending {
    cause: Cause,
    /// Without grace.
    hard: bool,
}

/// Why a run is being ended.
#[derive(Debug)]
enum Cause {
    /// Its time is over.
    TimedOut,
    /// Someone wants it ended.
    Killed,
    /// It cannot be answered for.
    Aborted(String),
}

impl Cause {
    fn exit(self) -> Exit {
        match self {
            Self::TimedOut => Exit::TimedOut,
            Self::Killed => Exit::Killed,
            Self::Aborted(reason) => Exit::NotStarted { reason },
        }
    }
}

/// What came of a run that was given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// It waits for a slot.
    Queued,
    /// It was here already, or the node is ending: nothing changes.
    Ignored,
    /// There is no room for it.
    Full,
}

/// What came of the wish to end a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KillOutcome {
    /// It was queued, and is gone.
    Dropped,
    /// It will end.
    Ending(Option<GroupSignal>),
    /// There is nothing to end.
    Nothing,
}

/// What is to be done about a run now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// Its group is to be signalled.
    Signal(GroupSignal),
    /// Its group, which has lost its leader, is to be looked at: once nothing is left of it, the run has
    /// [ended](Runs::ended).
    Look(RunId, i32),
}

/// A run whose process has just ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended<F> {
    pub(crate) run: RunId,
    pub(crate) since: Instant,
    pub(crate) files: F,
}

/// What a Welcome changes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reconciled {
    pub(crate) signals: Vec<GroupSignal>,
    /// Believed, but not held.
    pub(crate) missing: Vec<RunId>,
}

impl<F> Runs<F> {
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            slots,
            busy: 0,
            closed: false,
            queue: VecDeque::new(),
            active: HashMap::new(),
            leaders: HashMap::new(),
            deadlines: BTreeSet::new(),
        }
    }

    /// Takes a run.
    pub(crate) fn give(&mut self, run: RunId, order: &Arc<TaskOrder>) -> Given {
        if self.closed || self.active.contains_key(&run) || self.queue.iter().any(|(queued, _)| *queued == run) {
            return Given::Ignored;
        }
        if self.queue.len() >= QUEUED_RUNS {
            return Given::Full;
        }
        self.queue.push_back((run, Arc::clone(order)));
        Given::Queued
    }

    /// Whether [`Runs::next`] has something to give.
    pub(crate) fn has_next(&self) -> bool {
        !self.closed && self.busy < self.slots && !self.queue.is_empty()
    }

    /// The next run to be started; it is starting from now on.
    pub(crate) fn next(&mut self) -> Option<(RunId, Arc<TaskOrder>)> {
        if !self.has_next() {
            return None;
        }
        let (run, order) = self.queue.pop_front()?;
        self.busy += 1;
        let active = Active { order: Arc::clone(&order), phase: Phase::Starting, ending: None, forgotten: false };
        self.active.insert(run, active);
        Some((run, order))
    }

    /// A starting run has a process. `abort` says why it must not live. The answer is a signal to be sent, and
    /// whether the start is to be reported.
    pub(crate) fn started(
        &mut self,
        run: RunId,
        leader: i32,
        now: Instant,
        files: F,
        abort: Option<String>,
    ) -> (Option<GroupSignal>, bool) {
        let active = self.active.get_mut(&run).expect("a run that starts is active");
        let (deadline, grace_end) = (None, None);
        active.phase = Phase::Running(Running { leader, leader_gone: false, since: now, deadline, grace_end, files });
        self.leaders.insert(leader, run);
        if let Some(reason) = abort {
            active.ending = Some(Ending { cause: Cause::Aborted(reason), hard: true });
            return (Some(GroupSignal { group: leader, signal: Signal::SIGKILL }), false);
        }
        let report = !active.forgotten;
        if active.ending.is_some() {
            return (self.signal(run, now), report);
        }
        let timeout = active.order.timeout_ms;
        if timeout > 0 {
            self.set_deadline(run, after(now, timeout));
        }
        (None, report)
    }

    /// A starting run got no process. The answer says whether that is to be reported.
    pub(crate) fn not_started(&mut self, run: RunId) -> bool {
        self.busy -= 1;
        let active = self.active.remove(&run).expect("a run that starts is active");
        !active.forgotten
    }

    /// The running run that this process leads, and whether it is being ended with grace.
    pub(crate) fn led_by(&self, leader: i32) -> Option<(RunId, bool)> {
        let run = *self.leaders.get(&leader)?;
        let ending = &self.active.get(&run)?.ending;
        Some((run, ending.as_ref().is_some_and(|ending| !ending.hard)))
    }

    /// A run has ended; its slot is free. After this its group is not signalled any more.
    pub(crate) fn ended(&mut self, run: RunId) -> Ended<F> {
        self.set_deadline(run, None);
        let active = self.active.get_mut(&run).expect("a run that ends is active");
        let phase = std::mem::replace(&mut active.phase, Phase::Finishing);
        let Phase::Running(Running { leader, leader_gone, since, files, .. }) = phase else {
            unreachable!("a run ends once, after it has started")
        };
        if !leader_gone {
            self.leaders.remove(&leader);
        }
        self.busy -= 1;
        Ended { run, since, files }
    }

    /// The leader of a run has been reaped, but not all of its group has ended, and it has grace left.
    pub(crate) fn leader_gone(&mut self, run: RunId, now: Instant) {
        let running = self.running(run).expect("a run whose leader ended was running");
        running.leader_gone = true;
        let leader = running.leader;
        self.leaders.remove(&leader);
        self.set_deadline(run, Some(now + GROUP_LOOK));
    }

    /// A finishing run is done with. The answer is how it ended, `None` when nobody wants to hear of it. `exit` is
    /// how it would have ended had nobody ended it.
    pub(crate) fn finished(&mut self, run: RunId, exit: Exit) -> Option<Exit> {
        let active = self.active.remove(&run).expect("a run that finishes is active");
        if active.forgotten {
            return None;
        }
        Some(active.ending.map_or(exit, |ending| ending.cause.exit()))
    }

    /// Someone wants a run ended.
    pub(crate) fn kill(&mut self, run: RunId, now: Instant) -> KillOutcome {
        if self.drop_queued(run) {
            return KillOutcome::Dropped;
        }
        self.end(run, false, now)
    }

    /// Someone wants a run back. Whether it was still queued.
    pub(crate) fn revoke(&mut self, run: RunId) -> bool {
        self.drop_queued(run)
    }

    /// Ends what is overdue: a run whose time is over gets SIGTERM, one whose grace is over SIGKILL.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<Overdue> {
        let mut due = Vec::new();
        while let Some(&(deadline, run)) = self.deadlines.first()
            && deadline <= now
        {
            self.set_deadline(run, None);
            let active = self.active.get_mut(&run).expect("a run with a deadline is active");
            let Phase::Running(running) = &active.phase else { unreachable!("a run with a deadline is running") };
            let (leader, leader_gone) = (running.leader, running.leader_gone);
            let grace_is_over = running.grace_end.is_some_and(|end| end <= now);
            match &mut active.ending {
                None => active.ending = Some(Ending { cause: Cause::TimedOut, hard: false }),
                Some(ending) if grace_is_over => ending.hard = true,
                Some(_) => {}
            }
            if !leader_gone || grace_is_over {
                due.extend(self.signal(run, now).map(Overdue::Signal));
            }
            if leader_gone {
                self.set_deadline(run, Some(now + GROUP_LOOK));
                due.push(Overdue::Look(run, leader));
            }
        }
        due
    }

    /// When [`Runs::overdue`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Keeps only the believed runs; the others are ended at once and forgotten.
    pub(crate) fn keep(&mut self, believed: &HashSet<RunId>, now: Instant) -> Reconciled {
        self.queue.retain(|(run, _)| believed.contains(run));
        let disbelieved: Vec<RunId> = self.active.keys().filter(|run| !believed.contains(run)).copied().collect();
        let mut signals = Vec::new();
        for run in disbelieved {
            if let KillOutcome::Ending(signal) = self.end(run, true, now) {
                signals.extend(signal);
            }
            self.active.get_mut(&run).expect("it was just listed").forgotten = true;
        }
        let held: HashSet<RunId> = self.held().into_iter().collect();
        let mut missing: Vec<RunId> = believed.iter().filter(|run| !held.contains(run)).copied().collect();
        missing.sort_unstable();
        Reconciled { signals, missing }
    }

    /// Ends everything and takes nothing any more. The answer also names the runs that were only queued.
    pub(crate) fn close(&mut self, grace: bool, now: Instant) -> (Vec<GroupSignal>, Vec<RunId>) {
        self.closed = true;
        let queued = self.queue.drain(..).map(|(run, _)| run).collect();
        let active: Vec<RunId> = self.active.keys().copied().collect();
        let mut signals = Vec::new();
        for run in active {
            if let KillOutcome::Ending(signal) = self.end(run, !grace, now) {
                signals.extend(signal);
            }
        }
        (signals, queued)
    }

    /// The longest grace of a run that has or gets a process.
    pub(crate) fn longest_grace(&self) -> Duration {
        Duration::from_millis(self.active.values().map(|active| active.order.grace_ms).max().unwrap_or(0))
    }

    /// How many runs wait for a slot.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Everything that is queued or active, but for what is forgotten.
    pub(crate) fn held(&self) -> Vec<RunId> {
        let active = self.active.iter().filter(|(_, active)| !active.forgotten).map(|(run, _)| *run);
        let mut held: Vec<RunId> = self.queue.iter().map(|(run, _)| *run).chain(active).collect();
        held.sort_unstable();
        held
    }

    /// The runs whose processes go on, each with its leader, when it began, and what its worker left.
    pub(crate) fn going(&self) -> impl Iterator<Item = (RunId, &TaskOrder, i32, Instant, &F)> {
        self.active.iter().filter_map(|(run, active)| match &active.phase {
            Phase::Running(running) => Some((*run, &*active.order, running.leader, running.since, &running.files)),
            Phase::Starting | Phase::Finishing => None,
        })
    }

    /// Whether a process leads a run that goes on.
    pub(crate) fn is_leader(&self, pid: i32) -> bool {
        self.leaders.contains_key(&pid)
    }

    /// The runs that are just beginning.
    pub(crate) fn beginning(&self) -> impl Iterator<Item = (RunId, &TaskOrder)> {
        let beginning = self.active.iter().filter(|(_, active)| matches!(active.phase, Phase::Starting));
        beginning.map(|(run, active)| (*run, &*active.order))
    }

    /// Whether some process lives that may end.
    pub(crate) fn has_leaders(&self) -> bool {
        !self.leaders.is_empty()
    }

    /// Whether no run is active.
    pub(crate) fn is_idle(&self) -> bool {
        self.active.is_empty()
    }

    fn drop_queued(&mut self, run: RunId) -> bool {
        let position = self.queue.iter().position(|(queued, _)| *queued == run);
        position.and_then(|position| self.queue.remove(position)).is_some()
    }

    /// Ends an active run. Who was first names the cause; haste may only grow.
    fn end(&mut self, run: RunId, hard: bool, now: Instant) -> KillOutcome {
        let Some(active) = self.active.get_mut(&run) else { return KillOutcome::Nothing };
        if matches!(active.phase, Phase::Finishing) {
            return KillOutcome::Nothing;
        }
        match &mut active.ending {
            None => active.ending = Some(Ending { cause: Cause::Killed, hard }),
            Some(ending) if hard && !ending.hard => ending.hard = true,
            Some(_) => return KillOutcome::Ending(None),
        }
        KillOutcome::Ending(self.signal(run, now))
    }

    /// The signal that the run's ending asks for; what follows it is set up. None while it has no process.
    fn signal(&mut self, run: RunId, now: Instant) -> Option<GroupSignal> {
        let active = self.active.get_mut(&run)?;
        let Phase::Running(running) = &mut active.phase else { return None };
        let group = running.leader;
        if active.ending.as_ref()?.hard {
            running.grace_end = None;
            let deadline = running.leader_gone.then_some(now);
            self.set_deadline(run, deadline);
            return Some(GroupSignal { group, signal: Signal::SIGKILL });
        }
        let grace_end = after(now, active.order.grace_ms);
        running.grace_end = grace_end;
        self.set_deadline(run, grace_end);
        Some(GroupSignal { group, signal: Signal::SIGTERM })
    }

    fn running(&mut self, run: RunId) -> Option<&mut Running<F>> {
        match &mut self.active.get_mut(&run)?.phase {
            Phase::Running(running) => Some(running),
            Phase::Starting | Phase::Finishing => None,
        }
    }

    fn set_deadline(&mut self, run: RunId, new: Option<Instant>) {
        let Some(running) = self.running(run) else { return };
        let old = std::mem::replace(&mut running.deadline, new);
        if let Some(old) = old {
            self.deadlines.remove(&(old, run));
        }
        if let Some(new) = new {
            self.deadlines.insert((new, run));
        }
    }
}

/// So many milliseconds later; `None` when that is beyond what a clock can tell.
fn after(now: Instant, ms: u64) -> Option<Instant> {
    now.checked_add(Duration::from_millis(ms))
}

#[cfg(test)]
#[path = "runs_tests.rs"]
mod tests;
