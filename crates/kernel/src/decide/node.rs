//! Nodes: wanted, made, reporting, lost, destroyed, made anew.

use std::sync::Arc;

use crate::change::{NodeFacts, What};
use crate::command::{Refusal, Reply, RunFailure};
use crate::decide::{Draft, Owner, cut, elastic, environment, graph, run};
use crate::environment::{Env, NodeType};
use crate::event::{EventName, NodeOwner, Subject};
use crate::id::{EnvId, MachineId, NodeId};
use crate::instance::{Asked, InstanceKey, RunId, Stage};
use crate::limits;
use crate::mistake::Mistake;
use crate::node::{Node, NodeStage, Then};
use crate::state::State;
use crate::task::{Intent, TaskKey};
use crate::time::Timestamp;

/// Why a run failed whose node is no more.
const LOST: &str = "NodeLost";
/// Why a run failed whose node was detached; and why that is being deleted.
pub(super) const DETACHED: &str = "NodeDetached";

/// Asks for a node.
pub(super) fn submit(draft: &mut Draft<'_>, env: &Env, not_before: Timestamp, recreations: u64) {
    let Some(kind) = env.spec.instance_types.first() else { return };
    let machine = MachineId::draw(draft.rng);
    let node = Node {
        kind: kind.name.clone(),
        slots: kind.slots,
        cpu: kind.cpu,
        mem_gb: kind.mem_gb,
        recreations,
        ..new(draft, env.id, machine, NodeStage::Submitted { not_before })
    };
    draft.record(What::NodeSubmitted(Box::new(node)));
}

/// A node without a type.
pub(super) fn new(draft: &mut Draft<'_>, env: EnvId, machine: MachineId, stage: NodeStage) -> Node {
    Node {
        id: NodeId::draw(draft.rng),
        machine,
        attached: false,
        env,
        stage,
        kind: String::new(),
        slots: 0,
        cpu: 0,
        mem_gb: 0,
        created: draft.now,
        resource_created: None,
        running: None,
        recreations: 0,
        agent_version: String::new(),
        addresses: Vec::new(),
        limits: String::new(),
        reason: String::new(),
        drained: false,
        then: None,
        held: imbl::OrdSet::new(),
        kept: imbl::OrdSet::new(),
        run_ms: None,
    }
}

pub(super) fn creating(draft: &mut Draft<'_>, id: NodeId) -> Reply {
    if draft.state.node(id).is_some_and(|node| matches!(node.stage, NodeStage::Submitted { .. })) {
        draft.record(What::NodeEntered(id, NodeStage::Creating, String::new()));
    }
    Reply::Done
}

pub(super) fn created(draft: &mut Draft<'_>, id: NodeId) -> Reply {
    if draft.state.node(id).is_some_and(|node| node.stage == NodeStage::Creating) {
        let restarted = draft.state.node(id).is_some_and(|node| node.resource_created.is_some());
        if restarted {
            draft.record(What::NodeEntered(id, NodeStage::Created, String::new()));
        } else {
            enter(draft, id, NodeStage::Created, String::new(), EventName::ComputeNodeCreated);
        }
    }
    Reply::Done
}

pub(super) fn creation_failed(draft: &mut Draft<'_>, id: NodeId, reason: String) -> Reply {
    let Some(node) = draft.state.node(id).filter(|node| node.stage == NodeStage::Creating).cloned() else {
        return Reply::Done;
    };
    let reason = if node.reason.is_empty() { reason } else { format!("{}; {reason}", node.reason) };
    if let Some(next) = next_type(draft, &node) {
        draft.record(What::NodeRetyped(id, next, cut(reason)));
        return Reply::Done;
    }
    enter(draft, id, NodeStage::CreationFailed, reason.clone(), EventName::ComputeNodeCreationFailed);
    match task_of(draft, &node) {
        Some(task) => elastic::not_created(draft, &node, task, &cut(reason)),
        None => make_anew(draft, id),
    }
    Reply::Done
}

/// The type that is tried after the one that a node could not be made of.
fn next_type(draft: &Draft<'_>, node: &Node) -> Option<NodeType> {
    let types = &draft.state.env(node.env)?.spec.instance_types;
    let tried = types.iter().position(|kind| kind.name == node.kind)?;
    types.get(tried + 1).cloned()
}

