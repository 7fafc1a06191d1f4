//! Jobs of which nothing runs although something could: those who asked are told why, and again when that changes.

use std::sync::Arc;

use crate::change::What;
use crate::decide::{Draft, Owner, Settings};
use crate::event::{EventName, Subject};
use crate::explain::{TaskWhy, Why, explain};
use crate::id::JobId;
use crate::limits;
use crate::state::State;
use crate::time::Timestamp;

/// When to look next why a job does not run; `None`: there is none, or nobody is to be told.
pub(super) fn due(state: &State, settings: &Settings) -> Option<Timestamp> {
    let (since, _) = state.index.stalled.get_min()?;
    (settings.blocked_after_s > 0).then(|| since.plus_s(settings.blocked_after_s))
}

/// Looks at the jobs whose time has come.
pub(super) fn look(draft: &mut Draft<'_>) {
    if draft.settings.blocked_after_s == 0 {
        return;
    }
    let until = draft.now.minus_s(draft.settings.blocked_after_s);
    let due = draft.state.index.stalled.range(..=(until, JobId::LAST));
    let jobs: Vec<JobId> = due.map(|(_, job)| *job).take(limits::BLOCKED_LOOKS).collect();
    for id in jobs {
        look_at(draft, id);
    }
}

fn look_at(draft: &mut Draft<'_>, id: JobId) {
    let Some(job) = draft.state.job(id).cloned() else { return };
    let tasks = explain(&draft.state, &job, draft.now).tasks;
    let reasons: Vec<TaskWhy> = tasks.into_iter().filter(|task| task.why != Why::Finished).collect();
    let told: Vec<(u32, Why)> = reasons.iter().map(|task| (task.task, task.why)).collect();
    if told == job.blocked || !told.iter().any(|(_, why)| why.lacks_place()) {
        draft.record(What::JobStillBlocked(id));
        return;
    }
    let reasons: Arc<[TaskWhy]> = reasons.into();
    draft.record_event(What::JobBlocked(id, told), EventName::JobBlocked, Owner::Job(id), |state| {
        Some(Subject::Blocked(state.job(id)?.clone(), reasons))
    });
}
