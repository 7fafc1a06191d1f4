//! Nodes of tasks' own: made for a task that has begun, reused by its instances, gone after it.
//!
//! Such a task has an environment that nobody else sees, from the moment it begins until its last node is gone. How
//! many nodes that has follows from what the task could run now, and from what there is room for: among tasks of one
//! priority the provider's places are shared evenly, and a higher priority goes first. Nothing here remembers
//! anything: [`steps`] looks at the state as a whole and says what is not as it should be; so it does not matter what
//! brought that about, and a task whose failed instances run again gets its nodes like any other.
//!
//! An instance that failed may have its node for itself, destroyed or kept ([`FailedAction`](crate::job::FailedAction)):
//! that is [`run`](super::run)'s.

use std::sync::Arc;

use crate::change::What;
use crate::command::{Reply, RunFailure};
use crate::decide::{Draft, Settings, node, run};
use crate::environment::{Env, EnvSpec};
use crate::event::Outlets;
use crate::id::{EnvId, NodeId};
use crate::job::{IfNotCreated, OwnNodes};
use crate::limits;
use crate::node::{Node, NodeStage, Then};
use crate::state::State;
use crate::task::TaskKey;
use crate::time::Timestamp;

/// Something that is not as it should be, put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A task has begun and has no environment yet.
    Begin(TaskKey),
    /// An environment lacks so many nodes.
    Ask(EnvId, u64),
    /// A node is not needed.
    Drop(NodeId),
    /// A busy node's place is needed by others who have fewer.
    Leave(NodeId),
    /// An environment's task is over, and its last node is gone.
    End(EnvId),
}

/// Whether [`steer`] has something to do.
pub(super) fn is_due(state: &State, settings: &Settings, now: Timestamp) -> bool {
    !steps(state, settings, now).is_empty()
}

/// Puts right what is not as it should be with the nodes of tasks' own.
pub(super) fn steer(draft: &mut Draft<'_>) -> Reply {
    for step in steps(&draft.state, draft.settings, draft.now) {
        match step {
            Step::Begin(task) => begin(draft, task),
            Step::Ask(env, count) => {
                let Some(env) = draft.state.env(env).cloned() else { continue };
                for _ in 0..count {
                    node::submit(draft, &env, draft.now, 0);
                }
            }
            Step::Drop(node) => node::delete(draft, node, "NotNeeded"),
            Step::Leave(node) => node::leave(draft, node, Then::Destroy),
            Step::End(env) => draft.record(What::EnvDeleted(env)),
        }
    }
    Reply::Done
}

fn begin(draft: &mut Draft<'_>, task: TaskKey) {
    let Some(job) = draft.state.job(task.job) else { return };
    let Some(spec) = job.spec.tasks.get(task.task as usize) else { return };
    let Some(own) = &spec.own else { return };
    let env = Env {
        id: spec.env,
        owner: Some(task),
        name: spec.name.clone(),
        description: String::new(),
        spec: Arc::new(EnvSpec {
            instance_types: own.instance_types.clone(),
            notifications: Vec::new(),
            tags: Vec::new(),
            zone: job.spec.zone.clone(),
            recreate: true,
            max_recreations: own.creation_retries,
            inputs: Vec::new(),
            key: None,
            document: "{}".to_owned(),
        }),
        desired: 0,
        deleting: false,
        created: draft.now,
        outlets: Outlets::default(),
    };
    draft.record(What::EnvCreated(Box::new(env)));
}

/// A task with nodes of its own, and those of its nodes that are there or are to come.
struct Share<'a> {
    env: EnvId,
    /// Priority, the highest first; then who began first.
    rank: (u64, Timestamp, TaskKey),
    /// How many nodes it could use now.
    wants: u64,
    /// How many it may keep: instances that pause after a failure will soon come back to them.
    keeps: u64,
    /// Nodes that are there or are being made.
    nodes: Vec<&'a Node>,
    /// Nodes that are to be made later, because they could not be made before.
    later: Vec<&'a Node>,
    /// How many nodes it may have.
    may: u64,
    /// Whether that is fewer than it wants.
    is_short: bool,
}

