//! How jobs run again, and what is known of those that do not run.

use crate::evolve::{edit_job, edit_task};
use crate::explain::Why;
use crate::id::JobId;
use crate::instance::InstanceKey;
use crate::phase::Phase;
use crate::state::{RowKey, State};
use crate::task::{Redo, TaskKey};

/// A failed job begins anew with these tasks. Their failed instances count by the state they begin in from here on;
/// their rows follow.
pub(super) fn retried(state: &mut State, id: JobId, tasks: &[(u32, Phase)]) {
    for (number, phase) in tasks {
        let key = TaskKey { job: id, task: *number };
        let Some(task) = state.task(key) else { continue };
        let (from, failed) = (task.phase, task.instances.of(Phase::Failed));
        edit_job(state, id, |job| {
            job.tasks.shift(from, *phase, 1);
            job.instances.shift(Phase::Failed, *phase, failed);
        });
        edit_task(state, key, |task| {
            task.phase = *phase;
            task.reason.clear();
            task.ended = None;
            task.has_run = false;
            task.intent = None;
            task.instances.shift(Phase::Failed, *phase, failed);
            task.redo = Some(Redo { from: 0, left: failed });
        });
    }
    edit_job(state, id, |job| {
        job.has_run = false;
        job.phase = job.tasks.whole(false);
        job.reason.clear();
        job.ended = None;
    });
    state.index_stalled(id);
}

/// Failed instances lose their rows and go back to where the task's instances begin.
pub(super) fn instances_reset(state: &mut State, key: TaskKey, indexes: &[u32]) {
    let mut attempts = 0;
    for index in indexes {
        let instance = InstanceKey { job: key.job, task: key.task, index: *index };
        state.dirty.insert(RowKey::Instance(instance));
        attempts = attempts.max(state.instances.remove(&instance).map_or(0, |row| row.attempt));
    }
    edit_task(state, key, |task| {
        task.attempts = task.attempts.max(attempts);
        for index in indexes {
            task.bulk.insert(*index);
        }
        let next = indexes.last().map_or(0, |last| last + 1);
        let left = task.redo.map_or(0, |redo| redo.left.saturating_sub(indexes.len() as u64));
        task.redo = (left > 0).then_some(Redo { from: next, left });
    });
}

pub(super) fn blocked(state: &mut State, id: JobId, reasons: &[(u32, Why)]) {
    edit_job(state, id, |job| job.blocked = reasons.to_vec());
    state.stall_anew(id);
}