/// A provider has no place for a node. One of a task's own waits for it.
pub(super) fn has_no_place(draft: &mut Draft<'_>, id: NodeId, reason: String) -> Reply {
    let Some(node) = draft.state.node(id).filter(|node| node.stage == NodeStage::Creating).cloned() else {
        return Reply::Done;
    };
    if task_of(draft, &node).is_none() {
        return creation_failed(draft, id, reason);
    }
    let not_before = draft.now.plus_s(limits::PLACE_PAUSE_S);
    draft.record(What::NodeEntered(id, NodeStage::Submitted { not_before }, cut(reason)));
    Reply::Done
}

/// The agent of a node that restarts has ended; it is made again, in the same place.
pub(super) fn ended(draft: &mut Draft<'_>, id: NodeId) -> Reply {
    if draft.state.node(id).is_some_and(|node| node.stage == NodeStage::Restarting) {
        draft.record(What::NodeEntered(id, NodeStage::Creating, String::new()));
    }
    Reply::Done
}

/// The task whose own a node is.
fn task_of(draft: &Draft<'_>, node: &Node) -> Option<TaskKey> {
    draft.state.env(node.env)?.owner
}

/// A node's agent has come, or come back.
pub(super) fn connected(draft: &mut Draft<'_>, id: NodeId, facts: NodeFacts) -> Result<Reply, Refusal> {
    let node = draft.state.node(id).ok_or_else(|| Refusal::NoNode { node: id, path: "node".into() })?;
    let known =
        node.agent_version == facts.agent_version && node.addresses == facts.addresses && node.limits == facts.limits;
    let stage = node.stage;
    if !known {
        draft.record(What::NodeReported(id, facts));
    }
    // The agent may be quicker than the provider's word that the node was made.
    if stage == NodeStage::Creating {
        created(draft, id);
    }
    if matches!(stage, NodeStage::Creating | NodeStage::Created | NodeStage::Abnormal) {
        enter(draft, id, NodeStage::Running, String::new(), EventName::ComputeNodeRunning);
        settle(draft, id);
    }
    if draft.errs(Mistake::GiveTwice) {
        lose_instances(draft, id, &[], LOST);
    }
    Ok(Reply::Done)
}

/// A node's agent is gone or silent.
pub(super) fn lost(draft: &mut Draft<'_>, id: NodeId, reason: &str, begun: &[RunId]) -> Reply {
    let Some(node) = draft.state.node(id).cloned() else { return Reply::Done };
    match node.stage {
        NodeStage::Running | NodeStage::Created => {
            enter(draft, id, NodeStage::Abnormal, reason.to_owned(), EventName::ComputeNodeAbnormal);
        }
        // It was silent, and now its machine says that its runs are dead.
        NodeStage::Abnormal if node.attached => {}
        _ => return Reply::Done,
    }
    lose_instances(draft, id, begun, LOST);
    // What is kept is to be looked at.
    if node.kept.is_empty() {
        make_anew(draft, id);
    }
    Reply::Done
}

/// Nothing is heard of an attached node, nor of its machine: its runs may go on there, so that they stay its own until
/// its agent comes back, or its machine says that they are dead.
pub(super) fn silent(draft: &mut Draft<'_>, id: NodeId, reason: String) -> Reply {
    let node = draft.state.node(id);
    if node.is_some_and(|node| node.attached && matches!(node.stage, NodeStage::Running | NodeStage::Created)) {
        enter(draft, id, NodeStage::Abnormal, reason, EventName::ComputeNodeAbnormal);
        if draft.errs(Mistake::GiveSilent) {
            lose_instances(draft, id, &[], LOST);
        }
    }
    Reply::Done
}