fn steps(state: &State, settings: &Settings, now: Timestamp) -> Vec<Step> {
    let mut steps = Vec::new();
    if state.index.owned.is_empty() && state.index.elastic.is_empty() {
        return steps;
    }
    for task in &state.index.elastic {
        if env_of(state, *task).is_some_and(|env| state.env(env).is_none()) {
            steps.push(Step::Begin(*task));
        }
    }
    let mut shares = Vec::new();
    for (task, env) in &state.index.owned {
        if state.index.elastic.contains(task) {
            shares.extend(share(state, *task, *env, now));
        } else {
            end(state, *env, &mut steps);
        }
    }
    let mut places = places(state, settings, now);
    allot(&mut shares, places.shared);
    for share in &shares {
        balance(share, &mut places.free, &mut steps);
    }
    steps
}

/// The environment of a task's own.
fn env_of(state: &State, task: TaskKey) -> Option<EnvId> {
    state.job(task.job)?.spec.tasks.get(task.task as usize).map(|spec| spec.env)
}

/// What its task leaves behind.
fn end(state: &State, env: EnvId, steps: &mut Vec<Step>) {
    let mut nodes = state.nodes_of(env).peekable();
    if nodes.peek().is_none() {
        steps.push(Step::End(env));
    }
    steps.extend(nodes.filter(|node| node.stage != NodeStage::Deleting).map(|node| Step::Drop(node.id)));
}

fn share(state: &State, key: TaskKey, env: EnvId, now: Timestamp) -> Option<Share<'_>> {
    let job = state.job(key.job)?;
    let (task, spec) = (state.task(key)?, job.spec.tasks.get(key.task as usize)?);
    let (mut nodes, mut later, mut elsewhere) = (Vec::new(), Vec::new(), 0);
    for node in state.nodes_of(env) {
        match node.stage {
            NodeStage::Submitted { not_before } if not_before > now => later.push(node.as_ref()),
            _ if is_usable(node) => nodes.push(node.as_ref()),
            // What runs on a node that takes nothing more needs no other one.
            _ => elsewhere += node.held.len() as u64,
        }
    }
    let slots = u64::from(spec.own.as_ref()?.instance_types.first()?.slots.max(1));
    let most = spec.max_concurrent.unwrap_or(u64::MAX);
    let active = task.instances.active();
    let needs = |waiting: u64| match &task.intent {
        None => (active + waiting).min(most.max(active)).saturating_sub(elsewhere).div_ceil(slots),
        Some(_) => active.saturating_sub(elsewhere).div_ceil(slots),
    };
    let wants = needs(state.waiting_up_to(key, limits::ENV_NODES.saturating_mul(slots))).min(limits::ENV_NODES);
    let keeps = needs(task.instances.of(crate::phase::Phase::Runnable));
    let rank = (limits::PRIORITY.saturating_sub(job.spec.priority), job.created, key);
    Some(Share { env, rank, wants, keeps, nodes, later, may: 0, is_short: false })
}

/// Whether a node of a task's own serves its instances, or will.
fn is_usable(node: &Node) -> bool {
    let goes = matches!(node.stage, NodeStage::Deleting | NodeStage::CreationFailed);
    !goes && node.then.is_none() && node.kept.is_empty()
}

/// The provider's places.
struct Places {
    /// Those that tasks may share, once what is going is gone.
    shared: u64,
    /// Those that nothing takes now.
    free: u64,
}

/// What is to be made later takes no place, nor what could not be made.
fn places(state: &State, settings: &Settings, now: Timestamp) -> Places {
    let most = settings.node_places.unwrap_or(u64::MAX);
    let mut places = Places { shared: most, free: most };
    for node in state.nodes() {
        let takes = match node.stage {
            NodeStage::Submitted { not_before } => not_before <= now && !node.attached,
            NodeStage::CreationFailed => false,
            _ => !node.attached,
        };
        let is_own = state.env(node.env).is_some_and(|env| env.owner.is_some());
        let stays = node.stage != NodeStage::Deleting && (!is_own || !node.kept.is_empty());
        places.free = places.free.saturating_sub(u64::from(takes));
        places.shared = places.shared.saturating_sub(u64::from(takes && stays));
    }
    places
}

