//! `SubmitJob`: from a request to a checked job.

use std::collections::BTreeMap;

use kernel::command::Token;
use kernel::job::{DependOn, IfNotCreated, JobSpec, TaskSpec};
use kernel::limits::{DESCRIPTION_CHARS, JOB_TASKS, NAME_CHARS, PRIORITY};
use serde_json::Value;

use super::check::{self, VALUE};
use super::{Site, graph, mask, notification, placement, tag, task, token};
use crate::api3::ApiError;
use crate::fields::{self, Reader};

/// A job to be submitted.
#[derive(Debug, Clone, PartialEq)]
pub struct SubmitJob {
    /// What to run.
    pub spec: JobSpec,
    /// Makes a repeat harmless.
    pub token: Option<Token>,
}

/// Reads the parameters of `SubmitJob`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn submit_job(params: &Value, site: &Site<'_>) -> Result<SubmitJob, ApiError> {
    fields::read(params, "", |request| {
        let zone = placement::zone(request, site)?;
        let spec =
            request.required_object("Job", |job| spec(job, site, zone, mask::without_secrets(params).to_string()))?;
        Ok(SubmitJob { spec, token: token::token(request, params)? })
    })
}

fn spec(job: &Reader<'_>, site: &Site<'_>, zone: String, document: String) -> Result<JobSpec, ApiError> {
    let name = check::text(job, "JobName", NAME_CHARS, "InvalidParameter.JobNameTooLong")?.unwrap_or_default();
    let too_long = "InvalidParameter.JobDescriptionTooLong";
    let description = check::text(job, "JobDescription", DESCRIPTION_CHARS, too_long)?.unwrap_or_default();
    let priority = check::up_to(job, "Priority", PRIORITY, VALUE)?.unwrap_or(0);
    let tasks = tasks(job, site)?;
    let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    let dependences = graph::dependences(job, &names)?;
    let depend_on = depend_on(job)?;
    let states = [("FAILED", IfNotCreated::Failed), ("RUNNABLE", IfNotCreated::Runnable)];
    let if_not_created = check::one_of(job, "StateIfCreateCvmFailed", &states)?.unwrap_or_default();
    let notifications = notification::notifications(job, |event| event.is_of_job())?;
    let tags = tag::tags(job)?;
    Ok(JobSpec {
        name,
        description,
        priority,
        tasks,
        dependences,
        depend_on,
        if_not_created,
        notifications,
        tags,
        zone,
        document,
    })
}

fn depend_on(job: &Reader<'_>) -> Result<DependOn, ApiError> {
    let words = [
        ("PRE_TASK_SUCCEED", DependOn::PreTaskSucceed),
        ("PRE_TASK_AT_LEAST_PARTLY_SUCCEED", DependOn::PreTaskAtLeastPartlySucceed),
        ("PRE_TASK_FINISHED", DependOn::PreTaskFinished),
    ];
    Ok(check::one_of(job, "TaskExecutionDependOn", &words)?.unwrap_or_default())
}

/// The tasks, each with a name of its own: the n-th is `task-<n>` when it was given none.
fn tasks(job: &Reader<'_>, site: &Site<'_>) -> Result<Vec<TaskSpec>, ApiError> {
    let mut tasks = job.objects("Tasks", |one| task::task(one, site))?;
    if tasks.is_empty() {
        let reason = "required: a job has at least one task";
        return Err(job.refuse("Tasks", "MissingParameter", reason));
    }
    check::count(job, "Tasks", tasks.len(), JOB_TASKS)?;
    let mut first = BTreeMap::new();
    for (number, task) in tasks.iter_mut().enumerate() {
        if task.name.is_empty() {
            task.name = format!("task-{}", number + 1);
        }
        if let Some(other) = first.insert(task.name.clone(), number) {
            let reason = format!("`{}` is the name of {} too", task.name, job.path(&format!("Tasks.{other}")));
            return Err(job.refuse(&format!("Tasks.{number}.TaskName"), "InvalidParameter.TaskName", reason));
        }
    }
    Ok(tasks)
}
