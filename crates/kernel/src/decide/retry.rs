//! Failed jobs that run again. What succeeded stays; failed instances become as if they never had been run, task by
//! task along the graph. They may be a million, so only their counts change at once; their rows follow in chunks
//! (`sweep`).

use crate::change::What;
use crate::command::{Refusal, Reply};
use crate::decide::{Draft, Owner, job};
use crate::event::{EventName, Subject};
use crate::id::JobId;
use crate::job::Job;
use crate::phase::Phase;

/// All of them or none.
pub(super) fn retry(draft: &mut Draft<'_>, ids: &[JobId]) -> Result<Reply, Refusal> {
    for (position, id) in ids.iter().enumerate() {
        check(draft, *id, format!("JobIds.{position}"))?;
    }
    job::check_quota(draft, ids.len() as u64)?;
    for id in ids {
        // One that is named twice is retried once.
        if draft.state.job(*id).is_some_and(|job| job.phase == Phase::Failed) {
            let tasks = failed_tasks(draft, *id);
            draft.record_event(What::JobRetried(*id, tasks), EventName::JobRetried, Owner::Job(*id), |state| {
                state.job(*id).cloned().map(Subject::Job)
            });
        }
    }
    Ok(Reply::Done)
}

fn check(draft: &Draft<'_>, id: JobId, path: String) -> Result<(), Refusal> {
    let job = draft.state.job(id).ok_or(Refusal::NoJob(id))?;
    if job.phase != Phase::Failed {
        return Err(Refusal::JobNotFailed { job: id, state: job.phase.as_str(), path });
    }
    match homeless(draft, job) {
        None => Ok(()),
        Some((task, problem)) => {
            let spec = &job.spec.tasks[task as usize];
            Err(Refusal::RetryWithoutEnv { job: id, task: spec.name.clone(), env: spec.env, problem, path })
        }
    }
}

/// A failed task whose environment cannot take it any more, and why.
fn homeless(draft: &Draft<'_>, job: &Job) -> Option<(u32, &'static str)> {
    draft.state.tasks_of(job.id).filter(|task| task.phase == Phase::Failed).find_map(|task| {
        // Nodes of a task's own are made for it as before.
        let spec = job.spec.tasks.get(task.key.task as usize).filter(|spec| spec.own.is_none())?;
        match draft.state.env(spec.env) {
            None => Some((task.key.task, "does not exist any more")),
            Some(env) if env.deleting => Some((task.key.task, "is being deleted")),
            Some(_) => None,
        }
    })
}

/// The failed tasks of a job, and the state in which they begin anew. A failed task is run again itself, so one that
/// comes after it waits for it, whatever satisfies their edge.
fn failed_tasks(draft: &Draft<'_>, id: JobId) -> Vec<(u32, Phase)> {
    let Some(job) = draft.state.job(id) else { return Vec::new() };
    let phase = |task: u32| draft.state.task(crate::task::TaskKey { job: id, task }).map(|task| task.phase);
    let numbers = draft.state.tasks_of(id).filter(|task| task.phase == Phase::Failed).map(|task| task.key.task);
    let begins = |task: u32| {
        let waits = job.predecessors(task).any(|before| phase(before) == Some(Phase::Failed));
        if waits { Phase::Pending } else { Phase::Runnable }
    };
    numbers.map(|task| (task, begins(task))).collect()
}
