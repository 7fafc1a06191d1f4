//! What follows when an instance, a task or a job changes its state: the wholes follow their parts, and tasks that
//! waited are started or given up.

use crate::change::What;
use crate::decide::{Draft, Owner};
use crate::event::{EventName, Subject};
use crate::id::JobId;
use crate::mistake::Mistake;
use crate::phase::Phase;
use crate::task::{Intent, TaskKey};

/// Brings a task, and with it its job, into the state that its instances call for.
pub(super) fn settle_task(draft: &mut Draft<'_>, key: TaskKey) {
    let Some(task) = draft.state.task(key) else { return };
    let phase = task.instances.whole(task.has_run);
    if phase == task.phase || task.phase.is_finished() {
        return;
    }
    let reason = match (&task.intent, phase) {
        (Some(intent), Phase::Failed) => intent.reason(),
        (None, Phase::Failed) => {
            format!("{} of {} instances failed", task.instances.of(Phase::Failed), task.instances.total())
        }
        _ => String::new(),
    };
    enter_task(draft, key, phase, reason);
    if phase.is_finished() {
        wake_successors(draft, key);
    }
    settle_job(draft, key.job);
}

fn enter_task(draft: &mut Draft<'_>, key: TaskKey, phase: Phase, reason: String) {
    let what = What::TaskEntered(key, phase, reason);
    // It is told once that it runs, also when what was interrupted lies in between.
    let told =
        phase == Phase::Running && draft.state.task(key).is_some_and(|task| task.phase == Phase::FailedInterrupted);
    match EventName::of_task(phase).filter(|_| !told) {
        Some(name) => draft.record_event(what, name, Owner::Job(key.job), |state| {
            Some(Subject::Task(state.job(key.job)?.spec.clone(), state.task(key)?.clone()))
        }),
        None => draft.record(what),
    }
}

/// Starts or gives up the tasks that waited for one that has ended.
fn wake_successors(draft: &mut Draft<'_>, ended: TaskKey) {
    let Some(job) = draft.state.job(ended.job).cloned() else { return };
    for number in job.successors(ended.task) {
        let key = TaskKey { job: ended.job, task: number };
        let Some(task) = draft.state.task(key) else { continue };
        if task.phase != Phase::Pending || task.intent.is_some() {
            continue;
        }
        match readiness(draft, &job, number) {
            Readiness::Wait => {}
            Readiness::Ready => draft.record(What::TaskReady(key)),
            Readiness::Never(task) => draft.record(What::TaskIntended(key, Intent::DependenceUnmet { task })),
        }
    }
}

enum Readiness {
    Wait,
    Ready,
    Never(String),
}

fn readiness(draft: &Draft<'_>, job: &crate::job::Job, number: u32) -> Readiness {
    let mut all_ended = true;
    for before in job.predecessors(number) {
        let Some(task) = draft.state.task(TaskKey { job: job.id, task: before }) else { continue };
        if !task.phase.is_finished() {
            all_ended = false;
        } else if !job.spec.depend_on.satisfied(&task.instances) {
            return Readiness::Never(job.spec.tasks[before as usize].name.clone());
        }
    }
    if all_ended || draft.errs(Mistake::BeginEarly) { Readiness::Ready } else { Readiness::Wait }
}

/// Brings a job into the state that its tasks call for.
fn settle_job(draft: &mut Draft<'_>, id: JobId) {
    let Some(job) = draft.state.job(id) else { return };
    let phase = job.tasks.whole(job.has_run);
    if phase == job.phase || job.phase.is_finished() {
        return;
    }
    let told = phase == Phase::Running && job.phase == Phase::FailedInterrupted && job.has_run;
    let reason = if phase == Phase::Failed { failure(draft, id) } else { String::new() };
    let what = What::JobEntered(id, phase, reason);
    match EventName::of_job(phase).filter(|_| !told) {
        Some(name) => {
            draft.record_event(what, name, Owner::Job(id), |state| state.job(id).cloned().map(Subject::Job));
        }
        None => draft.record(what),
    }
}

/// Why a job failed: what its first failed task says that failed of itself.
fn failure(draft: &Draft<'_>, id: JobId) -> String {
    let Some(job) = draft.state.job(id) else { return String::new() };
    if job.terminating {
        return Intent::Terminate.reason();
    }
    let failed = || draft.state.tasks_of(id).filter(|task| task.phase == Phase::Failed);
    let first = failed().find(|task| task.intent.is_none()).or_else(|| failed().next());
    first.map_or_else(String::new, |task| {
        format!("task {}: {}", job.spec.tasks[task.key.task as usize].name, task.reason)
    })
}
