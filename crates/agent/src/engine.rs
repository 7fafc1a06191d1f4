//! The runs of a node and the threads that drive them.
//!
//! The cast: three workers, a timekeeper that ends runs whose time is over, a sampler that looks at them, and
//! whoever owns the [`Engine`] and hands runs in and takes reports out. They meet in one state behind one lock, which
//! nobody holds while waiting for the system. After each change the one who made it wakes those for whom there is
//! something to do, as the state then shows it: so no wake-up is lost, and none is spent on those who are busy anyway.
//!
//! Workers take turns. One of them waits for a process to end; when one does, that worker itself
//! starts the next run, and another takes its place at the watch. So a freed slot costs no hand-over from thread to
//! thread, which would cost more than all the bookkeeping, and nobody is asked.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::sys::signal::killpg;
use nix::unistd::Pid;
use wire::node::{Exit, FromNode, REASON_BYTES, Report, RunId, SAMPLES_PER_FRAME, Sample, TaskOrder};

use crate::backlog::Backlog;
use crate::cgroup::{Answers, Groups, Known};
use crate::config::NodeLimits;
use crate::journal::Journal;
use crate::launch::{Launcher, RunFiles};
use crate::limits::{GATHER_QUEUED_RUNS, SAMPLE_PERIOD, STARTS_AT_ONCE, WAITING_SAMPLES, WORKERS};
use crate::runs::{Ended, Given, GroupSignal, KillOutcome, Runs};
use crate::sampler::{self, Going};
use crate::user::User;
use crate::{environment, leftovers, procfs, timekeeper, worker};

/// The runs of a node. One process can have one engine only: it waits for every child that the process has.
pub struct Engine {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What the threads share.
pub(crate) struct Shared {
    state: Mutex<State>,
    workers: Condvar,
    timekeeper: Condvar,
    sampler: Condvar,
    sample_ms: AtomicU64,
    pub(crate) launcher: Launcher,
    pub(crate) groups: Groups,
    pub(crate) journal: Mutex<Journal>,
    notify: Box<dyn Fn() + Send + Sync>,
}

/// What changes.
pub(crate) struct State {
    pub(crate) runs: Runs<RunFiles>,
    pub(crate) backlog: Backlog,
    /// Runs whose process has ended, for a worker to finish.
    pub(crate) ended: VecDeque<Exited>,
    /// Workers that are starting a run: each may have a child that is not known here yet.
    pub(crate) starting: usize,
    pub(crate) idle_workers: usize,
    pub(crate) watch: Watch,
    /// Until when the timekeeper sleeps, if it does so with an end.
    pub(crate) timekeeper_until: Option<Instant>,
    /// The sampler sleeps until a run goes on.
    sampler_sleeps: bool,
    /// Samples that wait to be sent.
    samples: VecDeque<Sample>,
    /// The owner knows that there are reports, and has not yet come for all of them.
    told: bool,
    closing: bool,
    pub(crate) quit: bool,
}

/// Who waits for processes to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Nobody; whoever is idle may.
    Free,
    /// One worker does.
    Kept,
    /// Nobody, until one of the starting runs is known: a child has ended that may be one of them.
    Suspended,
}

/// A process that has ended.
pub(crate) struct Exited {
    pub(crate) ended: Ended<RunFiles>,
    /// By itself or by a signal.
    pub(crate) exit: Exit,
    pub(crate) at: i64,
    pub(crate) run_ms: u64,
}

