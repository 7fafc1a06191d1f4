//! The ledger's core: commands in, one commit, replies and committed changes out. No thread, no clock, no IO but
//! through its store.
//!
//! The story of a batch. The commands are decided one after the other on an overlay of the state, each seeing what
//! the ones before it did; what they need and the state does not hold is loaded into the overlay first. What follows
//! of itself (placement, sweeps, ends of pauses) is decided into the same batch. Then everything is written in one
//! commit; only after it the overlay becomes the state and the replies count.
//!
//! When the commit fails, what follows depends on why: somebody else's commit means to reload and decide again; a
//! refused row means to replay the commands one at a time, so that only the guilty one fails; an unknown outcome is
//! settled by reading the version; a disk that did not confirm ends the process ([`Fatal`]).

mod messages;
mod queues;
mod work;

use std::sync::Arc;

use kernel::audit::Audited;
use kernel::change::Change;
use kernel::command::{Command, Refusal, Reply};
use kernel::decide::Settings;
use kernel::event::Event;
use kernel::loops::expire;
use kernel::state::State;
use kernel::time::Timestamp;
use kernel::topic::{StreamNo, TopicMessage};
use rand::{Rng, RngExt};

use crate::error::{CommitError, StoreError};
use crate::writer::{Cutoffs, Stamp, Store, Swept};
use work::Work;

/// How often a batch is decided anew because of conflicts or commits without effect, before its commands fail.
const TRIES: usize = 8;
/// How often an unreadable version is read again after a commit of unknown outcome.
const VERSION_TRIES: usize = 3;
/// Topics, and queues, that one look at what is over its time takes in.
const STREAMS_AT_ONCE: usize = 256;
/// How long the ledger rests, in milliseconds, before it tries refused follow-ups again.
const TROUBLE_PAUSE_MS: u64 = 1_000;

