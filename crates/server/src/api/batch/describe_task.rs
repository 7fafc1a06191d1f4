//! `DescribeTask`.

use kernel::task::TaskKey;
use serde_json::Value;
use store::{InstanceListed, JobRows};
use wire::api3::ApiError;
use wire::batch::reply::{bulk_instance, describe_task, instance};
use wire::batch::{self, DescribeTask};

use super::no_task;
use crate::App;
use crate::api::api3::{Action, of_store};

pub(super) const ACTION: Action = Action {
    name: "DescribeTask",
    help: "Shows a task with a page of its instances.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let DescribeTask { job, task_name, phases, page } = batch::describe_task(params)?;
    // Tencent lists no other code for this action, whether it is the job or the task that is missing.
    let missing = no_task(job, &task_name);
    let found = app.read(move |reader| {
        let Some(rows) = reader.job(job)? else { return Ok(None) };
        let Some(task) = number(&rows, &task_name) else { return Ok(None) };
        let instances = reader.instances(TaskKey { job, task }, &phases, page)?;
        Ok(instances.map(|instances| (rows, task, instances)))
    });
    let (rows, task, instances) = found.await.map_err(|error| of_store(&error))?.ok_or_else(|| missing.clone())?;
    let row = rows.tasks.iter().find(|row| row.key.task == task).ok_or_else(|| missing.clone())?;
    let spec = rows.job.spec.tasks.get(task as usize).ok_or(missing)?;
    let views = instances.items.iter().map(|listed| match listed {
        InstanceListed::Bulk { index, phase, created } => bulk_instance(job, spec, *index, *phase, *created),
        InstanceListed::Row(row) => instance(spec, row),
    });
    Ok(describe_task(&rows.job.spec, row, views.collect()))
}

/// The position of the task with this name.
pub(super) fn number(rows: &JobRows, task_name: &str) -> Option<u32> {
    let position = rows.job.spec.tasks.iter().position(|task| task.name == task_name)?;
    u32::try_from(position).ok()
}
