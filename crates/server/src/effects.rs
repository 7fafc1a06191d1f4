//! What commits lead to elsewhere: nudges to the loops, and orders to nodes.
//!
//! Everything here happens after the commit and may be lost with the process. That harms nothing, since each loop
//! looks for its work when it starts, and a node is told what is outstanding when it connects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::change::{Change, What};
use kernel::id::{JobId, NodeId};
use kernel::instance::{Asked, InstanceKey, Stage};
use kernel::node::NodeStage;
use kernel::state::State;
use kernel::topic::StreamNo;
use tokio::sync::Notify;

use crate::app::StateCell;
use crate::gateway::{Gateway, Order};
use crate::ledger::Committed;
use crate::tally::Tally;
use crate::topic_log::Tail;
use crate::trace;
use crate::wakes::QueueWakes;

/// Who is told of what.
pub(crate) struct Router {
    pub(crate) state: Arc<StateCell>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) queue_wakes: Arc<QueueWakes>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) tally: Arc<Tally>,
}

/// What the loops wait for. Each signal is a level: one that comes while its loop is busy is kept.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// A node is to be made or destroyed, or is gone.
    pub(crate) nodes: Notify,
    /// A subscription was made or is gone.
    pub(crate) subscriptions: Notify,
    /// A replay was begun or has changed, or a subscription has.
    pub(crate) replays: Notify,
    /// For the loop that fills queues.
    pub(crate) fan_out: Gathered<StreamNo>,
    /// For the loop that posts.
    pub(crate) push: Gathered<StreamNo>,
    /// Jobs whose data were erased, for the loop that removes their folders.
    pub(crate) erased: Gathered<JobId>,
}

/// A signal that says which things it concerns, each of them once.
#[derive(Debug)]
pub(crate) struct Gathered<T> {
    gathered: Mutex<BTreeSet<T>>,
    bell: Notify,
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self { gathered: Mutex::default(), bell: Notify::default() }
    }
}

impl<T: Ord + Copy> Gathered<T> {
    pub(crate) fn tell(&self, what: impl IntoIterator<Item = T>) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.extend(what);
        if !gathered.is_empty() {
            self.bell.notify_one();
        }
    }

    /// What was told since the last call; waits until there is something. Cancel-safe.
    pub(crate) async fn next(&self) -> BTreeSet<T> {
        loop {
            let told = std::mem::take(&mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner));
            if !told.is_empty() {
                return told;
            }
            self.bell.notified().await;
        }
    }
}

/// What one commit leads to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Effects {
    orders: BTreeMap<NodeId, Vec<Order>>,
    /// How many messages came to each queue.
    queues: BTreeMap<StreamNo, usize>,
    topics: BTreeSet<StreamNo>,
    erased: Vec<JobId>,
    nodes: bool,
    subscriptions: bool,
    replays: bool,
}

impl Router {
    /// Publishes the state, then tells everyone whom the commit concerns.
    pub(crate) fn committed(&self, committed: &Committed<'_>) {
        if committed.reloaded {
            self.tail.clear();
            // What was ordered meanwhile is not among the changes; nodes that connect again are told all of it.
            self.gateway.keep(&BTreeSet::new());
        } else {
            self.tail.add(committed.messages);
        }
        self.tally.add(committed.changes, committed.messages);
        self.state.set(committed.state.clone());
        trace::tell(committed);
        let mut effects = Effects::of(committed.changes, committed.state);
        if committed.reloaded {
            effects.add_everything(committed.state);
        }
        for (node, orders) in effects.orders {
            self.gateway.order(node, orders);
        }
        self.signals.fan_out.tell(effects.topics.iter().copied());
        self.signals.push.tell(effects.topics);
        for (queue, count) in effects.queues {
            self.queue_wakes.ring(queue, count);
        }
        self.signals.erased.tell(effects.erased);
        if effects.nodes {
            self.signals.nodes.notify_one();
        }
        if effects.replays || effects.subscriptions {
            self.signals.replays.notify_one();
        }
        if effects.subscriptions {
            self.signals.subscriptions.notify_one();
        }
    }
}

impl Effects {
    fn of(changes: &[Change], state: &State) -> Self {
        let mut effects = Self::default();
        for change in changes {
            effects.topics.extend(change.notices.iter().map(|notice| notice.topic));
            effects.add(&change.what, state);
        }
        effects
    }

