//! One instance that is ended by order.

use crate::command::{Refusal, Reply};
use crate::decide::{Draft, end};
use crate::id::JobId;
use crate::instance::{InstanceKey, Stage};
use crate::task::Intent;

/// What waits fails at once; what a node has is ended there first; what has ended stays as it is. No retry follows.
pub(super) fn instance(draft: &mut Draft<'_>, job: JobId, task: &str, index: u64) -> Result<Reply, Refusal> {
    let key = find(draft, job, task, index)?;
    let Some(row) = draft.state.task(key.task_key()) else { return Ok(Reply::Done) };
    if row.phase.is_finished() {
        return Ok(Reply::Done);
    }
    let in_bulk = row.bulk.contains(key.index);
    let Some(stage) = draft.state.instance(key).map(|row| row.stage) else {
        if in_bulk {
            end::end(draft, key, &Intent::Terminate.reason());
        }
        return Ok(Reply::Done);
    };
    match stage {
        Stage::Waiting { .. } | Stage::Held { .. } | Stage::FailedInterrupted if end::is_open(draft, key) => {
            end::end(draft, key, &Intent::Terminate.reason());
        }
        Stage::Waiting { .. } | Stage::Held { .. } | Stage::FailedInterrupted | Stage::Succeed => {}
        Stage::Failed => {
            let redone = draft.state.instance(key).is_some_and(|instance| {
                draft.state.task(key.task_key()).is_some_and(|task| task.redoes(key.index, instance.phase()))
            });
            if redone {
                return Err(Refusal::InstanceRedone(index));
            }
        }
    }
    Ok(Reply::Done)
}

/// Tencent has one code for whatever is missing: the job, the task or the instance.
fn find(draft: &Draft<'_>, id: JobId, name: &str, index: u64) -> Result<InstanceKey, Refusal> {
    let missing = |lacks: String, path: &str| Refusal::NoInstance { job: id, lacks, path: path.into() };
    let job = draft.state.job(id).ok_or_else(|| missing("not been submitted, or has been deleted".into(), "JobId"))?;
    let tasks = job.spec.tasks.iter().zip(0u32..);
    let (spec, task) = tasks
        .into_iter()
        .find(|(task, _)| task.name == name)
        .ok_or_else(|| missing(format!("no task `{name}`"), "TaskName"))?;
    let index = u32::try_from(index).ok().filter(|index| *index < spec.instances).ok_or_else(|| {
        let lacks = format!("no instance {index} in its task `{name}`, which has {}", spec.instances);
        missing(lacks, "TaskInstanceIndex")
    })?;
    Ok(InstanceKey { job: id, task, index })
}
