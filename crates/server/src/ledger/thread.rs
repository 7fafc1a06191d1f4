//! The ledger's thread: takes a batch, commits it, then answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kernel::change::Change;
use kernel::command::{Command, Reply};
use kernel::limits::EXPIRE_ROWS;
use kernel::state::State;
use kernel::time::Timestamp;
use kernel::topic::TopicMessage;
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use store::ledger::{Ledger, LedgerError, Outcome};
use store::{CommitError, Swept};
use tokio::sync::oneshot::Sender;

use super::SubmitError;
use super::lanes::{Lanes, Work};
use crate::chain::Chain;
use crate::clock::{self, now};
use crate::pulse::Pulse;

/// The thread looks at the clock at least so often, since the clock may be set.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// Exit status of a process that has to recover: "internal software error" of sysexits.
pub(crate) const EXIT_RECOVER: i32 = 70;

/// What is told after each commit, before anyone is answered.
pub(crate) struct Committed<'a> {
    /// What happened; all of it is on the disk.
    pub(crate) changes: &'a [Change],
    /// The messages that were added to topics.
    pub(crate) messages: &'a [Arc<TopicMessage>],
    /// The state now.
    pub(crate) state: &'a State,
    /// Whether others have changed the state as well, so that `changes` are not all.
    pub(crate) reloaded: bool,
}

/// Starts the thread, which ends once the lanes have stopped and all that waited is committed. `after` is called
/// after each commit that changed something, on the ledger's thread. When the thread panics the process ends: nobody
/// else could answer what waits.
pub(crate) fn spawn(
    ledger: Ledger,
    lanes: Arc<Lanes>,
    pulse: Arc<Pulse>,
    after: impl FnMut(Committed<'_>) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let rng = StdRng::try_from_rng(&mut SysRng).map_err(std::io::Error::other)?;
    clock::go_on_from(ledger.state().now());
    let worker = Worker { ledger, rng, pulse, after };
    let body = move || {
        if catch_unwind(AssertUnwindSafe(|| worker.run(&lanes))).is_err() {
            die(&std::io::Error::other("its thread panicked"));
        }
    };
    std::thread::Builder::new().name("ledger".into()).spawn(body)
}

struct Worker<A> {
    ledger: Ledger,
    rng: StdRng,
    pulse: Arc<Pulse>,
    after: A,
}

/// The batch, sorted by what is to be done with it.
#[derive(Default)]
struct Batch {
    commands: Vec<Command>,
    answers: Vec<Sender<Result<Reply, SubmitError>>>,
    sweeps: Vec<(Timestamp, Sender<Result<Swept, SubmitError>>)>,
}

impl<A: FnMut(Committed<'_>)> Worker<A> {
    fn run(mut self, lanes: &Lanes) {
        let mut wake = Instant::now();
        while let Some(work) = lanes.next(wake) {
            self.pulse.begin();
            wake = self.turn(sort(work));
            self.pulse.committed(self.ledger.version());
            self.pulse.end();
        }
    }

    /// Commits a batch and answers; says when to look again.
    fn turn(&mut self, batch: Batch) -> Instant {
        let outcome = self.commit(&batch.commands);
        for (answer, reply) in batch.answers.into_iter().zip(outcome.replies) {
            // Who has stopped waiting needs no answer.
            let _ = answer.send(reply.map_err(|error| self.explain(error)));
        }
        let mut wake = outcome.wake;
        for (jobs, answer) in batch.sweeps {
            let (swept, later) = self.sweep(jobs);
            wake = wake.min(later);
            let _ = answer.send(swept);
        }
        until(wake)
    }

    /// Commits commands and tells whom that concerns.
    fn commit(&mut self, commands: &[Command]) -> Outcome {
        let outcome = match self.ledger.commit(commands, now(), &mut self.rng) {
            Ok(outcome) => outcome,
            Err(fatal) => die(&fatal),
        };
        if let Some(trouble) = &outcome.trouble {
            tracing::error!(error = %Chain(trouble), "failed to commit what follows of itself");
            self.pulse.trouble();
        } else if !outcome.changes.is_empty() {
            self.pulse.well();
        }
        if outcome.reloaded || !outcome.changes.is_empty() {
            (self.after)(Committed {
                changes: &outcome.changes,
                messages: &outcome.messages,
                state: self.ledger.state(),
                reloaded: outcome.reloaded,
            });
        }
        outcome
    }

    /// Removes a chunk of rows whose time is over. Says also when to look again at what follows of itself.
    fn sweep(&mut self, jobs: Timestamp) -> (Result<Swept, SubmitError>, Timestamp) {
        let mut swept = match self.ledger.sweep(now(), jobs, EXPIRE_ROWS) {
            Ok(swept) => swept,
            Err(error @ CommitError::SyncFailed { .. }) => die(&error),
            Err(error) => return (Err(failed_to("remove old rows", &error)), Timestamp::NEVER),
        };
        // Messages of queues are counted, so that they go by commands.
        let commands = match self.ledger.due_in_queues(now(), EXPIRE_ROWS) {
            Ok(commands) if commands.is_empty() => return (Ok(swept), Timestamp::NEVER),
            Ok(commands) => commands,
            Err(error) => return (Err(failed_to("look for what is due in queues", &error)), Timestamp::NEVER),
        };
        let outcome = self.commit(&commands);
        // What could not be done now, since somebody holds a message or a queue is full, is not tried again at once.
        swept.more |= !outcome.changes.is_empty();
        let failed = outcome.replies.iter().find_map(|reply| reply.as_ref().err());
        let swept = failed.map_or(Ok(swept), |error| Err(failed_to("carry out what is due in queues", error)));
        (swept, outcome.wake)
    }

    fn explain(&self, error: LedgerError) -> SubmitError {
        match error {
            LedgerError::Refused(refusal) => SubmitError::Refused(refusal),
            // One command is to blame, the others go through.
            LedgerError::Internal(_) => failed_to("commit a command", &error),
            LedgerError::Unavailable(_) | LedgerError::Unknown => {
                self.pulse.trouble();
                failed_to("commit a command", &error)
            }
        }
    }
}

fn sort(work: Vec<Work>) -> Batch {
    let mut batch = Batch::default();
    for work in work {
        match work {
            Work::Command(command, answer) => {
                batch.commands.push(command);
                batch.answers.push(answer);
            }
            Work::Sweep(jobs, answer) => batch.sweeps.push((jobs, answer)),
        }
    }
    batch
}

/// The moment of the monotonic clock at which the system's clock shows `wake`.
fn until(wake: Timestamp) -> Instant {
    Instant::now() + Duration::from_millis(wake.since_ms(now())).min(LONGEST_REST)
}

fn failed_to(what: &str, error: &dyn std::error::Error) -> SubmitError {
    tracing::error!(error = %Chain(error), "failed to {what}");
    SubmitError::Internal
}

/// Ends the process: memory may not be what is on the disk. The next start recovers.
fn die(error: &dyn std::error::Error) -> ! {
    tracing::error!(error = %Chain(error), "the ledger cannot go on; the process ends and recovers at its next start");
    std::process::exit(EXIT_RECOVER)
}
