//! How instances change, and the counts of their task and job with them.

use crate::change::{RunEnd, What};
use crate::evolve::{edit_job, edit_task};
use crate::id::NodeId;
use crate::instance::{Asked, Instance, InstanceKey, Stage};
use crate::limits;
use crate::phase::Phase;
use crate::state::{RowKey, State};
use crate::time::Timestamp;

/// Applies a change of an instance; false when it is none.
pub(super) fn evolve(state: &mut State, what: &What, at: Timestamp) -> bool {
    match what {
        What::InstancePlaced(key, node) => placed(state, *key, *node, at),
        What::InstanceAsked(key, asked) => asked_of(state, *key, *asked),
        What::InstanceReturned(key) => returned(state, *key),
        What::InstanceStarted(key) => step(state, *key, |row| {
            if let Stage::Held { node, asked, .. } = row.stage {
                row.stage = Stage::Held { node, started: true, asked };
                row.running = Some(at);
            }
        }),
        What::InstanceSucceeded(key, end) => step(state, *key, |row| {
            close(row, end);
            row.stage = Stage::Succeed;
            row.ended = Some(at);
        }),
        What::InstanceRetrying(key, end, not_before) => step(state, *key, |row| {
            close(row, end);
            row.failures += 1;
            row.stage = Stage::Waiting { not_before: *not_before };
        }),
        What::PauseEnded(key) => step(state, *key, |row| {
            row.stage = Stage::Waiting { not_before: at };
        }),
        What::InstanceFailed(key, end) => step(state, *key, |row| {
            close(row, end);
            row.stage = Stage::Failed;
            row.ended = Some(at);
        }),
        What::InstanceInterrupted(key, end) => step(state, *key, |row| {
            close(row, end);
            row.failures += 1;
            row.stage = Stage::FailedInterrupted;
        }),
        _ => return false,
    }
    true
}

fn placed(state: &mut State, key: InstanceKey, node: NodeId, at: Timestamp) {
    let Some((env, machine)) = state.node(node).map(|node| (node.env, node.machine)) else { return };
    let before = state.task(key.task_key()).map_or(0, |task| task.attempts);
    step(state, key, |row| {
        row.stage = Stage::Held { node, started: false, asked: Asked::Run };
        row.attempt = row.attempt.max(before) + 1;
        row.launched = Some(at);
        row.running = None;
        row.exit_code = None;
        row.reason.clear();
        row.node = Some(node);
        row.machine = Some(machine);
        row.env = Some(env);
    });
    if let Some(job) = state.job(key.job) {
        let rank = limits::PRIORITY.saturating_sub(job.spec.priority);
        state.index.turns.insert((env, rank), key.job);
    }
}

fn asked_of(state: &mut State, key: InstanceKey, asked: Asked) {
    step(state, key, |row| {
        if let Stage::Held { node, started, .. } = row.stage {
            row.stage = Stage::Held { node, started, asked };
        }
    });
}

/// The attempt's number stays used: a report of it that comes late must not be taken for one of the next.
fn returned(state: &mut State, key: InstanceKey) {
    step(state, key, |row| {
        row.stage = Stage::Waiting { not_before: Timestamp::default() };
        row.launched = None;
    });
}

fn close(row: &mut Instance, end: &RunEnd) {
    row.exit_code = end.exit_code;
    row.reason.clone_from(&end.reason);
}

/// Changes an instance, giving it a row if it has none yet, and brings counts and indexes along.
fn step(state: &mut State, key: InstanceKey, change: impl FnOnce(&mut Instance)) {
    let Some(task) = state.task(key.task_key()) else { return };
    let before = match state.instance(key) {
        Some(row) => (**row).clone(),
        None if task.bulk.contains(key.index) => fresh(key, task.created),
        None => return,
    };
    let from = state.instance(key).map_or_else(|| task.bulk_phase(), |row| row.phase());
    let mut after = before.clone();
    change(&mut after);
    let to = after.phase();
    unindex(state, &before);
    index(state, &after);
    state.dirty.insert(RowKey::Instance(key));
    state.instances.put(key, after);
    if from != to {
        edit_job(state, key.job, |job| {
            job.instances.shift(from, to, 1);
            if to == Phase::Starting {
                job.blocked.clear();
            }
        });
    }
    edit_task(state, key.task_key(), |task| {
        task.bulk.remove(key.index);
        if from != to {
            task.instances.shift(from, to, 1);
        }
        task.has_run |= to == Phase::Running && task.phase == Phase::Running;
    });
}

/// The row of an instance that leaves its task's bulk state.
fn fresh(key: InstanceKey, created: Timestamp) -> Instance {
    Instance {
        key,
        stage: Stage::Waiting { not_before: Timestamp::default() },
        attempt: 0,
        failures: 0,
        created,
        launched: None,
        running: None,
        ended: None,
        exit_code: None,
        reason: String::new(),
        node: None,
        machine: None,
        env: None,
    }
}

fn unindex(state: &mut State, row: &Instance) {
    match row.stage {
        Stage::Waiting { not_before } => {
            state.index.returned.remove(&row.key);
            state.index.pausing.remove(&(not_before, row.key));
        }
        Stage::Held { node, .. } => {
            if let Some(node) = state.nodes.edit(&node) {
                node.held.remove(&row.key);
            }
            if let (Some(env), Some(since)) = (row.env, row.launched) {
                state.index.ahead.remove(&(env, since, row.key));
            }
        }
        Stage::FailedInterrupted => {
            if let Some(node) = row.node.and_then(|node| state.nodes.edit(&node)) {
                node.kept.remove(&row.key);
            }
        }
        Stage::Succeed | Stage::Failed => {}
    }
}

fn index(state: &mut State, row: &Instance) {
    match row.stage {
        Stage::Waiting { not_before } if not_before > state.now => {
            state.index.pausing.insert((not_before, row.key));
        }
        Stage::Waiting { .. } => {
            state.index.returned.insert(row.key);
        }
        Stage::Held { node, started, .. } => {
            if let Some(node) = state.nodes.edit(&node) {
                node.held.insert(row.key);
            }
            if let (false, Some(env), Some(since)) = (started, row.env, row.launched) {
                state.index.ahead.insert((env, since, row.key));
            }
        }
        Stage::FailedInterrupted => {
            if let Some(node) = row.node.and_then(|node| state.nodes.edit(&node)) {
                node.kept.insert(row.key);
            }
        }
        Stage::Succeed | Stage::Failed => {}
    }
}
