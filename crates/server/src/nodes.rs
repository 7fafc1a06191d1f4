//! The loop that keeps nodes as the state wants them: made when they are wanted, given up when they are dead or
//! silent, destroyed when they are to go.
//!
//! It looks at the state as a whole, whenever something may have changed and once a second, and takes no hint for
//! truth. Each node has at most one thing done to it at a time; what fails is found again at the next look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kernel::command::Command;
use kernel::id::NodeId;
use kernel::node::{Node, NodeStage};
use kernel::state::State;
use kernel::time::Timestamp;
use tokio::sync::mpsc;
use tokio::task::{self, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};

use crate::App;
use crate::chain::Chain;
use crate::effects::Signals;
use crate::gateway::Gateway;
use crate::ledger::{Lane, SubmitError};
use crate::provider::{CreateError, NewNode, Provider, Size};

/// How often the loop looks at all nodes, also without being told to.
const LOOK: Duration = Duration::from_secs(1);

/// How long a node waits before it tries again to take the place of one that is going.
const FREE_LOOK: Duration = Duration::from_millis(50);
/// A look that comes so long after the last one shows that this process did not run.
const LATE: Duration = Duration::from_secs(3);

/// After so long a silence the runs of an attached node are dead: its agent ends them, and itself, after
/// [`agent::WITHOUT_SERVER`]. An hour more is for clocks and grace.
const FORSAKEN: Duration = agent::WITHOUT_SERVER.saturating_add(Duration::from_secs(3_600));

/// Why a node is lost whose agent lives no more.
const ENDED: &str = "its agent has ended";

/// The loop's means.
pub(crate) struct Nodes {
    pub(crate) app: App,
    pub(crate) signals: Arc<Signals>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) provider: Arc<dyn Provider>,
    /// How long a node may be silent before it is given up.
    pub(crate) silence: Duration,
    /// Nodes whose agents have ended.
    pub(crate) ended: mpsc::UnboundedReceiver<NodeId>,
}

/// What is to be done to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Deed {
    /// It is to be made.
    Begin,
    /// It is being made.
    Create(NewNode),
    /// It is given up, for this reason.
    Lose(String),
    /// It was attached and given up; its agent is started again if it lives no more.
    Revive(NewNode),
    /// Its agent is to end, and another to take its place.
    Restart,
    /// It is to go.
    Destroy,
}

impl Nodes {
    /// Runs the loop; it does not end by itself.
    pub(crate) async fn run(mut self) {
        self.remove_unknown().await;
        let mut busy: BTreeMap<task::Id, NodeId> = BTreeMap::new();
        let mut deeds = JoinSet::new();
        let mut dead = BTreeSet::new();
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looked = Instant::now();
        loop {
            tokio::select! {
                () = self.signals.nodes.notified() => {}
                Some(node) = self.ended.recv() => {
                    dead.insert(node);
                }
                Some(done) = deeds.join_next_with_id() => {
                    // One that panicked has said so; its node is looked at again like any other.
                    let id = done.map_or_else(|error| error.id(), |(id, ())| id);
                    busy.remove(&id);
                }
                _ = ticks.tick() => self.find_dead(&mut dead).await,
            }
            if looked.elapsed() > LATE {
                self.gateway.renew();
            }
            looked = Instant::now();
            let state = self.app.state();
            dead.retain(|node| state.node(*node).is_some());
            self.gateway.keep(&state.nodes().map(|node| node.id).collect());
            for (node, deed) in self.wanted(&state, &dead) {
                if busy.values().any(|busy| *busy == node) {
                    continue;
                }
                // Whether it is dead is looked at by whoever does this, and again if it cannot be done.
                dead.remove(&node);
                busy.insert(deeds.spawn(self.doer().carry_out(node, deed)).id(), node);
            }
        }
    }

    /// What the state wants done.
    fn wanted(&self, state: &State, dead: &BTreeSet<NodeId>) -> Vec<(NodeId, Deed)> {
        let now = self.app.clock();
        let deed = |node: &Arc<Node>| {
            let silent = || self.gateway.silent_for(node.id);
            deed(node, now, dead.contains(&node.id), || {
                let silent = silent();
                (silent > self.silence).then_some(silent)
            })
        };
        state.nodes().filter_map(|node| Some((node.id, deed(node)?))).collect()
    }

