//! Replays: one task for each that goes on, beside the live loops, which know nothing of it.
//!
//! For an HTTP subscription the task does what [`kernel::loops::replay`] decides; for a queue it copies a page at a
//! time, the copies and the replay's place in one commit. A task that cannot go on begins anew from what is durable.

mod copy;
mod find;
mod post;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::replay::Replay;
use kernel::subscription::{Endpoint, SubscriptionKey};
use store::StoreError;
use tokio::sync::Notify;
use tokio::task::{self, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::chain::Chain;
use crate::ledger::SubmitError;
use crate::push::{Push, Subject};

/// How often all subscriptions are looked at, also without a signal.
const LOOK: Duration = Duration::from_secs(30);
/// How long a task that failed waits before it begins anew.
const PAUSE: Duration = Duration::from_secs(1);

/// The loop that begins tasks.
pub(crate) struct Replays {
    pub(crate) push: Push,
}

/// Which replay.
type ReplayKey = (SubscriptionKey, u32);

#[derive(Default)]
struct Tasks {
    /// Each wakes its task when something may have changed.
    bells: BTreeMap<ReplayKey, Arc<Notify>>,
    running: JoinSet<()>,
    keys: BTreeMap<task::Id, ReplayKey>,
}

/// Why a task has to begin anew.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Read(#[from] StoreError),
    #[error(transparent)]
    Submit(#[from] SubmitError),
    #[error("no random numbers are to be had")]
    Random(#[from] rand::rngs::SysError),
}

impl Replays {
    /// Runs the loop; it does not end by itself.
    pub(crate) async fn run(self) {
        let mut tasks = Tasks::default();
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.push.signals.replays.notified() => self.reconcile(&mut tasks),
                Some(ended) = tasks.running.join_next_with_id() => {
                    let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    if let Some(key) = tasks.keys.remove(&id) {
                        tasks.bells.remove(&key);
                    }
                }
                _ = looks.tick() => self.reconcile(&mut tasks),
            }
        }
    }

    /// Begins a task for each replay that goes on and has none, and wakes all: those whose replay has ended end.
    fn reconcile(&self, tasks: &mut Tasks) {
        let state = self.push.app.state();
        for subscription in state.subscriptions() {
            for replay in subscription.replays.iter().filter(|replay| replay.is_running()) {
                let key = (subscription.key, replay.no);
                if tasks.bells.contains_key(&key) {
                    continue;
                }
                let bell = Arc::new(Notify::new());
                tasks.bells.insert(key, bell.clone());
                let replayer = Replayer { push: self.push.clone(), key: key.0, no: key.1, bell };
                tasks.keys.insert(tasks.running.spawn(replayer.run()).id(), key);
            }
        }
        tasks.bells.values().for_each(|bell| bell.notify_one());
    }
}

/// The task of one replay.
struct Replayer {
    push: Push,
    key: SubscriptionKey,
    no: u32,
    bell: Arc<Notify>,
}

impl Replayer {
    /// Goes on until the replay has ended.
    async fn run(self) {
        while let Some((subject, replay)) = self.subject() {
            let done = match subject.1.endpoint {
                Endpoint::Http { .. } => self.post_all(subject, replay).await,
                Endpoint::Queue { .. } => self.copy_some(&subject, &replay).await,
            };
            if let Err(error) = done {
                if matches!(error, Failed::Submit(SubmitError::Stopping)) {
                    break;
                }
                tracing::warn!(subscription = ?self.key, replay = self.no, error = %Chain(&error), "a replay begins anew");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// The subscription with its topic, and the replay; `None`: it has ended.
    fn subject(&self) -> Option<(Subject, Replay)> {
        let state = self.push.app.state();
        let subscription = state.subscription(self.key)?.clone();
        let replay = subscription.replays.iter().find(|replay| replay.no == self.no && replay.is_running())?.clone();
        Some(((state.topic(self.key.topic)?.clone(), subscription), replay))
    }
}