/// A node whose destruction was ordered is gone.
pub(super) fn destroyed(draft: &mut Draft<'_>, id: NodeId, begun: &[RunId]) -> Reply {
    let Some(node) = draft.state.node(id).filter(|node| node.stage == NodeStage::Deleting).cloned() else {
        return Reply::Done;
    };
    lose_instances(draft, id, begun, if node.attached { DETACHED } else { LOST });
    for key in &node.kept {
        let reason = end_reason(draft, *key).unwrap_or_else(|| Intent::Terminate.reason());
        let end = run::unreported(draft, &reason);
        run::failed(draft, *key, end);
    }
    let subject = subject(&draft.state, &node);
    let (what, owner) = (What::NodeDeleted(id), owner(&draft.state, &node));
    draft.record_event(what, EventName::ComputeNodeDeleted, owner, |_| subject);
    environment::finish_deletion(draft, node.env);
    environment::reconcile(draft, node.env);
    Reply::Done
}

pub(super) fn terminate(draft: &mut Draft<'_>, env: EnvId, nodes: &[NodeId]) -> Result<Reply, Refusal> {
    if draft.state.public_env(env).is_none() {
        return Err(Refusal::NoEnv { env, path: "EnvId".into() });
    }
    for (position, id) in nodes.iter().enumerate() {
        let path = format!("ComputeNodeIds.{position}");
        let node = draft.state.node(*id).filter(|node| node.env == env);
        let node = node.ok_or_else(|| Refusal::NoNode { node: *id, path: path.clone() })?;
        match node.stage {
            NodeStage::Deleting => return Err(Refusal::NodeTerminating { node: *id, path }),
            NodeStage::Submitted { .. } | NodeStage::Creating => {
                return Err(Refusal::NodeForbidsTerminate { node: *id, state: node.stage.as_str(), path });
            }
            _ => {}
        }
    }
    for id in nodes {
        delete(draft, *id, "Terminated");
    }
    environment::reconcile(draft, env);
    Ok(Reply::Done)
}

/// Orders a node's destruction. One that is not made yet just goes.
pub(super) fn delete(draft: &mut Draft<'_>, id: NodeId, reason: &str) {
    let Some(stage) = draft.state.node(id).map(|node| node.stage) else { return };
    if stage != NodeStage::Deleting {
        enter(draft, id, NodeStage::Deleting, reason.to_owned(), EventName::ComputeNodeDeleting);
    }
}

/// Has a node take no more instances; what is to be done `then` follows once it holds none. Destruction goes before
/// a restart.
pub(super) fn leave(draft: &mut Draft<'_>, id: NodeId, then: Then) {
    let Some(node) = draft.state.node(id).cloned() else { return };
    if !matches!(node.stage, NodeStage::Created | NodeStage::Running | NodeStage::Abnormal) {
        return;
    }
    if node.then != Some(then) && node.then != Some(Then::Destroy) {
        draft.record(What::NodeLeft(id, then));
    }
    ask_back_waiting(draft, &node);
    settle(draft, id);
}

/// Asks back what waits on a node behind its slots.
fn ask_back_waiting(draft: &mut Draft<'_>, node: &Node) {
    for key in &node.held {
        let stage = draft.state.instance(*key).map(|row| row.stage);
        if matches!(stage, Some(Stage::Held { started: false, asked: Asked::Run, .. })) {
            draft.record(What::InstanceAsked(*key, Asked::Return));
        }
    }
}

/// Has nodes take no more instances, or take some again; all of them, or none. What has begun on them goes on.
pub(super) fn drain(draft: &mut Draft<'_>, nodes: &[NodeId], drained: bool) -> Result<Reply, Refusal> {
    let mut found = Vec::new();
    for (position, id) in nodes.iter().enumerate() {
        let path = format!("ComputeNodeIds.{position}");
        let node = draft.state.node(*id).ok_or_else(|| Refusal::NoNode { node: *id, path: path.clone() })?;
        if node.stage == NodeStage::Deleting {
            return Err(Refusal::NodeTerminating { node: *id, path });
        }
        found.push(node.clone());
    }
    for node in found.iter().filter(|node| node.drained != drained) {
        draft.record(What::NodeDrained(node.id, drained));
        if drained {
            ask_back_waiting(draft, node);
        }
    }
    Ok(Reply::Done)
}