impl Engine {
    /// Ends what an earlier agent may have left in `home`, and starts the threads. `notify` is called, from any
    /// thread, when [`Engine::next_frame`] has something to give again, and when a closed engine gets on with its
    /// end. It must not call back.
    ///
    /// # Errors
    /// The folders or the journal cannot be made, or another agent lives in `home`.
    pub fn start(
        home: &Path,
        logs: &Path,
        slots: u32,
        limits: Option<&NodeLimits>,
        user: Option<User>,
        notify: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let killed = leftovers::kill_leftovers(home)?;
        if killed > 0 {
            tracing::warn!(killed, "killed the runs of an earlier agent");
        }
        let launcher = Launcher::open(home, logs, user)?;
        let me = procfs::process(std::process::id().try_into().expect("Linux numbers processes within i32"))?;
        let me = me.expect("this process lives");
        let groups = Groups::open(me.pid, me.started, limits, slots);
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(usize::try_from(slots).expect("slots fit"))),
            workers: Condvar::new(),
            timekeeper: Condvar::new(),
            sampler: Condvar::new(),
            sample_ms: AtomicU64::new(SAMPLE_PERIOD.as_millis().try_into().expect("it is short")),
            launcher,
            journal: Mutex::new(Journal::create(home, &me, groups.node())?),
            groups,
            notify: Box::new(notify),
        });
        let mut threads = vec![
            spawn(&shared, "timekeeper".to_owned(), timekeeper::run)?,
            spawn(&shared, "sampler".to_owned(), |shared| sampler::run(shared))?,
        ];
        for number in 0..WORKERS {
            threads.push(spawn(&shared, format!("worker-{number}"), worker::run)?);
        }
        Ok(Self { shared, threads })
    }

    /// Takes runs, to be started in this order. `tasks` has the order of each run's task. A run that is held is
    /// passed over; one that cannot be taken is reported as not started.
    pub fn give(&self, tasks: Vec<TaskOrder>, runs: &[RunId]) {
        let orders: HashMap<_, _> = tasks.into_iter().map(|order| ((order.job, order.task), Arc::new(order))).collect();
        self.shared.update(|state| {
            for run in runs {
                // When an agent connects again the server repeats orders, before it has heard what is reported of
                // them: a run that has begun, ended or been given back does not begin once more.
                if state.backlog.mentions(*run) {
                    continue;
                }
                match orders.get(&(run.job, run.task)).map(|order| state.runs.give(*run, order)) {
                    Some(Given::Queued | Given::Ignored) => {}
                    Some(Given::Full) => state.push_unstarted(*run, not_started("the node's queue is full")),
                    None => state.push_unstarted(*run, not_started("the order to start it lacked its task")),
                }
            }
        });
    }

    /// Ends runs, with the grace of their orders.
    pub fn kill(&self, runs: &[RunId]) {
        let now = Instant::now();
        self.shared.update(|state| {
            for run in runs {
                match state.runs.kill(*run, now) {
                    KillOutcome::Dropped => state.push_unstarted(*run, Exit::Killed),
                    KillOutcome::Ending(signal) => send(signal),
                    KillOutcome::Nothing => {}
                }
            }
        });
    }

    /// Gives back those runs that still wait for a slot.
    pub fn revoke(&self, runs: &[RunId]) {
        self.shared.update(|state| {
            for run in runs {
                if state.runs.revoke(*run) {
                    state.backlog.push(Report::Revoked { run: *run });
                }
            }
        });
    }

    /// A new connection is welcome, and the server believes in these runs: ends every other, reports those that are
    /// not known as lost, and offers all unacknowledged reports again.
    pub fn welcome(&self, believed: &[RunId]) {
        let believed: HashSet<RunId> = believed.iter().copied().collect();
        let now = Instant::now();
        self.shared.update(|state| {
            let reconciled = state.runs.keep(&believed, now);
            send(reconciled.signals);
            for run in reconciled.missing {
                if !state.backlog.mentions(run) {
                    state.push_unstarted(run, not_started("lost by the agent"));
                }
            }
            state.backlog.reconnect();
        });
    }

    /// The runs that are queued or have not been reported as over.
    #[must_use]
    pub fn held(&self) -> Vec<RunId> {
        self.shared.lock().runs.held()
    }

    /// The next frame of reports to be sent, if there is one and not too many are under way.
    #[must_use]
    pub fn next_frame(&self) -> Option<FromNode> {
        let mut state = self.shared.lock();
        let frame = state.backlog.next_frame();
        state.told = frame.is_some();
        frame.map(|frame| FromNode::Reports { number: frame.number, reports: frame.reports })
    }

    /// How runs are bounded and ended here, in a line for people.
    #[must_use]
    pub fn limits(&self) -> &str {
        self.shared.groups.facts()
    }

    /// Runs are to be sampled so often, as far as they have not begun yet.
    pub fn sample_every(&self, period: Duration) {
        self.shared.sample_ms.store(period.as_millis().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The next frame of samples to be sent, if there is one. It is not kept.
    #[must_use]
    pub fn next_samples(&self) -> Option<FromNode> {
        let mut state = self.shared.lock();
        let count = state.samples.len().min(SAMPLES_PER_FRAME);
        (count > 0).then(|| FromNode::Samples { samples: state.samples.drain(..count).collect() })
    }

    /// Whether reports may gather for a moment before they are sent: so many runs are queued that nobody waits for
    /// what the server does with these.
    #[must_use]
    pub fn may_gather(&self) -> bool {
        let state = self.shared.lock();
        state.runs.queued() >= GATHER_QUEUED_RUNS && state.backlog.has_next_frame()
    }

    /// The server has committed this frame and all before it.
    pub fn acknowledge(&self, number: u64) {
        self.shared.update(|state| state.backlog.acknowledge(number));
    }

    /// Ends all runs, with the grace of their orders or without, and takes none any more. The answer is the longest
    /// grace.
    pub fn close(&self, grace: bool) -> Duration {
        let now = Instant::now();
        self.shared.update(|state| {
            state.closing = true;
            let (signals, queued) = state.runs.close(grace, now);
            send(signals);
            for run in queued {
                state.push_unstarted(run, Exit::Killed);
            }
            if grace { state.runs.longest_grace() } else { Duration::ZERO }
        })
    }

    /// Whether no process of a run lives and all are reported.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.shared.lock().runs.is_idle()
    }

    /// Whether every report is acknowledged.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.shared.lock().backlog.is_empty()
    }

    /// Ends the threads. To be called when the engine is idle; if it is not, because a process cannot be killed, the
    /// thread that waits for that process is left behind.
    pub fn stop(self) {
        let idle = self.is_idle();
        self.shared.update(|state| state.quit = true);
        self.shared.workers.notify_all();
        self.shared.timekeeper.notify_all();
        self.shared.sampler.notify_all();
        if idle {
            for thread in self.threads {
                // A thread that panicked has said so.
                let _ = thread.join();
            }
        }
        self.shared.launcher.folders.sweep();
        self.shared.groups.close();
    }
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while held")
    }

    /// Changes the state, then wakes those for whom there is something to do.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        let worker = state.idle_workers > 0 && state.has_work();
        let timekeeper = state.timekeeper_is_late();
        let sampler = state.sampler_sleeps && state.runs.has_leaders();
        let owner = state.closing || (!state.told && state.backlog.has_next_frame());
        state.told |= owner;
        drop(state);
        if worker {
            self.workers.notify_one();
        }
        if timekeeper {
            self.timekeeper.notify_one();
        }
        if sampler {
            self.sampler.notify_one();
        }
        if owner {
            (self.notify)();
        }
        result
    }

    pub(crate) fn wait_for_work<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        most: Option<Duration>,
    ) -> (MutexGuard<'a, State>, bool) {
        state.idle_workers += 1;
        let (mut state, timed_out) = wait(&self.workers, state, most);
        state.idle_workers -= 1;
        (state, timed_out)
    }

    pub(crate) fn wake_worker(&self) {
        self.workers.notify_one();
    }

    /// Waits so long, and then for runs to go on. What the sampler is to look at; `None` when the threads are to end.
    pub(crate) fn wait_to_look(&self, pause: Duration) -> Option<Vec<Going>> {
        let mut state = self.lock();
        let until = Instant::now() + pause;
        while !state.quit {
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                (state, _) = wait(&self.sampler, state, Some(left));
                continue;
            }
            let going = state.runs.going();
            let going: Vec<Going> = going
                .map(|(run, _, leader, since, files)| Going { run, leader, since, files: files.clone() })
                .collect();
            if !going.is_empty() {
                return Some(going);
            }
            state.sampler_sleeps = true;
            (state, _) = wait(&self.sampler, state, None);
            state.sampler_sleeps = false;
        }
        None
    }

    /// How often a run that begins is sampled.
    pub(crate) fn sample_period(&self) -> Duration {
        Duration::from_millis(self.sample_ms.load(Ordering::Relaxed))
    }

    /// Samples to be sent. They are sent when they can be, and the oldest are dropped when there are too many.
    pub(crate) fn offer_samples(&self, samples: Vec<Sample>) {
        let mut state = self.lock();
        state.samples.extend(samples);
        let surplus = state.samples.len().saturating_sub(WAITING_SAMPLES);
        state.samples.drain(..surplus);
        drop(state);
        (self.notify)();
    }

    /// Waits until something may be overdue. False when the threads are to end.
    pub(crate) fn wait_for_deadline(&self) -> bool {
        let mut state = self.lock();
        if !state.quit {
            let until = state.runs.next_deadline();
            state.timekeeper_until = until;
            let most = until.map(|until| until.saturating_duration_since(Instant::now()));
            (state, _) = wait(&self.timekeeper, state, most);
        }
        !state.quit
    }
}

