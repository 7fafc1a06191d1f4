//! Jobs: accepted, ended by order, erased.

use std::sync::Arc;

use crate::change::What;
use crate::command::{Refusal, Reply, Token};
use crate::decide::{Draft, Owner, remember, remembered, resolve_topics};
use crate::event::{EventName, Subject};
use crate::id::{EnvId, JobId};
use crate::job::{Job, JobSpec};
use crate::phase::{Counts, Phase};
use crate::ranges::Ranges;
use crate::task::{Intent, Task, TaskKey};

pub(super) fn submit(draft: &mut Draft<'_>, mut spec: JobSpec, token: Option<Token>) -> Result<Reply, Refusal> {
    if let Some(answer) = remembered(draft, "SubmitJob", token.as_ref())? {
        return Ok(answer.parse().map_or(Reply::Done, Reply::Job));
    }
    check_events(&spec)?;
    resolve_topics(draft, &mut spec.notifications, "Job")?;
    for (number, task) in spec.tasks.iter_mut().enumerate() {
        if task.own.is_some() {
            task.env = EnvId::draw(draft.rng);
            continue;
        }
        let path = || format!("Job.Tasks.{number}.EnvId");
        match draft.state.public_env(task.env) {
            None => return Err(Refusal::NoEnv { env: task.env, path: path() }),
            Some(env) if env.deleting => return Err(Refusal::EnvDeleting { env: task.env, path: path() }),
            Some(_) => {}
        }
    }
    check_quota(draft, 1)?;
    let id = JobId::draw(draft.rng);
    let (job, tasks) = rows(draft, id, spec);
    draft.record_event(
        What::JobSubmitted(Box::new(job.clone()), tasks),
        EventName::JobSubmitted,
        Owner::Job(id),
        |state| state.job(id).cloned().map(Subject::Job),
    );
    remember(draft, "SubmitJob", token, id.to_string());
    Ok(Reply::Job(id))
}

/// The rows of a job that begins.
fn rows(draft: &Draft<'_>, id: JobId, spec: JobSpec) -> (Job, Vec<Task>) {
    let mut by_phase = Counts::default();
    let mut instances = Counts::default();
    let mut tasks = Vec::with_capacity(spec.tasks.len());
    for (number, task) in spec.tasks.iter().enumerate() {
        let number = u32::try_from(number).expect("a job's tasks are limited");
        let waits = spec.dependences.iter().any(|(_, then)| *then == number);
        let phase = if waits { Phase::Pending } else { Phase::Runnable };
        let counts = Counts::all_in(phase, u64::from(task.instances));
        by_phase.add(&Counts::all_in(phase, 1));
        instances.add(&counts);
        tasks.push(Task {
            key: TaskKey { job: id, task: number },
            phase,
            created: draft.now,
            ended: None,
            reason: String::new(),
            has_run: false,
            instances: counts,
            bulk: Ranges::up_to(task.instances),
            intent: None,
            redo: None,
            attempts: 0,
        });
    }
    let job = Job {
        id,
        phase: by_phase.whole(false),
        spec: Arc::new(spec),
        created: draft.now,
        ended: None,
        reason: String::new(),
        terminating: false,
        has_run: false,
        tasks: by_phase,
        instances,
        blocked: Vec::new(),
        outlets: crate::event::Outlets::default(),
    };
    (job, tasks)
}

/// Whether so many `more` jobs may go on.
pub(super) fn check_quota(draft: &Draft<'_>, more: u64) -> Result<(), Refusal> {
    let quota = draft.settings.job_quota;
    let living = || draft.state.jobs().filter(|job| !job.phase.is_finished()).count() as u64;
    if quota > 0 && living() + more > quota { Err(Refusal::JobQuota(quota)) } else { Ok(()) }
}

fn check_events(spec: &JobSpec) -> Result<(), Refusal> {
    for (position, notification) in spec.notifications.iter().enumerate() {
        for (event, config) in notification.events.iter().enumerate() {
            if !config.name.is_of_job() {
                let path = format!("Job.Notifications.{position}.EventConfigs.{event}.EventName");
                return Err(Refusal::ForeignEvent { event: config.name, of: "job", path });
            }
        }
    }
    Ok(())
}

pub(super) fn terminate(draft: &mut Draft<'_>, id: JobId) -> Result<Reply, Refusal> {
    let job = draft.state.job(id).ok_or(Refusal::NoJob(id))?.clone();
    if job.phase.is_finished() || job.terminating {
        return Ok(Reply::Done);
    }
    draft.record(What::JobTerminating(id));
    let unfinished: Vec<TaskKey> =
        draft.state.tasks_of(id).filter(|task| !task.phase.is_finished()).map(|task| task.key).collect();
    for key in unfinished {
        draft.record(What::TaskIntended(key, Intent::Terminate));
    }
    Ok(Reply::Done)
}

pub(super) fn explain(draft: &Draft<'_>, id: JobId) -> Result<Reply, Refusal> {
    let job = draft.state.job(id).ok_or(Refusal::NoJob(id))?;
    Ok(Reply::Explained(Box::new(crate::explain::explain(&draft.state, job, draft.now))))
}

pub(super) fn delete(draft: &mut Draft<'_>, id: JobId) -> Result<Reply, Refusal> {
    let job = draft.state.job(id).ok_or(Refusal::NoJob(id))?.clone();
    if !job.phase.is_finished() {
        return Err(Refusal::JobUnfinished(id));
    }
    let subject = Subject::Job(job);
    draft.record_event(What::JobDeleted(id), EventName::JobDeleted, Owner::Job(id), |_| Some(subject));
    Ok(Reply::Done)
}
