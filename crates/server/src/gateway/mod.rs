//! The node gateway: the agents that are connected, and what they are told.
//!
//! An agent [connects](socket), shows its node's credential, and is told which of its runs are still believed in and
//! what is outstanding. From then on orders go down as commits bring them about, and reports come up, each frame one
//! command, acknowledged once it is committed. A connection that ends says nothing of its node: the agent may come
//! back before its time is over ([`Gateway::silent_for`]).

mod frames;
mod setup;
mod socket;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kernel::id::NodeId;
use kernel::instance::RunId;
use tokio::sync::mpsc;

pub(crate) use frames::Terms;
pub(crate) use setup::{ObjectServer, Surroundings};
pub(crate) use socket::{GatewayState, router};

/// What a node is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Run this.
    Start(RunId),
    /// End this.
    Kill(RunId),
    /// Give this back if it has not begun.
    Revoke(RunId),
    /// End everything, and yourself.
    Stop,
    /// The same; another agent follows.
    Restart,
}

/// Which agents are there.
#[derive(Debug, Default)]
pub(crate) struct Gateway {
    nodes: Mutex<BTreeMap<NodeId, Presence>>,
}

#[derive(Debug)]
struct Presence {
    /// When the node was last heard of, or when it was first waited for.
    seen: Instant,
    link: Option<Link>,
}

#[derive(Debug)]
struct Link {
    /// Tells connections of one node apart.
    number: u64,
    /// Whether it is this server that does not read what the agent says, since it waits for commits.
    held_up: bool,
    orders: mpsc::UnboundedSender<Vec<Order>>,
}

/// A connection's place among those of its node: the latest one has it.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) number: SeatNumber,
    /// Orders for the node; ends when a later connection takes the seat. As many as a node may hold runs, at most, so
    /// it has no bound of its own.
    pub(crate) orders: mpsc::UnboundedReceiver<Vec<Order>>,
}

/// Which seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeatNumber {
    pub(crate) node: NodeId,
    number: u64,
}

impl Gateway {
    /// Gives orders to a node, if it is connected.
    pub(crate) fn order(&self, node: NodeId, orders: Vec<Order>) {
        if let Some(Presence { link: Some(link), .. }) = self.lock().get(&node) {
            // A connection that is just ending takes none; its successor asks for what is outstanding.
            let _ = link.orders.send(orders);
        }
    }

    /// Seats a connection of `node`, in place of an earlier one. It is held up at first.
    pub(crate) fn seat(&self, node: NodeId) -> Seat {
        let (sender, orders) = mpsc::unbounded_channel();
        let mut nodes = self.lock();
        let presence = nodes.entry(node).or_insert_with(Presence::new);
        presence.seen = Instant::now();
        let number = presence.link.as_ref().map_or(1, |link| link.number + 1);
        presence.link = Some(Link { number, held_up: true, orders: sender });
        Seat { number: SeatNumber { node, number }, orders }
    }

    /// The connection has ended.
    pub(crate) fn leave(&self, seat: &SeatNumber) {
        if let Some(presence) = self.lock().get_mut(&seat.node)
            && presence.link.as_ref().is_some_and(|link| link.number == seat.number)
        {
            presence.link = None;
        }
    }

    /// What the agent says is read again, or not for a while: a node that is not listened to is not silent.
    pub(crate) fn hold_up(&self, seat: &SeatNumber, held_up: bool) {
        if let Some(presence) = self.lock().get_mut(&seat.node) {
            presence.seen = Instant::now();
            if let Some(link) = presence.link.as_mut().filter(|link| link.number == seat.number) {
                link.held_up = held_up;
            }
        }
    }

    /// Something came from the node.
    pub(crate) fn see(&self, node: NodeId) {
        if let Some(presence) = self.lock().get_mut(&node) {
            presence.seen = Instant::now();
        }
    }

    /// Counts every node's silence anew: this process itself did not run for a while, so that it heard nobody.
    pub(crate) fn renew(&self) {
        self.lock().values_mut().for_each(|presence| presence.seen = Instant::now());
    }

    /// Ends the node's connection, if there is one, and forgets the node.
    pub(crate) fn forget(&self, node: NodeId) {
        self.lock().remove(&node);
    }

    /// Forgets all nodes but these.
    pub(crate) fn keep(&self, nodes: &BTreeSet<NodeId>) {
        self.lock().retain(|node, _| nodes.contains(node));
    }

    /// How many nodes are connected.
    pub(crate) fn connected(&self) -> usize {
        self.lock().values().filter(|presence| presence.link.is_some()).count()
    }

    /// Whether the node is connected.
    pub(crate) fn is_connected(&self, node: NodeId) -> bool {
        self.lock().get(&node).is_some_and(|presence| presence.link.is_some())
    }

    /// How long nothing has come from the node, counted at most from the first call for it: so deadlines start anew
    /// when the server does.
    pub(crate) fn silent_for(&self, node: NodeId) -> Duration {
        let mut nodes = self.lock();
        let presence = nodes.entry(node).or_insert_with(Presence::new);
        let is_held_up = presence.link.as_ref().is_some_and(|link| link.held_up);
        if is_held_up { Duration::ZERO } else { presence.seen.elapsed() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, Presence>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Presence {
    fn new() -> Self {
        Self { seen: Instant::now(), link: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId::FIRST;

    #[test]
    fn orders_go_to_the_latest_connection() {
        let gateway = Gateway::default();
        gateway.order(NODE, vec![Order::Stop]);
        let mut first = gateway.seat(NODE);
        let mut second = gateway.seat(NODE);
        gateway.order(NODE, vec![Order::Stop]);
        assert_eq!(first.orders.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
        assert_eq!(second.orders.try_recv(), Ok(vec![Order::Stop]));
        gateway.leave(&first.number);
        assert!(gateway.is_connected(NODE), "the first had lost its seat");
        gateway.leave(&second.number);
        assert!(!gateway.is_connected(NODE));
    }

    #[test]
    fn a_node_that_is_not_listened_to_is_not_silent() {
        let gateway = Gateway::default();
        let seat = gateway.seat(NODE);
        assert_eq!(gateway.silent_for(NODE), Duration::ZERO);
        gateway.hold_up(&seat.number, false);
        let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
        gateway.lock().get_mut(&NODE).unwrap().seen = long_ago;
        assert!(gateway.silent_for(NODE) >= Duration::from_secs(60));
        gateway.renew();
        assert!(gateway.silent_for(NODE) < Duration::from_secs(60));
    }

    #[test]
    fn a_forgotten_node_loses_its_connection() {
        let gateway = Gateway::default();
        let mut seat = gateway.seat(NODE);
        gateway.keep(&BTreeSet::from([NODE]));
        assert!(gateway.is_connected(NODE));
        gateway.keep(&BTreeSet::new());
        assert_eq!(seat.orders.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
    }
}
