//! Requests that ask for parts of lists.

use kernel::id::JobId;
use kernel::phase::Phase;
use serde_json::Value;

use super::check::{self, COMBINATION, VALUE};
use kernel::list::{EnvFilter, JobFilter, Span};

use super::{Site, filter, ids};
use crate::api3::ApiError;
use crate::fields::{self, Reader};
use crate::limits::{PAGE_INSTANCES, PAGE_ITEMS, PAGE_LOGS, REQUEST_IDS};

/// What `DescribeJobs` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeJobs {
    /// Which jobs.
    pub filter: JobFilter,
    /// Which part of them.
    pub page: Span,
}

/// What `DescribeComputeEnvs` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeComputeEnvs {
    /// Which environments; `None`: of a kind that does not exist here.
    pub filter: Option<EnvFilter>,
    /// Which part of them.
    pub page: Span,
}

/// What `DescribeTask` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeTask {
    /// The job.
    pub job: JobId,
    /// The task's name.
    pub task_name: String,
    /// States of the instances; empty: all.
    pub phases: Vec<Phase>,
    /// Which part of them.
    pub page: Span,
}

/// What `DescribeTaskLogs` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeTaskLogs {
    /// The job.
    pub job: JobId,
    /// The task's name.
    pub task_name: String,
    /// Which instances.
    pub instances: Logs,
}

/// Instances whose logs are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logs {
    /// Those with these indexes, each once, in ascending order.
    Indexes(Vec<u64>),
    /// A range of them.
    Page(Span),
}

/// Reads the parameters of `DescribeJobs`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn describe_jobs(params: &Value, site: &Site<'_>) -> Result<DescribeJobs, ApiError> {
    fields::read(params, "", |request| {
        let filter = match exclusive_ids(request, "JobIds")? {
            Some(ids) => JobFilter { ids, ..JobFilter::default() },
            None => filter::jobs(request, site)?,
        };
        Ok(DescribeJobs { filter, page: page(request)? })
    })
}

/// Reads the parameters of `DescribeComputeEnvs`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn describe_compute_envs(params: &Value, site: &Site<'_>) -> Result<DescribeComputeEnvs, ApiError> {
    fields::read(params, "", |request| {
        let filter = match exclusive_ids(request, "EnvIds")? {
            Some(ids) => Some(EnvFilter { ids, ..EnvFilter::default() }),
            None => filter::envs(request, site)?,
        };
        Ok(DescribeComputeEnvs { filter, page: page(request)? })
    })
}

/// Reads the parameters of `DescribeComputeEnvCreateInfos`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn describe_compute_env_create_infos(params: &Value, site: &Site<'_>) -> Result<(EnvFilter, Span), ApiError> {
    fields::read(params, "", |request| {
        let filter = match exclusive_ids(request, "EnvIds")? {
            Some(ids) => EnvFilter { ids, ..EnvFilter::default() },
            None => filter::create_infos(request, site)?,
        };
        Ok((filter, page(request)?))
    })
}

/// Reads the parameters of `DescribeTask`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn describe_task(params: &Value) -> Result<DescribeTask, ApiError> {
    fields::read(params, "", |request| {
        Ok(DescribeTask {
            job: ids::required(request, "JobId")?,
            task_name: request.required_string("TaskName")?,
            phases: filter::instances(request)?,
            page: page_of(request, 100, PAGE_INSTANCES)?,
        })
    })
}

/// Reads the parameters of `DescribeTaskLogs`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn describe_task_logs(params: &Value) -> Result<DescribeTaskLogs, ApiError> {
    fields::read(params, "", |request| {
        let job = ids::required(request, "JobId")?;
        let task_name = request.required_string("TaskName")?;
        let mut indexes = request.u64s("TaskInstanceIndexes")?;
        let page = page_of(request, 5, PAGE_LOGS)?;
        let instances = if indexes.is_empty() {
            Logs::Page(page)
        } else {
            if request.has("Offset") {
                return Err(request.refuse("Offset", COMBINATION, "exclusive with TaskInstanceIndexes"));
            }
            check::count(request, "TaskInstanceIndexes", indexes.len(), PAGE_LOGS as usize)?;
            indexes.sort_unstable();
            indexes.dedup();
            Logs::Indexes(indexes)
        };
        Ok(DescribeTaskLogs { job, task_name, instances })
    })
}

/// A list of ids that may be given instead of filters.
pub(super) fn exclusive_ids<T: ids::Id>(request: &Reader<'_>, key: &str) -> Result<Option<Vec<T>>, ApiError> {
    let ids = ids::list(request, key)?;
    if ids.is_empty() {
        return Ok(None);
    }
    if request.has("Filters") {
        return Err(request.refuse("Filters", COMBINATION, format!("exclusive with {key}")));
    }
    check::count(request, key, ids.len(), REQUEST_IDS)?;
    Ok(Some(ids))
}

/// Which part of a list of jobs, templates or environments.
pub(super) fn page(request: &Reader<'_>) -> Result<Span, ApiError> {
    page_of(request, 20, PAGE_ITEMS)
}

fn page_of(request: &Reader<'_>, default: u64, most: u64) -> Result<Span, ApiError> {
    let offset = request.u64("Offset")?.unwrap_or(0);
    let limit = check::within(request, "Limit", 1, most, VALUE)?.unwrap_or(default);
    Ok(Span { offset, limit })
}