/// Makes the text of an event's message.
pub type Render = Box<dyn Fn(Untold<'_>) -> String + Send>;

/// What has happened and is not text yet.
#[derive(Debug, Clone, Copy)]
pub enum Untold<'a> {
    /// An event of a job, environment or subscription.
    Event(&'a Event),
    /// An entry of the audit trail, and its place in its topic.
    Audited(&'a Audited, u64),
}

/// The state, and the store it is written to.
pub struct Ledger {
    store: Box<dyn Store>,
    settings: Settings,
    render: Render,
    state: State,
    version: u64,
    /// Who this ledger is to others on the store; drawn with the first commit.
    writer: Option<u64>,
    next_stream: u32,
    round: Round,
    /// When this ledger first looked for what is over its time.
    since: Option<Timestamp>,
}

/// What a batch led to.
#[derive(Debug)]
pub struct Outcome {
    /// The answer to each command, in order.
    pub replies: Vec<Result<Reply, LedgerError>>,
    /// What happened, in order, all of it committed: those who act on changes act on these.
    pub changes: Vec<Change>,
    /// The messages that were added to topics, in order: those who forward them need not read them again.
    pub messages: Vec<Arc<TopicMessage>>,
    /// When to call [`Ledger::commit`] again at the latest, with or without commands.
    pub wake: Timestamp,
    /// Whether the state was loaded anew: changes that others committed are not among `changes`.
    pub reloaded: bool,
    /// Why what follows of itself could not be committed; it is tried again at `wake`.
    pub trouble: Option<LedgerError>,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The kernel refused it: the user is told why.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database refused what it led to; other commands are not concerned. A fault of Herald, or an id that was
    /// drawn twice.
    #[error("the database refused what the command led to")]
    Internal(#[source] Arc<StoreError>),
    /// The database could not be read or written. Nothing was stored.
    #[error("the database could not be read or written")]
    Unavailable(#[source] Arc<StoreError>),
    /// The commit failed, somebody else has committed since, and nobody can tell whether it took effect.
    #[error("the outcome of the commit is unknown")]
    Unknown,
}

/// After this the process must exit, and recover at its next start: what is in memory may not be what is on the disk.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The disk did not confirm a commit.
    #[error("the disk did not confirm a commit")]
    SyncFailed(#[source] StoreError),
    /// The state could not be loaded again after somebody else's commit.
    #[error("the state could not be reloaded")]
    Reload(#[source] StoreError),
    /// The version could not be read after a commit of unknown outcome.
    #[error("the outcome of a commit could not be found out")]
    Outcome(#[source] StoreError),
}

/// What one attempt at a batch came to.
enum Tried {
    Done(Outcome),
    /// Nothing was written; the state has been brought up to date.
    Again {
        reloaded: bool,
        source: Option<StoreError>,
    },
    /// It may have been written, and others have written since; the state has been loaded anew.
    Lost,
    Refused(StoreError),
    Unavailable(StoreError),
}

impl Ledger {
    /// Loads the state from `store`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(store: Box<dyn Store>, settings: Settings, render: Render) -> Result<Self, StoreError> {
        let state = State::default();
        let round = Round::default();
        let mut ledger =
            Self { store, settings, render, state, version: 0, writer: None, next_stream: 0, round, since: None };
        ledger.reload()?;
        Ok(ledger)
    }

    /// Decides the commands, in order, with all that follows, and commits what came of it once. Commits nothing when
    /// nothing changed.
    ///
    /// # Errors
    /// [`Fatal`]: no reply may be sent, and the process must exit.
    pub fn commit(&mut self, commands: &[Command], now: Timestamp, rng: &mut dyn Rng) -> Result<Outcome, Fatal> {
        let mut reloaded = false;
        let outcome = match self.settle(commands, true, now, rng, &mut reloaded)? {
            Settled::Done(outcome) => outcome,
            Settled::Refused(_) => self.one_by_one(commands, now, rng, &mut reloaded)?,
            Settled::Failed(error) => Outcome {
                replies: commands.iter().map(|_| Err(error.clone())).collect(),
                changes: Vec::new(),
                messages: Vec::new(),
                wake: now.plus_ms(TROUBLE_PAUSE_MS),
                reloaded: false,
                trouble: Some(error),
            },
        };
        Ok(Outcome { reloaded, ..outcome })
    }

    /// Removes rows whose owner is gone or whose time is over, at most `limit`. `jobs`: finished jobs that ended then
    /// or before go too. Looks at a part of the topics, at others the next time.
    ///
    /// # Errors
    /// As [`Store::sweep`].
    pub fn sweep(&mut self, now: Timestamp, jobs: Timestamp, limit: usize) -> Result<Swept, CommitError> {
        let cutoffs = self.cutoffs(now);
        let topics = self.round.take(cutoffs.topics, |cutoff| cutoff.topic, Turn::Topics);
        let expire::Cutoffs { attempts, many, activities, .. } = cutoffs;
        self.store.sweep(&Cutoffs { jobs, attempts, many, activities, topics }, limit)
    }

    /// Commands that carry out what time makes due in queues: messages over their retention go, dead letters move,
    /// what is kept too long goes, queues go on being set back. At most about `limit` messages. Looks at a part of the
    /// queues, at others the next time.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn due_in_queues(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Command>, StoreError> {
        let now = now.max(self.state.now());
        let all = self.state.queues().cloned().collect();
        let queues = self.round.take(all, |queue| queue.no, Turn::Queues);
        let (commands, looked) = queues::due(self.store.as_mut(), &queues, now, limit)?;
        // One queue's many messages are no reason to pass over those behind it.
        self.round.seen[Turn::Queues as usize] = looked.map_or(StreamNo(0), |queue| queue.no);
        Ok(commands)
    }

    fn cutoffs(&mut self, now: Timestamp) -> expire::Cutoffs {
        let now = now.max(self.state.now());
        let since = *self.since.get_or_insert(now);
        expire::cutoffs(&self.state, &self.settings, now, since)
    }

    /// The state after the last commit.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// How many batches have been committed.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    fn reload(&mut self) -> Result<(), StoreError> {
        let loaded = self.store.load()?;
        let mut state = State::default();
        // Before the rows: whether a pause is over depends on the time.
        state.see_time(loaded.now);
        for row in loaded.rows {
            state.load(row);
        }
        if let Some(last) = loaded.next_stream.checked_sub(1) {
            state.see_stream(StreamNo(last));
        }
        (self.state, self.version, self.next_stream) = (state, loaded.version, loaded.next_stream);
        Ok(())
    }

    /// Tries a batch until it is decided what became of it.
    fn settle(
        &mut self,
        commands: &[Command],
        follow: bool,
        now: Timestamp,
        rng: &mut dyn Rng,
        reloaded: &mut bool,
    ) -> Result<Settled, Fatal> {
        let mut last = None;
        for _ in 0..TRIES {
            match self.attempt(commands, follow, now, rng)? {
                Tried::Done(outcome) => return Ok(Settled::Done(outcome)),
                Tried::Again { reloaded: anew, source } => {
                    *reloaded |= anew;
                    last = source.or(last);
                }
                Tried::Lost => {
                    *reloaded = true;
                    return Ok(Settled::Failed(LedgerError::Unknown));
                }
                Tried::Refused(source) => return Ok(Settled::Refused(source)),
                Tried::Unavailable(source) => return Ok(Settled::Failed(LedgerError::Unavailable(Arc::new(source)))),
            }
        }
        let source = last.unwrap_or_else(|| StoreError::new("commit: others were always first", "conflict"));
        Ok(Settled::Failed(LedgerError::Unavailable(Arc::new(source))))
    }

    /// Replays a refused batch one command at a time, so that the guilty one fails alone; what follows comes last.
    fn one_by_one(
        &mut self,
        commands: &[Command],
        now: Timestamp,
        rng: &mut dyn Rng,
        reloaded: &mut bool,
    ) -> Result<Outcome, Fatal> {
        let mut whole = Outcome::of(Vec::new(), Vec::new(), Vec::new(), now);
        for command in commands {
            match self.settle(std::slice::from_ref(command), false, now, rng, reloaded)? {
                Settled::Done(outcome) => {
                    whole.replies.extend(outcome.replies);
                    whole.changes.extend(outcome.changes);
                    whole.messages.extend(outcome.messages);
                }
                Settled::Refused(source) => whole.replies.push(Err(LedgerError::Internal(Arc::new(source)))),
                Settled::Failed(error) => whole.replies.push(Err(error)),
            }
        }
        let error = match self.settle(&[], true, now, rng, reloaded)? {
            Settled::Done(outcome) => {
                whole.changes.extend(outcome.changes);
                whole.messages.extend(outcome.messages);
                whole.wake = outcome.wake;
                return Ok(whole);
            }
            Settled::Refused(source) => LedgerError::Internal(Arc::new(source)),
            Settled::Failed(error) => error,
        };
        Ok(Outcome { wake: now.plus_ms(TROUBLE_PAUSE_MS), trouble: Some(error), ..whole })
    }

    fn attempt(
        &mut self,
        commands: &[Command],
        follow: bool,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<Tried, Fatal> {
        let mut work = Work::new(&self.state, &self.settings, now, self.next_stream);
        for command in commands {
            if let Err(source) = work.carry_out(command, self.store.as_mut(), rng) {
                return Ok(Tried::Unavailable(source));
            }
        }
        let wake = match follow.then(|| work.follow_up(self.store.as_mut(), rng)) {
            None => now,
            Some(Ok(wake)) => wake,
            Some(Err(source)) => return Ok(Tried::Unavailable(source)),
        };
        let writer = *self.writer.get_or_insert_with(|| rng.random::<u64>() >> 1);
        let done = work.finish(Stamp { version: self.version, writer }, &self.render);
        if done.batch.is_empty() {
            // No commit shows whether others have committed since: then the answers, and what was loaded for them, would
            // be of no one moment.
            match self.store.stamp() {
                Err(source) => return Ok(Tried::Unavailable(source)),
                Ok(last) if last.version != self.version => {
                    self.reload().map_err(Fatal::Reload)?;
                    return Ok(Tried::Again { reloaded: true, source: None });
                }
                Ok(_) => self.state = done.state,
            }
            return Ok(Tried::Done(Outcome::of(done.replies, done.changes, Vec::new(), wake)));
        }
        let committed = self.store.commit(&done.batch);
        let source = match committed {
            Ok(()) => None,
            Err(CommitError::Conflict { .. }) => {
                self.reload().map_err(Fatal::Reload)?;
                return Ok(Tried::Again { reloaded: true, source: None });
            }
            Err(CommitError::Refused { source }) => return Ok(Tried::Refused(source)),
            Err(CommitError::Unavailable { source }) => return Ok(Tried::Unavailable(source)),
            Err(CommitError::SyncFailed { source }) => return Err(Fatal::SyncFailed(source)),
            Err(CommitError::Unknown { source }) => Some(source),
        };
        if let Some(source) = source {
            let found = self.last_commit()?;
            if found.version == self.version {
                return Ok(Tried::Again { reloaded: false, source: Some(source) });
            }
            let next = found.version == self.version + 1;
            if !(next && found.writer == writer) {
                self.reload().map_err(Fatal::Reload)?;
                // The one commit since is another's, so this was not made; of several, one may have been it.
                return Ok(if next { Tried::Again { reloaded: true, source: Some(source) } } else { Tried::Lost });
            }
        }
        self.state = done.state;
        self.version += 1;
        self.next_stream = done.batch.next_stream;
        Ok(Tried::Done(Outcome::of(done.replies, done.changes, done.batch.messages, wake)))
    }

    fn last_commit(&mut self) -> Result<Stamp, Fatal> {
        let mut tries = 1;
        loop {
            match self.store.stamp() {
                Ok(stamp) => return Ok(stamp),
                Err(source) if tries == VERSION_TRIES => return Err(Fatal::Outcome(source)),
                Err(_) => tries += 1,
            }
        }
    }
}

/// Up to which stream the last look at what is over its time went, so that each look is short and all have their turn.
#[derive(Default)]
struct Round {
    seen: [StreamNo; 2],
}

#[derive(Clone, Copy)]
enum Turn {
    Topics,
    Queues,
}

impl Round {
    fn take<T>(&mut self, mut all: Vec<T>, number: impl Fn(&T) -> StreamNo, turn: Turn) -> Vec<T> {
        let seen = &mut self.seen[turn as usize];
        all.sort_by_key(&number);
        let from = all.partition_point(|item| number(item) <= *seen);
        let from = if from == all.len() { 0 } else { from };
        let some: Vec<T> = all.into_iter().skip(from).take(STREAMS_AT_ONCE).collect();
        *seen = some.last().map_or(StreamNo(0), number);
        some
    }
}

/// What became of a batch.
enum Settled {
    Done(Outcome),
    Refused(StoreError),
    Failed(LedgerError),
}

impl Outcome {
    fn of(
        replies: Vec<Result<Reply, Refusal>>,
        changes: Vec<Change>,
        messages: Vec<Arc<TopicMessage>>,
        wake: Timestamp,
    ) -> Self {
        let replies = replies.into_iter().map(|reply| reply.map_err(LedgerError::Refused)).collect();
        Self { replies, changes, messages, wake, reloaded: false, trouble: None }
    }
}
