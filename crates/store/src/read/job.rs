//! Jobs, alone and in pages.

use std::sync::Arc;

use kernel::id::JobId;
use kernel::job::Job;

use crate::engine::{Engine, EngineError, first};
use crate::load::tasks_of;
use crate::page::{JobFilter, JobRows, Page, Span};
use crate::read::{Conditions, page};
use crate::rows::job;
use crate::statement::{Statement, Value, values};

pub(crate) fn job(engine: &mut dyn Engine, id: JobId) -> Result<Option<JobRows>, EngineError> {
    let text = format!("{} where job.id = ?1", *job::SELECT);
    let Some(job) = first(engine, &Statement::new(text, values![id]), job::read)? else { return Ok(None) };
    let tasks = tasks_of(engine, id)?.into_iter().map(Arc::new).collect();
    Ok(Some(JobRows { job: Arc::new(job), tasks }))
}

pub(crate) fn jobs(engine: &mut dyn Engine, filter: &JobFilter, span: Span) -> Result<Page<Arc<Job>>, EngineError> {
    let mut conditions = Conditions::new();
    conditions.within("job.id", filter.ids.iter().map(|id| Value::from(*id)));
    conditions.within("job.name", filter.names.iter().map(Value::from));
    conditions.within("job.state", filter.phases.iter().map(|phase| Value::from(phase.as_str())));
    conditions.within("job.zone", filter.zones.iter().map(Value::from));
    conditions.tagged("job_tag", "job", "job.id", &filter.tags);
    let order = "job.created desc, job.id desc";
    page(engine, "job", &job::SELECT, conditions, order, span, |row| job::read(row).map(Arc::new))
}
