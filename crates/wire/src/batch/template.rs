//! Task templates: a task kept under a name.

use kernel::id::TemplateId;
use kernel::limits::{DESCRIPTION_CHARS, NAME_CHARS};
use kernel::list::{Span, TemplateFilter};
use kernel::template::{TemplateEdit, TemplateSpec};
use serde_json::{Value, json};

use super::check;
use super::{Site, filter, ids, job, select, tag, task};
use crate::api3::ApiError;
use crate::fields::{self, Reader};

/// The code of a request that changes nothing.
const NOTHING: &str = "InvalidParameterAtLeastOneAttribute";

/// What `DescribeTaskTemplates` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeTaskTemplates {
    /// Which templates.
    pub filter: TemplateFilter,
    /// Which part of them.
    pub page: Span,
}

/// Reads the parameters of `CreateTaskTemplate`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn create_task_template(params: &Value, site: &Site<'_>) -> Result<TemplateSpec, ApiError> {
    fields::read(params, "", |request| {
        let name = name(request)?;
        let name = request.required("TaskTemplateName", name)?;
        let task = info(request, site)?;
        Ok(TemplateSpec {
            name,
            task: request.required("TaskTemplateInfo", task)?,
            description: description(request)?.unwrap_or_default(),
            tags: tag::tags(request)?,
        })
    })
}

/// Reads the parameters of `ModifyTaskTemplate`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn modify_task_template(params: &Value, site: &Site<'_>) -> Result<(TemplateId, TemplateEdit), ApiError> {
    fields::read(params, "", |request| {
        let id = ids::required(request, "TaskTemplateId")?;
        let edit =
            TemplateEdit { name: name(request)?, description: description(request)?, task: info(request, site)? };
        if edit == TemplateEdit::default() {
            let reason = "one of TaskTemplateName, TaskTemplateDescription and TaskTemplateInfo must be given";
            return Err(ApiError::new(NOTHING, reason));
        }
        Ok((id, edit))
    })
}

/// Reads the parameters of `DeleteTaskTemplates`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn delete_task_templates(params: &Value) -> Result<Vec<TemplateId>, ApiError> {
    fields::read(params, "", |request| ids::distinct(request, "TaskTemplateIds", "template"))
}

/// Reads the parameters of `DescribeTaskTemplates`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn describe_task_templates(params: &Value) -> Result<DescribeTaskTemplates, ApiError> {
    fields::read(params, "", |request| {
        let filter = match select::exclusive_ids(request, "TaskTemplateIds")? {
            Some(ids) => TemplateFilter { ids, ..TemplateFilter::default() },
            None => filter::templates(request)?,
        };
        Ok(DescribeTaskTemplates { filter, page: select::page(request)? })
    })
}

/// What Herald's `SubmitTaskTemplate` asks for: a job of one task, that of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct SubmitTaskTemplate {
    /// The template.
    pub template: TemplateId,
    /// The request of `SubmitJob`, all but its `Job.Tasks`.
    request: Value,
}

/// Reads the parameters of `SubmitTaskTemplate`: those of `SubmitJob`, with `TaskTemplateId` in place of `Job.Tasks`.
/// Here it is only seen to what is this action's own; the rest is checked when the task is there.
///
/// # Errors
/// `MissingParameter`, `InvalidParameter.TaskTemplateIdMalformed`, `UnknownParameter` for `Job.Tasks`.
pub fn submit_task_template(params: &Value) -> Result<SubmitTaskTemplate, ApiError> {
    let mut request = params.clone();
    // The common reader refuses a request that is none.
    if !request.is_object() {
        request = json!({});
    }
    let template = request.as_object_mut().and_then(|fields| fields.shift_remove("TaskTemplateId"));
    let template =
        fields::read(&json!({"TaskTemplateId": template}), "", |request| ids::required(request, "TaskTemplateId"))?;
    if request["Job"].is_null() {
        request["Job"] = json!({});
    }
    let Some(job) = request["Job"].as_object() else {
        return Err(ApiError::new("InvalidParameter", "Job: expected an object"));
    };
    if job.get("Tasks").is_some_and(|tasks| !tasks.is_null()) {
        return Err(ApiError::new("UnknownParameter", "Job.Tasks: the template is the one task; leave it out"));
    }
    Ok(SubmitTaskTemplate { template, request })
}

impl SubmitTaskTemplate {
    /// The job, with the template's task.
    ///
    /// # Errors
    /// As [`job::submit_job`].
    pub fn with_task(mut self, task: &str, site: &Site<'_>) -> Result<job::SubmitJob, ApiError> {
        let task: Value = serde_json::from_str(task).unwrap_or_default();
        self.request["Job"]["Tasks"] = json!([task]);
        job::submit_job(&self.request, site)
    }
}

fn name(request: &Reader<'_>) -> Result<Option<String>, ApiError> {
    match check::text(request, "TaskTemplateName", NAME_CHARS, "InvalidParameter.TaskTemplateNameTooLong")? {
        Some(name) if name.trim().is_empty() => {
            Err(request.refuse("TaskTemplateName", "InvalidParameter.TaskTemplateName", "must not be empty"))
        }
        name => Ok(name),
    }
}

fn description(request: &Reader<'_>) -> Result<Option<String>, ApiError> {
    let too_long = "InvalidParameter.TaskTemplateDescriptionTooLong";
    check::text(request, "TaskTemplateDescription", DESCRIPTION_CHARS, too_long)
}

/// The task, checked as that of a job is, as it was sent.
fn info(request: &Reader<'_>, site: &Site<'_>) -> Result<Option<String>, ApiError> {
    let sent = request.object("TaskTemplateInfo", |task| task::task(task, site))?;
    let sent = sent.map(|_| request.value("TaskTemplateInfo")).transpose()?.flatten();
    Ok(sent.map(Value::to_string))
}
