//! Jobs: what changes, what was submitted, and tags.

use std::sync::{Arc, LazyLock};

use kernel::id::JobId;
use kernel::job::Job;

use crate::engine::{Cells, Corrupt};
use crate::rows::{phase, push_counts, read_counts};
use crate::statement::{Statement, json, places, values};

/// The columns that change, without those of counts.
const STATE: &str = "state, ended, reason, terminating, has_run, blocked, outlets";

/// The columns of both counts, in the order of [`push_counts`].
const COUNTS: &str = "task_submitted, task_pending, task_runnable, task_starting, task_running, task_succeed, \
                      task_failed, task_failed_interrupted, instance_submitted, instance_pending, instance_runnable, \
                      instance_starting, instance_running, instance_succeed, instance_failed, \
                      instance_failed_interrupted";

/// All that a job is; read by [`read`].
pub(crate) static SELECT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select job.id, job.created, {STATE}, {COUNTS}, job_spec.spec from job join job_spec on job_spec.job = job.id"
    )
});

static INSERT: LazyLock<String> = LazyLock::new(|| {
    format!("insert into job (id, created, name, zone, {STATE}, {COUNTS}) values ({})", places(1, 4 + 7 + 16))
});

static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let columns = STATE.split(", ").chain(COUNTS.split(", "));
    let sets: Vec<String> = columns.enumerate().map(|(at, column)| format!("{column} = ?{}", at + 1)).collect();
    format!("update job set {} where id = ?{}", sets.join(", "), sets.len() + 1)
});

pub(crate) fn put(job: &Job, fresh: bool) -> Vec<Statement<'_>> {
    let mut values = if fresh { values![job.id, job.created, &job.spec.name, &job.spec.zone] } else { Vec::new() };
    values.extend(values![
        job.phase.as_str(),
        job.ended,
        &job.reason,
        job.terminating,
        job.has_run,
        (!job.blocked.is_empty()).then(|| json(&job.blocked)),
        json(&job.outlets),
    ]);
    push_counts(&mut values, &job.tasks);
    push_counts(&mut values, &job.instances);
    if !fresh {
        values.push(job.id.into());
        return vec![Statement::one(&**UPDATE, values)];
    }
    let mut statements = vec![
        Statement::new(&**INSERT, values),
        Statement::new("insert into job_spec (job, spec) values (?1, ?2)", values![job.id, json(&*job.spec)]),
    ];
    for (place, (key, value)) in (0u32..).zip(&job.spec.tags) {
        let text = "insert into job_tag (job, place, key, value) values (?1, ?2, ?3, ?4)";
        statements.push(Statement::new(text, values![job.id, place, key, value]));
    }
    statements
}

pub(crate) fn delete(id: JobId) -> Vec<Statement<'static>> {
    vec![
        Statement::new("delete from job where id = ?1", values![id]),
        Statement::new("delete from job_spec where job = ?1", values![id]),
        Statement::new("delete from job_tag where job = ?1", values![id]),
    ]
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Job, Corrupt> {
    let (id, created) = (cells.id(JobId::from_number)?, cells.time()?);
    let (phase, ended, reason) = (phase(cells)?, cells.opt_time()?, cells.string()?);
    let (terminating, has_run) = (cells.flag()?, cells.flag()?);
    let blocked = cells.opt_text(|text| serde_json::from_str(text).ok())?.unwrap_or_default();
    let outlets = cells.json()?;
    let (tasks, instances) = (read_counts(cells)?, read_counts(cells)?);
    let spec = Arc::new(cells.json()?);
    Ok(Job { id, spec, phase, created, ended, reason, terminating, has_run, tasks, instances, blocked, outlets })
}
