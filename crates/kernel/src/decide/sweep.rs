//! What nobody asks for by name: intents carried out in chunks, and what time alone makes due.

use std::ops::Bound;

use crate::change::What;
use crate::command::{Command, Reply};
use crate::decide::{Draft, Settings, blocked, elastic, end, environment, graph, place, run};
use crate::id::EnvId;
use crate::instance::{InstanceKey, Stage};
use crate::limits;
use crate::state::State;
use crate::task::{Intent, TaskKey};
use crate::time::Timestamp;

/// What is to be done next in `state` without anyone asking, and when to look again at the latest. The ledger takes
/// it into the same commit as what made it due.
#[must_use]
pub fn follow_ups(state: &State, settings: &Settings, now: Timestamp) -> (Vec<Command>, Timestamp) {
    let mut commands = Vec::new();
    let pause_ends = state.index.pausing.get_min().map_or(Timestamp::NEVER, |(at, _)| *at);
    let token_ends =
        state.index.token_ages.get_min().map_or(Timestamp::NEVER, |(used, _)| used.plus_ms(limits::CLIENT_TOKEN_MS));
    let due = pause_ends.min(token_ends).min(blocked::due(state, settings).unwrap_or(Timestamp::NEVER));
    if due <= now {
        commands.push(Command::Tick);
    }
    if !state.index.sweeps.is_empty() {
        commands.push(Command::Sweep);
    }
    let mut wake = if due > now { due } else { Timestamp::NEVER };
    let ready = ready_envs(state);
    for env in &ready {
        if state.nodes_of(*env).any(|node| node.room() > 0) {
            commands.push(Command::Place(*env));
        }
    }
    for env in envs_ahead(state).into_iter().filter(|env| !ready.contains(env)) {
        match place::ask_back_due(state, env) {
            Some(due) if due <= now => commands.push(Command::Place(env)),
            Some(due) => wake = wake.min(due),
            None => {}
        }
    }
    if elastic::is_due(state, settings, now) {
        commands.push(Command::Steer);
    }
    (commands, wake)
}

/// Environments with an instance that could be placed now.
fn ready_envs(state: &State) -> Vec<EnvId> {
    let mut envs: Vec<EnvId> = Vec::new();
    let mut from = state.index.ready.get_min().map(|entry| entry.0);
    while let Some(env) = from {
        envs.push(env);
        let after = (env, u64::MAX, crate::id::JobId::LAST, u32::MAX);
        from = state.index.ready.range((Bound::Excluded(after), Bound::Unbounded)).next().map(|entry| entry.0);
    }
    envs
}

/// Environments with an instance that is held and has not started.
fn envs_ahead(state: &State) -> Vec<EnvId> {
    let mut envs = Vec::new();
    let mut from = state.index.ahead.get_min().map(|entry| entry.0);
    while let Some(env) = from {
        envs.push(env);
        let after = (env, Timestamp::NEVER, InstanceKey::LAST);
        from = state.index.ahead.range((Bound::Excluded(after), Bound::Unbounded)).next().map(|entry| entry.0);
    }
    envs
}

/// What the next [`Command::Sweep`] needs: of this task up to so many failed instances, from this index on.
#[must_use]
pub fn redo_needs(state: &State) -> Option<(TaskKey, u32, usize)> {
    let (key, redo) = state.index.sweeps.iter().find_map(|key| {
        // One whose ranges are too many is to be ended as well: that goes first, and makes them fewer.
        let task = state.task(*key).filter(|task| task.bulk.pieces() < limits::BULK_RANGES)?;
        Some((*key, task.redo?))
    })?;
    Some((key, redo.from, limits::SWEEP_INSTANCES))
}

/// Carries out retries and intents: at most [`limits::SWEEP_INSTANCES`] instances.
pub(super) fn sweep(draft: &mut Draft<'_>) -> Reply {
    let mut left = limits::SWEEP_INSTANCES;
    if let Some((key, from, _)) = redo_needs(&draft.state) {
        left -= redo_task(draft, key, from, left);
    }
    while left > 0 {
        let intended = |key: &&TaskKey| draft.state.task(**key).is_some_and(|task| task.intent.is_some());
        let Some(key) = draft.state.index.sweeps.iter().find(intended).copied() else { break };
        let done = sweep_task(draft, key, left);
        if done < left && draft.state.task(key).is_some_and(|task| task.redo.is_some()) {
            break; // Others of it are still to be made ready, and end with the next chunk.
        }
        if done < left {
            draft.record(What::TaskSwept(key));
        }
        left -= done;
    }
    Reply::Done
}

/// Has up to `most` failed instances forget their runs, those that were loaded; says how many.
fn redo_task(draft: &mut Draft<'_>, key: TaskKey, from: u32, most: usize) -> usize {
    let at = |index| InstanceKey { job: key.job, task: key.task, index };
    let rows = draft.state.instances.range(at(from)..=at(u32::MAX));
    let failed = rows.filter(|(_, row)| row.stage == Stage::Failed).map(|(key, _)| key.index);
    let indexes: Vec<u32> = failed.take(most).collect();
    let done = indexes.len();
    if done > 0 {
        draft.record(What::InstancesReset(key, indexes));
    }
    done
}

/// Ends up to `most` instances of a task; says how many.
fn sweep_task(draft: &mut Draft<'_>, key: TaskKey, most: usize) -> usize {
    let Some(task) = draft.state.task(key).cloned() else { return 0 };
    let reason = task.intent.as_ref().map(Intent::reason).unwrap_or_default();
    let rows: Vec<InstanceKey> =
        draft.state.instances_of(key).map(|row| row.key).filter(|key| end::is_open(draft, *key)).take(most).collect();
    for key in &rows {
        end::end(draft, *key, &reason);
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
    let old = |used: Timestamp| draft.now.since_ms(used) >= limits::CLIENT_TOKEN_MS;
    let ages = draft.state.index.token_ages.iter().take_while(|(used, _)| old(*used));
    let forgotten: Vec<String> = ages.map(|(_, key)| key.clone()).take(limits::EXPIRE_ROWS).collect();
    for key in forgotten {
        draft.record(What::TokenForgotten(key));
    }
    blocked::look(draft);
    environment::reconcile_all(draft);
    Reply::Done
}