    /// Finds nodes whose agents have ended without anyone having been told: those that an earlier server started.
    async fn find_dead(&self, dead: &mut BTreeSet<NodeId>) {
        let state = self.app.state();
        let doubtful: Vec<NodeId> = state
            .nodes()
            .filter(|node| matches!(node.stage, NodeStage::Created | NodeStage::Running))
            .map(|node| node.id)
            .filter(|node| !self.gateway.is_connected(*node) && !dead.contains(node))
            .collect();
        if doubtful.is_empty() {
            return;
        }
        let provider = self.provider.clone();
        let look = move || doubtful.into_iter().filter(|node| !provider.lives(*node)).collect::<Vec<_>>();
        dead.extend(task::spawn_blocking(look).await.unwrap_or_default());
    }

    /// Destroys what the provider has and the state does not know.
    async fn remove_unknown(&self) {
        let state = self.app.state();
        let provider = self.provider.clone();
        let remove = move || {
            let listed = match provider.list() {
                Ok(listed) => listed,
                Err(error) => return tracing::error!(%error, "failed to list the nodes that there are"),
            };
            for node in listed.into_iter().filter(|node| state.node(*node).is_none()) {
                tracing::warn!(%node, "destroys a node that nobody knows");
                if let Err(error) = provider.destroy(node) {
                    tracing::error!(%node, %error, "failed to destroy a node that nobody knows; the next start tries again");
                }
            }
        };
        // One that panicked has said so.
        let _ = task::spawn_blocking(remove).await;
    }

    fn doer(&self) -> Doer {
        let (app, gateway, provider) = (self.app.clone(), self.gateway.clone(), self.provider.clone());
        Doer { app, gateway, provider, silence: self.silence }
    }
}

/// What is to be done to a node as it stands. `overdue` tells for how long it has been silent, if that is too long.
fn deed(node: &Node, now: Timestamp, is_dead: bool, overdue: impl FnOnce() -> Option<Duration>) -> Option<Deed> {
    match node.stage {
        NodeStage::Submitted { not_before } => (not_before <= now).then_some(Deed::Begin),
        NodeStage::Creating => Some(Deed::Create(new(node))),
        NodeStage::Created | NodeStage::Running if is_dead => Some(Deed::Lose(ENDED.into())),
        NodeStage::Created | NodeStage::Running => {
            overdue().map(|silent| Deed::Lose(format!("its agent was silent for {} s", silent.as_secs())))
        }
        NodeStage::Restarting => Some(Deed::Restart),
        NodeStage::Deleting => Some(Deed::Destroy),
        NodeStage::Abnormal if node.attached => Some(Deed::Revive(new(node))),
        NodeStage::CreationFailed | NodeStage::Abnormal => None,
    }
}

fn new(node: &Node) -> NewNode {
    NewNode { id: node.id, slots: node.slots, size: size(node) }
}

/// What a deed comes to on a node whose machine does not come back. What it held may have begun there.
fn forsaken(state: &State, node: NodeId, deed: &Deed) -> Option<Command> {
    let held = &state.node(node)?.held;
    let begun = held.iter().filter_map(|key| Some(state.instance(*key)?.run())).collect();
    match deed {
        Deed::Destroy => Some(Command::NodeDestroyed { node, begun }),
        Deed::Revive(_) if !held.is_empty() => {
            Some(Command::NodeLost { node, reason: "its machine does not come back".into(), begun })
        }
        _ => None,
    }
}

/// How much of the machine a node is. One of the type `local` is all of it, whatever is listed for that type,
/// and so is one that is attached.
fn size(node: &Node) -> Option<Size> {
    (node.kind != LOCAL && !node.attached).then_some(Size { cpu: node.cpu, mem_gb: node.mem_gb })
}

/// The type of a node that is this machine.
const LOCAL: &str = "local";

/// Does one thing to one node.
struct Doer {
    app: App,
    gateway: Arc<Gateway>,
    provider: Arc<dyn Provider>,
    silence: Duration,
}