    fn add(&mut self, what: &What, state: &State) {
        match what {
            What::InstancePlaced(key, node) => self.order(state, *key, Some(*node)),
            What::InstanceAsked(key, _) => self.order(state, *key, None),
            What::NodeSubmitted(_) | What::NodeRetyped(..) | What::NodeDeleted(_) => self.nodes = true,
            What::NodeEntered(id, stage, _) => {
                self.nodes = true;
                let order = match stage {
                    NodeStage::Deleting => Some(Order::Stop),
                    NodeStage::Restarting => Some(Order::Restart),
                    _ => None,
                };
                if let Some(order) = order {
                    self.orders.entry(*id).or_default().push(order);
                }
            }
            What::TopicGrew(topic, _) => {
                self.topics.insert(*topic);
            }
            What::Subscribed(_) | What::Unsubscribed(_) | What::TopicDeleted(_) => self.subscriptions = true,
            What::SubscriptionModified(subscription) => {
                self.subscriptions = true;
                self.topics.insert(subscription.key.topic);
            }
            What::SubscriptionStaged(key, _) => {
                self.topics.insert(key.topic);
            }
            What::ReplayPut(..) => self.replays = true,
            What::JobDeleted(job) => self.erased.push(*job),
            what => {
                // A queue that the same commit has cleared has got nothing.
                if let Some(queue) = came_to(what).and_then(|heap| state.queue_of(heap)) {
                    *self.queues.entry(queue.no).or_default() += 1;
                }
            }
        }
    }

    /// Orders what the state says of an instance, if a node holds it still: a later change of the same commit may
    /// have ended it, or given it to another node.
    fn order(&mut self, state: &State, key: InstanceKey, placed_on: Option<NodeId>) {
        let Some(instance) = state.instance(key) else { return };
        let Stage::Held { node, asked, .. } = instance.stage else { return };
        let run = instance.run();
        let order = match (placed_on, asked) {
            (Some(placed_on), _) if placed_on == node => Order::Start(run),
            (Some(_), _) | (None, Asked::Run) => return,
            (None, Asked::Return) => Order::Revoke(run),
            (None, Asked::Kill) => Order::Kill(run),
        };
        self.orders.entry(node).or_default().push(order);
    }

    /// Everything that others may have changed.
    fn add_everything(&mut self, state: &State) {
        self.topics.extend(state.topics().map(|topic| topic.no));
        (self.nodes, self.subscriptions) = (true, true);
    }
}

/// The number under which a message has come to be stored that can be received, now or later.
pub(crate) fn came_to(what: &What) -> Option<StreamNo> {
    match what {
        What::MessageStored(message) => Some(message.key.heap),
        // It was kept under another number of the same queue's.
        What::MessageRewound(key) => Some(key.heap),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kernel::instance::RunId;
    use kernel::time::Timestamp;

    use super::*;
    use crate::testing::{JOB, NODE, holding, poll};

    fn effects(state: &State, what: Vec<What>) -> Effects {
        let changes: Vec<Change> =
            what.into_iter().map(|what| Change { at: Timestamp(0), what, notices: Vec::new() }).collect();
        Effects::of(&changes, state)
    }

    fn key(index: u32) -> InstanceKey {
        InstanceKey { job: JOB, task: 0, index }
    }

    fn run(index: u32) -> RunId {
        RunId { job: JOB, task: 0, index, attempt: 1 }
    }

    #[test]
    fn orders_of_one_commit_go_to_the_node_together() {
        let state = holding(&[(false, Asked::Run), (true, Asked::Kill), (false, Asked::Return)]);
        let what = vec![
            What::InstancePlaced(key(0), NODE),
            What::InstanceAsked(key(1), Asked::Kill),
            What::InstanceAsked(key(2), Asked::Return),
        ];
        let orders = vec![Order::Start(run(0)), Order::Kill(run(1)), Order::Revoke(run(2))];
        assert_eq!(effects(&state, what), Effects { orders: BTreeMap::from([(NODE, orders)]), ..Effects::default() });
    }

    #[test]
    fn what_the_same_commit_has_undone_is_not_ordered() {
        let state = holding(&[(false, Asked::Run)]);
        let elsewhere = NodeId::LAST;
        let what = vec![What::InstancePlaced(key(0), elsewhere), What::InstancePlaced(key(5), NODE)];
        assert_eq!(effects(&state, what), Effects::default());
    }

    #[test]
    fn a_node_that_is_to_go_is_told_to_stop() {
        let what = vec![What::NodeEntered(NODE, NodeStage::Deleting, String::new())];
        let orders = BTreeMap::from([(NODE, vec![Order::Stop])]);
        assert_eq!(effects(&holding(&[]), what), Effects { orders, nodes: true, ..Effects::default() });
    }

    #[tokio::test]
    async fn signals_are_gathered_until_they_are_taken() {
        let gathered = Gathered::default();
        gathered.tell([2, 1]);
        gathered.tell([2]);
        assert_eq!(gathered.next().await, BTreeSet::from([1, 2]));
        let mut next = Box::pin(gathered.next());
        assert!(poll(next.as_mut()).is_pending());
        gathered.tell([3]);
        assert_eq!(next.await, BTreeSet::from([3]));
    }
}
