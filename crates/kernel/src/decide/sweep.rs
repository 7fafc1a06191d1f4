//! What nobody asks for by name: intents carried out in chunks, and what time alone makes due.

use crate::change::What;
use crate::command::{Command, Reply};
use crate::decide::{Draft, environment, graph, run};
use crate::id::EnvId;
use crate::instance::{Asked, InstanceKey, Stage};
use crate::limits;
use crate::state::State;
use crate::task::{Intent, TaskKey};
use crate::time::Timestamp;

/// What is to be done next in `state` without anyone asking, and when to look again at the latest. The ledger takes
/// it into the same commit as what made it due.
#[must_use]
pub fn follow_ups(state: &State, now: Timestamp) -> (Vec<Command>, Timestamp) {
    let mut commands = Vec::new();
    let pause_ends = state.index.pausing.get_min().map_or(Timestamp::NEVER, |(at, _)| *at);
    if pause_ends <= now {
        commands.push(Command::Tick);
    }
    if !state.index.sweeps.is_empty() {
        commands.push(Command::Sweep);
    }
    let mut wake = if pause_ends > now { pause_ends } else { Timestamp::NEVER };
    for env in ready_envs(state) {
        if state.nodes_of(env).any(|node| node.room() > 0) {
            commands.push(Command::Place(env));
        }
    }
    for (env, due) in ahead_due(state) {
        if due > now {
            wake = wake.min(due);
        } else if !state.index.ready.iter().any(|(of, ..)| *of == env) {
            commands.push(Command::Place(env));
        }
    }
    (commands, wake)
}

fn ready_envs(state: &State) -> Vec<EnvId> {
    let mut envs: Vec<EnvId> = Vec::new();
    let mut from = state.index.ready.get_min().map(|entry| entry.0);
    while let Some(env) = from {
        envs.push(env);
        let after = (env, u64::MAX, crate::id::JobId::LAST, u32::MAX);
        from = state
            .index
            .ready
            .range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded))
            .next()
            .map(|entry| entry.0);
    }
    envs
}

/// Environments in which something waits behind a busy slot while another slot is idle, and when that is to be
/// asked back.
fn ahead_due(state: &State) -> Vec<(EnvId, Timestamp)> {
    let mut due: Vec<(EnvId, Timestamp)> = Vec::new();
    for (env, since, key) in &state.index.ahead {
        let asked = state.instance(*key).is_some_and(|row| !matches!(row.stage, Stage::Held { asked: Asked::Run, .. }));
        let known = due.last().is_some_and(|(last, _)| last == env);
        if !asked && !known && state.nodes_of(*env).any(|node| node.free_slots() > 0) {
            let full = state.instance(*key).and_then(|row| row.holder()).and_then(|node| state.node(node));
            if full.is_some_and(|node| node.held.len() > node.slots as usize) {
                due.push((*env, since.plus_ms(limits::NODE_AHEAD_PATIENCE_MS)));
            }
        }
    }
    due
}

/// Carries out intents: at most [`limits::SWEEP_INSTANCES`] instances.
pub(super) fn sweep(draft: &mut Draft<'_>) -> Reply {
    let mut left = limits::SWEEP_INSTANCES;
    while left > 0 {
        let Some(key) = draft.state.index.sweeps.get_min().copied() else { break };
        let done = sweep_task(draft, key, left);
        if done < left {
            draft.record(What::TaskSwept(key));
        }
        left -= done;
    }
    Reply::Done
}

/// Ends up to `most` instances of a task; says how many.
fn sweep_task(draft: &mut Draft<'_>, key: TaskKey, most: usize) -> usize {
    let Some(task) = draft.state.task(key).cloned() else { return 0 };
    let reason = task.intent.as_ref().map(Intent::reason).unwrap_or_default();
    let rows: Vec<InstanceKey> = draft
        .state
        .instances_of(key)
        .filter(|row| match row.stage {
            Stage::Waiting { .. } => true,
            Stage::Held { asked, .. } => asked != Asked::Kill,
            _ => false,
        })
        .map(|row| row.key)
        .take(most)
        .collect();
    for key in &rows {
        if run::held_started(draft, *key).is_some() {
            draft.record(What::InstanceAsked(*key, Asked::Kill));
        } else {
            let end = run::unreported(draft, &reason);
            run::failed(draft, *key, end);
        }
    }
    let at = |index| InstanceKey { job: key.job, task: key.task, index };
    let bulk: Vec<InstanceKey> = task.bulk.indexes().take(most - rows.len()).map(at).collect();
    for key in &bulk {
        let end = run::unreported(draft, &reason);
        run::failed(draft, *key, end);
    }
    rows.len() + bulk.len()
}

/// Ends pauses that are over.
pub(super) fn tick(draft: &mut Draft<'_>) -> Reply {
    let due: Vec<InstanceKey> = draft
        .state
        .index
        .pausing
        .range(..=(draft.now, InstanceKey::LAST))
        .map(|(_, key)| *key)
        .take(limits::SWEEP_INSTANCES)
        .collect();
    for key in due {
        draft.record(What::PauseEnded(key));
        graph::settle_task(draft, key.task_key());
    }
    environment::reconcile_all(draft);
    Reply::Done
}
