//! Placement: which instance goes to which node.
//!
//! By priority; within one priority jobs take turns; within a job by task and index. Free slots are filled first,
//! the freest node first; then nodes whose runs are short are given a little work ahead. What waits behind a busy
//! slot while another node is idle is asked back.

use crate::change::What;
use crate::command::Reply;
use crate::decide::{Draft, graph};
use crate::id::{EnvId, JobId, NodeId};
use crate::instance::{Asked, Instance, InstanceKey, Stage};
use crate::limits;
use crate::mistake::Mistake;
use crate::state::State;
use crate::task::TaskKey;
use crate::time::Timestamp;

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
        .filter(|node| node.room() > 0 || draft.errs(Mistake::Overfill))
        .max_by_key(|node| (node.free_slots() > 0, Some(node.id) != before, node.free_slots(), node.room()))
        .map(|node| node.id)
}

/// Asks back what has waited long enough behind a busy slot, as much as idle slots could take now.
fn ask_back(draft: &mut Draft<'_>, env: EnvId) {
    if next_instance(draft, env).is_some() {
        return;
    }
    let wanted = wanted_back(&draft.state, env);
    let due: Vec<InstanceKey> = waiting_behind(&draft.state, env)
        .take_while(|(since, _)| since.plus_ms(limits::NODE_AHEAD_PATIENCE_MS) <= draft.now)
        .map(|(_, key)| key)
        .take(wanted)
        .collect();
    for key in due {
        draft.record(What::InstanceAsked(key, Asked::Return));
    }
}

/// When something in `env` is to be asked back; `None` when nothing is.
pub(super) fn ask_back_due(state: &State, env: EnvId) -> Option<Timestamp> {
    let (since, _) = waiting_behind(state, env).next()?;
    (wanted_back(state, env) > 0).then(|| since.plus_ms(limits::NODE_AHEAD_PATIENCE_MS))
}

/// How many instances idle slots could take beyond those that are on their way back already.
fn wanted_back(state: &State, env: EnvId) -> usize {
    let idle: usize = state.nodes_of(env).map(|node| node.free_slots()).sum();
    if idle == 0 {
        return 0;
    }
    let coming = ahead(state, env).filter(|(_, row)| matches!(row.stage, Stage::Held { asked: Asked::Return, .. }));
    idle.saturating_sub(coming.count())
}

/// Instances that wait on a full node and have not been asked back, the longest waiting first.
fn waiting_behind(state: &State, env: EnvId) -> impl Iterator<Item = (Timestamp, InstanceKey)> {
    ahead(state, env).filter_map(|(since, row)| match row.stage {
        Stage::Held { node, started: false, asked: Asked::Run } => {
            let full = state.node(node).is_some_and(|node| node.held.len() > node.slots as usize);
            full.then_some((since, row.key))
        }
        _ => None,
    })
}

/// Instances of an environment that are held and have not started, by the time they were placed.
fn ahead(state: &State, env: EnvId) -> impl Iterator<Item = (Timestamp, &Instance)> {
    let (from, to) = ((env, Timestamp(i64::MIN), InstanceKey::FIRST), (env, Timestamp::NEVER, InstanceKey::LAST));
    let entries = state.index.ahead.range(from..=to);
    entries.filter_map(|(_, since, key)| Some((*since, state.instance(*key)?.as_ref())))
}