/// Says how many nodes each may have: a higher priority first; within one as many for each as for the others, unless
/// it wants fewer; and what that leaves over to those who began first.
fn allot(shares: &mut [Share<'_>], mut left: u64) {
    shares.sort_by_key(|share| share.rank);
    for equals in shares.chunk_by_mut(|one, other| one.rank.0 == other.rank.0) {
        let at_most = |level: u64| equals.iter().map(|share| share.wants.min(level)).fold(0, u64::saturating_add);
        let (mut level, mut above) = (0, equals.iter().map(|share| share.wants).max().unwrap_or(0) + 1);
        while above - level > 1 {
            let between = level.midpoint(above);
            if at_most(between) <= left { level = between } else { above = between }
        }
        let mut over = left.saturating_sub(at_most(level));
        for share in equals {
            let one_more = u64::from(over > 0 && share.wants > level);
            over -= one_more;
            share.may = share.wants.min(level) + one_more;
            share.is_short = share.may < share.wants;
            left = left.saturating_sub(share.may);
        }
    }
}

/// What brings the nodes of a share to their number. Idle ones go first.
fn balance(share: &Share<'_>, free: &mut u64, steps: &mut Vec<Step>) {
    let (has, later) = (share.nodes.len() as u64, share.later.len() as u64);
    let lacks = share.wants.saturating_sub(has + later).min(share.may.saturating_sub(has));
    if lacks > 0 {
        let asks = lacks.min(*free);
        *free -= asks;
        steps.extend((asks > 0).then_some(Step::Ask(share.env, asks)));
        return;
    }
    let unneeded = (has + later).saturating_sub(share.keeps);
    let too_many = if share.is_short { has.saturating_sub(share.may) } else { 0 };
    let count = usize::try_from(unneeded.max(too_many)).unwrap_or(usize::MAX);
    let mut idle: Vec<&Node> = share.nodes.iter().copied().filter(|node| node.held.is_empty()).collect();
    // Those that are furthest from being of use go first.
    idle.sort_by_key(|node| (node.stage == NodeStage::Running, node.stage == NodeStage::Created, node.id));
    let unmade = share.later.iter().copied().filter(|_| unneeded > 0);
    let going: Vec<NodeId> = unmade.chain(idle).map(|node| node.id).take(count).collect();
    let busy = usize::try_from(too_many).unwrap_or(usize::MAX).saturating_sub(going.len());
    steps.extend(going.into_iter().map(Step::Drop));
    let busy = share.nodes.iter().filter(|node| !node.held.is_empty()).take(busy);
    steps.extend(busy.map(|node| Step::Leave(node.id)));
}

/// What follows when a node of a task's own could not be made: it is tried again later, as often as the task says;
/// then it is a failed run of an instance that waits for a node, or that waits on.
pub(super) fn not_created(draft: &mut Draft<'_>, failed: &Node, task: TaskKey, reason: &str) {
    node::delete(draft, failed.id, reason);
    let Some((own, then)) = draft.state.job(task.job).and_then(|job| {
        let own: &OwnNodes = job.spec.tasks.get(task.task as usize)?.own.as_ref()?;
        Some((own.clone(), job.spec.if_not_created))
    }) else {
        return;
    };
    if !lacks_node(draft, task) {
        return;
    }
    if failed.recreations < own.creation_retries || then == IfNotCreated::Runnable {
        let tries = failed.recreations + 1;
        submit_again(draft, failed, draft.now.plus_s(limits::creation_pause_s(tries)), tries);
    } else if let Some(key) = draft.state.next_waiting(task) {
        let end = run::unreported(draft, &format!("NodeNotCreated: {reason}"));
        run::attempt_failed(draft, key, end, RunFailure::NoNode);
    }
}

/// What follows when a node of a task's own was lost: another one, if the task needs it, after a pause that doubles
/// each time.
pub(super) fn replace(draft: &mut Draft<'_>, lost: &Node, task: TaskKey, recreations: u64, not_before: Timestamp) {
    node::delete(draft, lost.id, &lost.reason);
    if lacks_node(draft, task) {
        submit_again(draft, lost, not_before, recreations + 1);
    }
}

fn submit_again(draft: &mut Draft<'_>, node: &Node, not_before: Timestamp, recreations: u64) {
    if let Some(env) = draft.state.env(node.env).cloned() {
        node::submit(draft, &env, not_before, recreations);
    }
}

/// Whether a task could use more nodes of its own than it has.
fn lacks_node(draft: &Draft<'_>, task: TaskKey) -> bool {
    let state = &draft.state;
    let share = env_of(state, task)
        .filter(|_| state.index.elastic.contains(&task))
        .and_then(|env| share(state, task, env, draft.now));
    share.is_some_and(|share| share.wants > (share.nodes.len() + share.later.len()) as u64)
}
