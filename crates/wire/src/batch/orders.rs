//! Requests that want something of jobs that are there: run again, end in part.

use kernel::id::JobId;
use serde_json::Value;

use super::ids;
use crate::api3::ApiError;
use crate::fields;

/// What `TerminateTaskInstance` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminateTaskInstance {
    /// The job.
    pub job: JobId,
    /// The task's name.
    pub task_name: String,
    /// The instance's index.
    pub index: u64,
}

/// Reads the parameters of `RetryJobs`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn retry_jobs(params: &Value) -> Result<Vec<JobId>, ApiError> {
    fields::read(params, "", |request| ids::distinct(request, "JobIds", "job"))
}

/// Reads the parameters of `TerminateTaskInstance`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn terminate_task_instance(params: &Value) -> Result<TerminateTaskInstance, ApiError> {
    fields::read(params, "", |request| {
        Ok(TerminateTaskInstance {
            job: ids::required(request, "JobId")?,
            task_name: request.required_string("TaskName")?,
            index: request.required_u64("TaskInstanceIndex")?,
        })
    })
}
