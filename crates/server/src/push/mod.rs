//! Posts to HTTP subscribers: one task for each subscription, which does what its push loop decides.
//!
//! The decisions are [`kernel::loops::push`]'s; here are the reads, posts and commits that it asks for. A task that
//! cannot go on begins anew from what is durable.

mod message;
mod post;
mod seats;
mod subscriber;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kernel::subscription::{Endpoint, SubscriptionKey};
use kernel::topic::StreamNo;
use tokio::sync::Notify;
use tokio::task::{self, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::App;
use crate::effects::Signals;
use crate::outbound::Outbound;
use crate::topic_log::TopicLog;
pub(crate) use post::Subject;
pub(crate) use seats::Seats;
use subscriber::Subscriber;

/// How often all subscriptions are looked at, also without a signal.
const LOOK: Duration = Duration::from_secs(30);

/// The means of all push loops.
#[derive(Clone)]
pub(crate) struct Push {
    pub(crate) app: App,
    pub(crate) log: TopicLog,
    pub(crate) signals: Arc<Signals>,
    pub(crate) outbound: Outbound,
    pub(crate) seats: Seats,
}

/// The tasks that run.
#[derive(Default)]
struct Tasks {
    /// Each wakes its task when its topic has grown or its subscription has changed.
    bells: BTreeMap<SubscriptionKey, Arc<Notify>>,
    running: JoinSet<()>,
    /// Whose task is which.
    keys: BTreeMap<task::Id, SubscriptionKey>,
}

impl Push {
    /// Runs the loops; it does not end by itself.
    pub(crate) async fn run(self) {
        let mut tasks = Tasks::default();
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.signals.subscriptions.notified() => self.reconcile(&mut tasks),
                topics = self.signals.push.next() => tasks.ring(&topics),
                // One that panicked has said so; its successor is begun at the next look.
                Some(ended) = tasks.running.join_next_with_id() => tasks.ended(ended.map_or_else(|error| error.id(), |(id, ())| id)),
                _ = looks.tick() => self.reconcile(&mut tasks),
            }
        }
    }

    /// Begins a task for each HTTP subscription that has none, and wakes all: those whose subscription is gone end.
    fn reconcile(&self, tasks: &mut Tasks) {
        let state = self.app.state();
        for subscription in state.subscriptions() {
            if matches!(subscription.endpoint, Endpoint::Http { .. }) && !tasks.bells.contains_key(&subscription.key) {
                let bell = Arc::new(Notify::new());
                tasks.bells.insert(subscription.key, bell.clone());
                let subscriber = Subscriber { push: self.clone(), key: subscription.key, bell };
                tasks.keys.insert(tasks.running.spawn(subscriber.run()).id(), subscription.key);
            }
        }
        tasks.bells.values().for_each(|bell| bell.notify_one());
    }
}

impl Tasks {
    fn ended(&mut self, id: task::Id) {
        if let Some(key) = self.keys.remove(&id) {
            self.bells.remove(&key);
        }
    }

    /// Wakes the tasks of these topics' subscriptions.
    fn ring(&self, topics: &BTreeSet<StreamNo>) {
        for topic in topics {
            let at = |no| SubscriptionKey { topic: *topic, no };
            self.bells.range(at(0)..=at(u32::MAX)).for_each(|(_, bell)| bell.notify_one());
        }
    }
}
