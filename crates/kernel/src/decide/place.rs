//! Placement: which instance goes to which node.
//!
//! By priority; within one priority jobs take turns; within a job by task and index. Free slots are filled first,
//! the freest node first; then nodes whose runs are short are given a little work ahead. What waits behind a busy
//! slot while another node is idle is asked back.

use crate::change::What;
use crate::command::Reply;
use crate::decide::{Draft, graph};
use crate::id::{EnvId, JobId, NodeId};
use crate::instance::{Asked, InstanceKey, Stage};
use crate::limits;
use crate::task::TaskKey;

pub(super) fn place(draft: &mut Draft<'_>, env: EnvId) -> Reply {
    for _ in 0..limits::PLACE_INSTANCES {
        let Some(key) = next_instance(draft, env) else { break };
        let Some(node) = choose_node(draft, env, key) else { break };
        draft.record(What::InstancePlaced(key, node));
        graph::settle_task(draft, key.task_key());
    }
    ask_back(draft, env);
    Reply::Done
}

/// The instance whose turn it is.
fn next_instance(draft: &Draft<'_>, env: EnvId) -> Option<InstanceKey> {
    let ready = &draft.state.index.ready;
    let (_, rank, ..) = ready.range((env, 0, JobId::FIRST, 0)..).next().filter(|(of, ..)| *of == env)?;
    let rank = *rank;
    let end = (env, rank, JobId::LAST, u32::MAX);
    let after = draft.state.index.turns.get(&(env, rank)).map(|job| (env, rank, *job, u32::MAX));
    let next =
        after.and_then(|after| ready.range((std::ops::Bound::Excluded(after), std::ops::Bound::Included(end))).next());
    let (_, _, job, task) = next.or_else(|| ready.range((env, rank, JobId::FIRST, 0)..=end).next())?;
    draft.state.next_waiting(TaskKey { job: *job, task: *task })
}

/// A node with room: one with a free slot before one that only takes work ahead; among those the one with most room;
/// after a failure another node than before, if there is one.
fn choose_node(draft: &Draft<'_>, env: EnvId, key: InstanceKey) -> Option<NodeId> {
    let before = draft.state.instance(key).filter(|row| row.failures > 0).and_then(|row| row.node);
    draft
        .state
        .nodes_of(env)
        .filter(|node| node.room() > 0)
        .max_by_key(|node| (node.free_slots() > 0, Some(node.id) != before, node.free_slots(), node.room()))
        .map(|node| node.id)
}

/// Asks back what waits behind a busy slot, as much as idle slots could take now.
fn ask_back(draft: &mut Draft<'_>, env: EnvId) {
    let idle: usize = draft.state.nodes_of(env).map(|node| node.free_slots()).sum();
    if idle == 0 || next_instance(draft, env).is_some() {
        return;
    }
    let patience = i64::try_from(limits::NODE_AHEAD_PATIENCE_MS).unwrap_or(i64::MAX);
    let waiting: Vec<InstanceKey> = draft
        .state
        .index
        .ahead
        .iter()
        .filter(|(of, since, _)| *of == env && since.0 + patience <= draft.now.0)
        .filter(|(.., key)| waits_behind(draft, *key))
        .map(|(.., key)| *key)
        .take(idle)
        .collect();
    for key in waiting {
        draft.record(What::InstanceAsked(key, Asked::Return));
    }
}

/// Whether the instance waits on a node that is full, and has not been asked back.
fn waits_behind(draft: &Draft<'_>, key: InstanceKey) -> bool {
    let Some(instance) = draft.state.instance(key) else { return false };
    match instance.stage {
        Stage::Held { node, started: false, asked: Asked::Run } => {
            draft.state.node(node).is_some_and(|node| node.held.len() > node.slots as usize)
        }
        _ => false,
    }
}
