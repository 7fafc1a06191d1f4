//! Deliberate faults, to show that the simulation can fail: mistakes that the production code could make in what it
//! commits, made between the ledger and its store, of which no production code knows; and mistakes in the kernel's
//! decisions, which are made there.

use std::sync::Arc;

use kernel::mistake::Mistake;
use kernel::replay::Replay;
use kernel::state::{Row, RowKey};
use kernel::time::Timestamp;
use rand::Rng;
use rand::RngExt;
use store::{Batch, RowChange};

/// A mistake that is made now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// An event, or a client's message, is not written into its topic's log.
    LoseEvent,
    /// An event does not point at the one before it.
    CutChain,
    /// A message that was accepted is not written into its queue.
    LoseMessage,
    /// A message that was deleted stays in its queue.
    KeepDeleted,
    /// A received message can be received by somebody else too early.
    ShowHidden,
    /// The end of an instance is not written.
    LoseInstance,
    /// What a task counts is not written.
    LoseTask,
    /// The end of a job is not written.
    LoseJobEnd,
    /// A job that was deleted stays.
    KeepDeletedJob,
    /// The end of a node is not written.
    KeepNode,
    /// What becomes of a task template is not written.
    LoseTemplate,
    /// A used ClientToken is not written.
    ForgetToken,
    /// A token that a machine has joined with lets another join.
    KeepJoinToken,
    /// A subscription's cursor runs ahead of what was delivered.
    SkipMessage,
    /// A replay's place runs ahead of what it has sent.
    SkipReplayed,
    /// A commit is acknowledged that was never made.
    LieAboutCommit,
    /// A commit that was made is reported as not made, and done again.
    CommitTwice,
    /// What was decided before another server's commit is committed after it.
    IgnoreOthers,
    /// The kernel decides wrongly.
    Decide(Mistake),
}

impl Sabotage {
    /// All that are made in what is committed.
    const IN_COMMITS: [Self; 18] = [
        Self::LoseEvent,
        Self::CutChain,
        Self::LoseMessage,
        Self::KeepDeleted,
        Self::ShowHidden,
        Self::LoseInstance,
        Self::LoseTask,
        Self::LoseJobEnd,
        Self::KeepDeletedJob,
        Self::KeepNode,
        Self::LoseTemplate,
        Self::ForgetToken,
        Self::KeepJoinToken,
        Self::SkipMessage,
        Self::SkipReplayed,
        Self::LieAboutCommit,
        Self::CommitTwice,
        Self::IgnoreOthers,
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::IN_COMMITS.into_iter().chain(Mistake::ALL.map(Self::Decide))
    }

    /// What the kernel is to decide wrongly.
    pub(crate) fn mistake(self) -> Option<Mistake> {
        match self {
            Self::Decide(mistake) => Some(mistake),
            _ => None,
        }
    }

    /// Makes the mistake in a batch, where there is something to make it with and chance has it so.
    pub(crate) fn spoil(self, batch: &Batch, rng: &mut dyn Rng) -> Option<Batch> {
        // Few batches have a token, fewer are asked for again after a restart, and few delete a job or come too late.
        let odds = match self {
            Self::LoseTemplate
            | Self::ForgetToken
            | Self::KeepJoinToken
            | Self::KeepDeletedJob
            | Self::IgnoreOthers => 1.0,
            _ => 0.2,
        };
        if !rng.random_bool(odds) {
            return None;
        }
        let mut spoilt = batch.clone();
        let is_done = match self {
            Self::LoseEvent => spoilt.messages.pop().is_some(),
            Self::CutChain => cut_chain(&mut spoilt),
            Self::LoseMessage => {
                lose(&mut spoilt, |change| change.fresh && matches!(change.row, Some(Row::Message(_))))
            }
            Self::KeepDeleted => lose(&mut spoilt, |change| is_gone(change, |key| matches!(key, RowKey::Message(..)))),
            Self::ShowHidden => show_hidden(&mut spoilt),
            Self::LoseInstance => lose(&mut spoilt, |change| match &change.row {
                Some(Row::Instance(row)) => !change.fresh && row.phase().is_finished(),
                _ => false,
            }),
            Self::LoseTask => lose(&mut spoilt, |change| !change.fresh && matches!(change.row, Some(Row::Task(_)))),
            Self::LoseJobEnd => lose(&mut spoilt, |change| match &change.row {
                Some(Row::Job(row)) => !change.fresh && row.phase.is_finished(),
                _ => false,
            }),
            Self::KeepDeletedJob => lose(&mut spoilt, |change| is_gone(change, |key| matches!(key, RowKey::Job(..)))),
            Self::KeepNode => lose(&mut spoilt, |change| is_gone(change, |key| matches!(key, RowKey::Node(..)))),
            Self::LoseTemplate => lose(&mut spoilt, |change| matches!(change.key, RowKey::Template(_))),
            Self::ForgetToken => lose(&mut spoilt, |change| matches!(change.row, Some(Row::Token(_)))),
            Self::KeepJoinToken => {
                lose(&mut spoilt, |change| is_gone(change, |key| matches!(key, RowKey::JoinToken(..))))
            }
            Self::SkipMessage => skip_message(&mut spoilt),
            Self::SkipReplayed => skip_replayed(&mut spoilt),
            // These are made with the commit itself.
            Self::LieAboutCommit | Self::CommitTwice | Self::IgnoreOthers => !batch.is_empty(),
            // These were made before.
            Self::Decide(_) => false,
        };
        is_done.then_some(spoilt)
    }
}

fn is_gone(change: &RowChange, wanted: impl Fn(&RowKey) -> bool) -> bool {
    change.row.is_none() && wanted(&change.key)
}

/// Leaves out the first change of this kind.
fn lose(batch: &mut Batch, wanted: impl Fn(&RowChange) -> bool) -> bool {
    let found = batch.rows.iter().position(wanted);
    found.map(|at| batch.rows.remove(at)).is_some()
}

fn cut_chain(batch: &mut Batch) -> bool {
    let found = batch.messages.iter_mut().find(|message| message.previous > 0);
    found.map(|message| Arc::make_mut(message).previous = 0).is_some()
}

fn show_hidden(batch: &mut Batch) -> bool {
    let now = batch.now;
    batch.rows.iter_mut().any(|change| match &mut change.row {
        Some(Row::Message(row)) if row.dequeues > 0 && row.visible > now => {
            Arc::make_mut(row).visible = Timestamp(now.0 + 1);
            true
        }
        _ => false,
    })
}

fn skip_message(batch: &mut Batch) -> bool {
    batch.rows.iter_mut().any(|change| match &mut change.row {
        Some(Row::Subscription(row)) if !change.fresh && row.cursor > 0 => {
            Arc::make_mut(row).cursor += 1;
            true
        }
        _ => false,
    })
}

fn skip_replayed(batch: &mut Batch) -> bool {
    batch.rows.iter_mut().any(|change| match &mut change.row {
        Some(Row::Subscription(row)) => {
            let running = |replay: &Replay| replay.is_running() && replay.next < replay.to;
            let Some(at) = row.replays.iter().position(running) else { return false };
            Arc::make_mut(row).replays[at].next += 1;
            true
        }
        _ => false,
    })
}