/// Does to a node that takes no more instances what is to be done to it, if it holds none any more.
pub(super) fn settle(draft: &mut Draft<'_>, id: NodeId) {
    let Some(node) = draft.state.node(id) else { return };
    let is_empty = node.held.is_empty() && node.kept.is_empty();
    match (node.then, node.stage) {
        _ if !is_empty => {}
        (Some(Then::Destroy), _) => delete(draft, id, "RunFailed"),
        (Some(Then::Restart), NodeStage::Running) => {
            draft.record(What::NodeEntered(id, NodeStage::Restarting, String::new()));
        }
        _ => {}
    }
}

/// Lets go of a node that failed, and asks for another in its place, after a pause that doubles each time.
fn make_anew(draft: &mut Draft<'_>, id: NodeId) {
    // One that was attached is not anybody's to make.
    let Some(node) = draft.state.node(id).filter(|node| !node.attached).cloned() else { return };
    let Some(env) = draft.state.env(node.env).filter(|env| !env.deleting).cloned() else { return };
    if let (Some(task), None) = (env.owner, node.running) {
        // Its agent never came: it could not be made, whatever the provider says.
        return elastic::not_created(draft, &node, task, &node.reason);
    }
    let settled = node.running.is_some_and(|since| draft.now.since_ms(since) >= limits::NODE_SETTLED_MS);
    let recreations = if settled { 0 } else { node.recreations };
    // The first is made at once.
    let pause_s = if recreations == 0 { 0 } else { (1u64 << recreations.min(6)).min(limits::RETRY_PAUSE_DEFAULT_S) };
    let not_before = draft.now.plus_s(pause_s);
    if let Some(task) = env.owner {
        return elastic::replace(draft, &node, task, recreations, not_before);
    }
    if !env.spec.recreate || recreations >= env.spec.max_recreations {
        return;
    }
    delete(draft, id, &node.reason);
    submit(draft, &env, not_before, recreations + 1);
}

/// Instances on a node that is no more: those that had begun have failed, the others wait for another node.
fn lose_instances(draft: &mut Draft<'_>, id: NodeId, begun: &[RunId], why: &str) {
    let Some(node) = draft.state.node(id).cloned() else { return };
    for key in &node.held {
        lose_instance(draft, *key, begun, why);
    }
}

fn lose_instance(draft: &mut Draft<'_>, key: InstanceKey, begun: &[RunId], why: &str) {
    let Some(instance) = draft.state.instance(key).cloned() else { return };
    let Stage::Held { started, .. } = instance.stage else { return };
    if let Some(reason) = end_reason(draft, key) {
        let end = run::unreported(draft, &reason);
        run::failed(draft, key, end);
    } else if started || begun.contains(&instance.run()) {
        let end = run::unreported(draft, why);
        run::attempt_failed(draft, key, end, RunFailure::NodeLost);
    } else {
        draft.record(What::InstanceReturned(key));
        graph::settle_task(draft, key.task_key());
    }
}

/// Why an instance is being ended; `None`: it is not.
fn end_reason(draft: &Draft<'_>, key: InstanceKey) -> Option<String> {
    let intent = draft.state.task(key.task_key()).and_then(|task| task.intent.as_ref());
    let killed = || {
        matches!(draft.state.instance(key)?.stage, Stage::Held { asked: Asked::Kill, .. }).then_some(&Intent::Terminate)
    };
    intent.or_else(killed).map(Intent::reason)
}

fn enter(draft: &mut Draft<'_>, id: NodeId, stage: NodeStage, reason: String, name: EventName) {
    let Some(node) = draft.state.node(id) else { return };
    let owner = owner(&draft.state, node);
    draft.record_event(What::NodeEntered(id, stage, cut(reason)), name, owner, |state| subject(state, state.node(id)?));
}

/// Whose event it is when something happens to a node.
fn owner(state: &State, node: &Node) -> Owner {
    let task = state.env(node.env).and_then(|env| env.owner);
    task.map_or(Owner::Env(node.env), |task| Owner::Job(task.job))
}

/// A node and whose it is; `None` when that is gone.
fn subject(state: &State, node: &Arc<Node>) -> Option<Subject> {
    let env = state.env(node.env)?;
    let owner = match env.owner {
        None => NodeOwner::Env(env.id, env.name.clone()),
        Some(task) => NodeOwner::Task(task.job, state.job(task.job)?.spec.tasks[task.task as usize].name.clone()),
    };
    Some(Subject::Node(node.clone(), owner))
}