impl Answers for Shared {
    fn without_leaders(&self, pids: &mut Vec<i32>) {
        let state = self.lock();
        pids.retain(|pid| !state.runs.is_leader(*pid));
    }

    fn known(&self) -> Known {
        let instance = |run, order: &TaskOrder| environment::instance_of(run, &order.task_name);
        let state = self.lock();
        let leaders = state.runs.going().map(|(run, order, leader, ..)| (leader, instance(run, order)));
        let beginning = state.runs.beginning().map(|(run, order)| instance(run, order));
        Known { leaders: leaders.collect(), beginning: beginning.collect() }
    }
}

impl State {
    fn new(slots: usize) -> Self {
        Self {
            runs: Runs::new(slots),
            backlog: Backlog::default(),
            ended: VecDeque::new(),
            starting: 0,
            idle_workers: 0,
            watch: Watch::Free,
            timekeeper_until: None,
            sampler_sleeps: false,
            samples: VecDeque::new(),
            told: false,
            closing: false,
            quit: false,
        }
    }

    /// Whether a worker would find something to do.
    pub(crate) fn has_work(&self) -> bool {
        self.may_start() || !self.ended.is_empty() || self.needs_watch()
    }

    /// Whether a run may be started.
    pub(crate) fn may_start(&self) -> bool {
        self.starting < STARTS_AT_ONCE && self.runs.has_next() && !self.backlog.is_full()
    }