/// Why something was not done to a node.
#[derive(Debug, thiserror::Error)]
enum Undone {
    #[error(transparent)]
    Submit(#[from] SubmitError),
    #[error("the provider failed")]
    Provider(#[from] std::io::Error),
    #[error("the provider's thread panicked")]
    Panicked(#[from] task::JoinError),
}

impl Undone {
    /// Whether the machine of an attached node is not connected.
    fn is_away(&self) -> bool {
        matches!(self, Self::Provider(error) if error.kind() == std::io::ErrorKind::NotConnected)
    }
}

impl Doer {
    async fn carry_out(self, node: NodeId, deed: Deed) {
        if let Err(error) = self.try_to(node, deed.clone()).await {
            if error.is_away() {
                // Nothing can be done until the machine is back, and nobody need be told each time.
                tokio::time::sleep(LOOK).await;
                return self.give_up(node, &deed).await;
            }
            tracing::error!(%node, ?deed, error = %Chain(&error), "failed; it is tried again");
            // What failed at once would fail again at once.
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Gives up a node whose machine has been away for so long that its agent has ended its runs by its own rule.
    async fn give_up(&self, node: NodeId, deed: &Deed) {
        if self.gateway.silent_for(node) < FORSAKEN {
            return;
        }
        let Some(command) = forsaken(&self.app.state(), node, deed) else { return };
        tracing::warn!(%node, "the machine of a node has been away for too long; its runs count as ended");
        if let Err(error) = self.app.ledger.submit_patiently(Lane::Node, command).await {
            tracing::error!(%node, error = %Chain(&error), "failed to give up a node; it is tried again");
        }
    }

    async fn try_to(&self, node: NodeId, deed: Deed) -> Result<(), Undone> {
        let command = match deed {
            Deed::Begin => Command::NodeCreating(node),
            Deed::Create(new) => {
                let created = self.with_provider(move |provider| provider.create(&new)).await?;
                match created {
                    Ok(()) => Command::NodeCreated(node),
                    Err(CreateError::Capacity(_)) if self.is_one_going() => {
                        tokio::time::sleep(FREE_LOOK).await;
                        return Ok(());
                    }
                    Err(CreateError::Away(error)) => return Err(error.into()),
                    Err(error @ CreateError::Capacity(_)) => Command::NodeHasNoPlace(node, Chain(&error).to_string()),
                    Err(error) => {
                        let error = Chain(&error).to_string();
                        tracing::warn!(%node, error, "a node could not be made");
                        Command::NodeCreationFailed(node, error)
                    }
                }
            }
            // What was told of the end of an agent may have been of the one before the one that lives.
            Deed::Lose(reason)
                if reason == ENDED && self.with_provider(move |provider| provider.lives(node)).await? =>
            {
                return Ok(());
            }
            Deed::Lose(reason) => {
                tracing::warn!(%node, reason, "a node is lost");
                match self.with_provider(move |provider| provider.end(node)).await?.map_err(Undone::from) {
                    Ok(begun) => Command::NodeLost { node, reason, begun },
                    Err(error) if error.is_away() => Command::NodeSilent { node, reason },
                    Err(error) => return Err(error),
                }
            }
            Deed::Revive(new) => return self.revive(new).await,
            Deed::Restart => {
                self.with_provider(move |provider| provider.stop(node)).await??;
                Command::NodeEnded(node)
            }
            Deed::Destroy => {
                let begun = self.with_provider(move |provider| provider.destroy(node)).await??;
                Command::NodeDestroyed { node, begun }
            }
        };
        let gone = matches!(command, Command::NodeLost { .. } | Command::NodeDestroyed { .. } | Command::NodeEnded(_));
        self.app.ledger.submit_patiently(Lane::Node, command).await?;
        if gone {
            self.gateway.forget(node);
        }
        Ok(())
    }

    /// Has the agent of an attached node that was given up start again: it has ended, or does not come back although
    /// its machine did. Its runs are dead before that, and known to be.
    async fn revive(&self, new: NewNode) -> Result<(), Undone> {
        let node = new.id;
        let state = self.app.state();
        let machine = state.node(node).and_then(|node| self.app.machines.connected_for(node.machine));
        let Some(connected) = machine else {
            return Err(std::io::Error::from(std::io::ErrorKind::NotConnected).into());
        };
        let waits = connected < self.silence || self.gateway.silent_for(node) < self.silence;
        if waits && self.with_provider(move |provider| provider.lives(node)).await? {
            tokio::time::sleep(LOOK).await;
            return Ok(());
        }
        let begun = self.with_provider(move |provider| provider.end(node)).await??;
        let lost = Command::NodeLost { node, reason: ENDED.to_owned(), begun };
        self.app.ledger.submit_patiently(Lane::Node, lost).await?;
        self.gateway.forget(node);
        match self.with_provider(move |provider| provider.create(&new)).await? {
            Ok(()) => Ok(()),
            Err(CreateError::Away(error)) => Err(error.into()),
            Err(error) => Err(std::io::Error::other(error).into()),
        }
    }

    /// Whether a node is being destroyed, whose place is free soon.
    fn is_one_going(&self) -> bool {
        self.app.state().nodes().any(|node| node.stage == NodeStage::Deleting)
    }

    async fn with_provider<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn Provider) -> T + Send + 'static,
    ) -> Result<T, task::JoinError> {
        let provider = self.provider.clone();
        task::spawn_blocking(move || call(provider.as_ref())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::instance::Asked;

    use crate::testing::{NODE, holding, node};

    fn wanted(stage: NodeStage, is_dead: bool, silent_s: Option<u64>) -> Option<Deed> {
        deed(&node(stage), Timestamp(1_000), is_dead, || silent_s.map(Duration::from_secs))
    }

    #[test]
    fn a_machine_that_does_not_come_back_is_given_up_with_what_it_held() {
        let state = holding(&[(true, Asked::Run), (false, Asked::Run)]);
        let Some(Command::NodeDestroyed { begun, .. }) = forsaken(&state, NODE, &Deed::Destroy) else { panic!() };
        assert_eq!(begun.len(), 2, "what may have begun counts as begun");
        let revive = Deed::Revive(NewNode { id: NODE, slots: 2, size: None });
        assert!(matches!(forsaken(&state, NODE, &revive), Some(Command::NodeLost { begun, .. }) if begun.len() == 2));
        assert!(forsaken(&holding(&[]), NODE, &revive).is_none(), "there is nothing more to give up");
        assert!(forsaken(&state, NODE, &Deed::Begin).is_none());
        assert!(FORSAKEN > agent::WITHOUT_SERVER);
    }

    #[test]
    fn what_each_stage_wants() {
        let later = NodeStage::Submitted { not_before: Timestamp(1_001) };
        let due = NodeStage::Submitted { not_before: Timestamp(1_000) };
        let new = NewNode { id: NodeId::FIRST, slots: 2, size: None };
        assert_eq!(wanted(later, false, None), None);
        assert_eq!(wanted(due, false, None), Some(Deed::Begin));
        assert_eq!(wanted(NodeStage::Creating, true, Some(99)), Some(Deed::Create(new)));
        assert_eq!(wanted(NodeStage::Restarting, true, Some(99)), Some(Deed::Restart));
        assert_eq!(wanted(NodeStage::Deleting, true, Some(99)), Some(Deed::Destroy));
        for stage in [NodeStage::CreationFailed, NodeStage::Abnormal] {
            assert_eq!(wanted(stage, true, Some(99)), None);
        }
        let attached = Node { attached: true, kind: "attached".into(), ..node(NodeStage::Abnormal) };
        assert_eq!(deed(&attached, Timestamp(1_000), false, || None), Some(Deed::Revive(new)));
        for stage in [NodeStage::Created, NodeStage::Running] {
            assert_eq!(wanted(stage, false, None), None);
            assert_eq!(wanted(stage, true, None), Some(Deed::Lose("its agent has ended".into())));
            assert_eq!(wanted(stage, false, Some(21)), Some(Deed::Lose("its agent was silent for 21 s".into())));
        }
    }
}