    /// Whether someone should wait for processes to end.
    pub(crate) fn needs_watch(&self) -> bool {
        self.watch == Watch::Free && self.runs.has_leaders()
    }

    /// A worker has started a run, or could not.
    pub(crate) fn start_is_over(&mut self) {
        self.starting -= 1;
        if self.watch == Watch::Suspended {
            self.watch = Watch::Free;
        }
    }

    /// The processes of a run have ended.
    pub(crate) fn end(&mut self, run: RunId, exit: Exit, at: i64, now: Instant) {
        let ended = self.runs.ended(run);
        let run_ms = now.saturating_duration_since(ended.since).as_millis();
        let run_ms = u64::try_from(run_ms).unwrap_or(u64::MAX);
        self.ended.push_back(Exited { ended, exit, at, run_ms });
    }

    /// A run that never had a process is over.
    pub(crate) fn push_unstarted(&mut self, run: RunId, exit: Exit) {
        let (stdout, stderr) = (String::new(), String::new());
        self.backlog.push(Report::Exited { run, at: unix_ms(), exit, run_ms: 0, stdout, stderr });
    }

    fn timekeeper_is_late(&self) -> bool {
        match (self.runs.next_deadline(), self.timekeeper_until) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(deadline), Some(until)) => deadline < until,
        }
    }
}

/// Sends signals to process groups. The lock round the state must be held: it keeps the groups' ids their own.
pub(crate) fn send(signals: impl IntoIterator<Item = GroupSignal>) {
    for GroupSignal { group, signal } in signals {
        match killpg(Pid::from_raw(group), signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(errno) => tracing::warn!(group, %signal, %errno, "failed to signal a run"),
        }
    }
}

/// A run that did not start, for a reason to report.
pub(crate) fn not_started(reason: &str) -> Exit {
    Exit::NotStarted { reason: cut(reason) }
}

/// A reason, cut to what a report may carry.
pub(crate) fn cut(reason: &str) -> String {
    let mut end = reason.len().min(REASON_BYTES);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason[..end].to_owned()
}

/// The time by the node's clock, in milliseconds of Unix time.
pub(crate) fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn spawn(shared: &Arc<Shared>, name: String, body: fn(&Arc<Shared>)) -> io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    thread::Builder::new().name(name).spawn(move || body(&shared))
}

fn wait<'a>(condvar: &Condvar, state: MutexGuard<'a, State>, most: Option<Duration>) -> (MutexGuard<'a, State>, bool) {
    const HELD: &str = "no panic while held";
    match most {
        Some(most) => {
            let (state, result) = condvar.wait_timeout(state, most).expect(HELD);
            (state, result.timed_out())
        }
        None => (condvar.wait(state).expect(HELD), false),
    }
}
