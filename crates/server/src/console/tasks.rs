//! A task with its instances, and an instance.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use kernel::id::JobId;
use kernel::instance::{Instance, InstanceKey};
use kernel::task::TaskKey;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{InstanceListed, Span};

use super::call::{Product, call};
use super::cells::{self, Cell};
use super::frame::{Frame, Page, Sent, Visitor};
use super::jobs::{Counts, EventSet, EventView, task_link};
use super::show::{class, or_default};
use super::trouble::Trouble;
use super::{Console, plot};
use crate::api::of_store;

/// Instances of a page.
const PAGE: u64 = 100;
/// Events of the job among which those of an instance are looked for.
const EVENTS: u64 = 100;
/// Cells at once.
const CELLS: u64 = 10_000;

pub(super) fn routes(router: Router<Console>) -> Router<Console> {
    router
        .route("/console/jobs/{job}/task", get(task))
        .route("/console/jobs/{job}/instance", get(instance))
        .route("/console/jobs/{job}/instance/terminate", post(terminate))
}

/// What a task or an instance is asked for with.
#[derive(Deserialize)]
pub(super) struct Asked {
    name: String,
    #[serde(default)]
    from: u64,
    #[serde(default)]
    state: String,
    #[serde(default)]
    index: u64,
    /// The first instance that has a cell.
    #[serde(default)]
    cells: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceView {
    task_instance_index: u64,
    task_instance_state: String,
    exit_code: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    state_reason: String,
    #[serde(deserialize_with = "or_default")]
    compute_node_instance_id: String,
    #[serde(deserialize_with = "or_default")]
    launch_time: String,
    #[serde(deserialize_with = "or_default")]
    running_time: String,
    #[serde(deserialize_with = "or_default")]
    end_time: String,
}

impl InstanceView {
    fn class(&self) -> &'static str {
        class(&self.task_instance_state)
    }

    fn is_over(&self) -> bool {
        matches!(self.task_instance_state.as_str(), "SUCCEED" | "FAILED" | "FAILED_INTERRUPTED")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Task {
    job_id: String,
    task_name: String,
    task_state: String,
    task_instance_total_count: u64,
    task_instance_set: Vec<InstanceView>,
    task_instance_metrics: Counts,
}

#[derive(Template)]
#[template(path = "console/task.html")]
struct Detail {
    frame: Frame,
    bar: String,
    /// A cell for each instance, from the first of `cells_from` on.
    cells: String,
    cells_from: u64,
    cells_last: u64,
    instances: u64,
    states: [&'static str; 8],
    asked: Asked,
    total: u64,
    last: u64,
    task: Task,
}

async fn describe(console: &Console, job: &str, name: &str, state: &str, span: (u64, u64)) -> Result<Task, Trouble> {
    let mut params = json!({"JobId": job, "TaskName": name, "Offset": span.0, "Limit": span.1});
    if !state.is_empty() {
        params["Filters"] = json!([{"Name": "task-instance-state", "Values": [state]}]);
    }
    Ok(call(&console.app, Product::Batch, "DescribeTask", params).await?)
}

async fn task(
    State(console): State<Console>,
    visitor: Visitor,
    Path(job): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let task = describe(&console, &job, &asked.name, &asked.state, (asked.from, PAGE)).await?;
    let states = ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEED", "FAILED", "FAILED_INTERRUPTED"];
    let (cells, instances) = cells(&console, &task, asked.cells).await?;
    let page = Detail {
        frame: visitor.frame("jobs"),
        cells_from: asked.cells,
        cells_last: asked.cells + cells.len() as u64,
        instances,
        cells: cells::svg(&cells, |index| instance_link(&task.job_id, &task.task_name, index).replace('&', "&amp;")),
        bar: task.task_instance_metrics.bar(),
        states,
        last: asked.from + task.task_instance_set.len() as u64,
        total: task.task_instance_total_count,
        asked,
        task,
    };
    Ok(Html(page.render()?))
}

/// An instance's own row, once it has one.
async fn row(console: &Console, job: &str, task: &str, index: u64) -> Result<Option<Arc<Instance>>, Trouble> {
    let (Ok(job), Ok(index)) = (job.parse::<JobId>(), u32::try_from(index)) else { return Ok(None) };
    let name = task.to_owned();
    let found = console.app.read(move |reader| {
        let Some(rows) = reader.job(job)? else { return Ok(None) };
        let Some(at) = rows.job.spec.tasks.iter().position(|task| task.name == name) else { return Ok(None) };
        reader.instance(InstanceKey { job, task: u32::try_from(at).unwrap_or(u32::MAX), index })
    });
    found.await.map_err(|error| Trouble::from(of_store(&error)))
}

/// Cells of instances, some of them, and how many instances there are.
async fn cells(console: &Console, task: &Task, from: u64) -> Result<(Vec<Cell>, u64), Trouble> {
    let Ok(job) = task.job_id.parse::<JobId>() else { return Ok((Vec::new(), 0)) };
    let name = task.task_name.clone();
    let found = console.app.read(move |reader| {
        let Some(rows) = reader.job(job)? else { return Ok(None) };
        let Some(at) = rows.job.spec.tasks.iter().position(|task| task.name == name) else { return Ok(None) };
        let key = TaskKey { job, task: u32::try_from(at).unwrap_or(u32::MAX) };
        reader.instances(key, &[], Span { offset: from, limit: CELLS })
    });
    let Some(page) = found.await.map_err(|error| Trouble::from(of_store(&error)))? else {
        return Ok((Vec::new(), 0));
    };
    let cell = |listed: &InstanceListed| {
        let (index, phase) = match listed {
            InstanceListed::Bulk { index, phase, .. } => (*index, *phase),
            InstanceListed::Row(instance) => (instance.key.index, instance.phase()),
        };
        Cell { index: index.into(), state: phase.as_str(), class: class(phase.as_str()) }
    };
    Ok((page.items.iter().map(cell).collect(), page.total))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Log {
    #[serde(deserialize_with = "or_default")]
    stdout_log: String,
    #[serde(deserialize_with = "or_default")]
    stderr_log: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Logs {
    task_instance_log_set: Vec<Log>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Points {
    #[serde(deserialize_with = "or_default")]
    values: Vec<Option<f64>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Monitored {
    data_points: Points,
}

#[derive(Template)]
#[template(path = "console/instance.html")]
struct One {
    frame: Frame,
    job: String,
    task: String,
    task_link: String,
    /// Where it is terminated.
    terminate: String,
    instance: InstanceView,
    /// The number of its current or last attempt, and how many have failed.
    attempt: u32,
    failures: u32,
    /// What it has told of its attempts, the newest first.
    events: Vec<EventView>,
    stdout: String,
    stderr: String,
    /// Curves of what it uses, each with its name.
    curves: Vec<(&'static str, String)>,
}

async fn instance(
    State(console): State<Console>,
    visitor: Visitor,
    Path(job): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let Asked { name, index, .. } = asked;
    let mut task = describe(&console, &job, &name, "", (index, 1)).await?;
    let Some(instance) = task.task_instance_set.pop().filter(|it| it.task_instance_index == index) else {
        let none = format!("TaskInstanceIndex: task `{name}` has no instance {index}");
        return Err(wire::api3::ApiError::new("ResourceNotFound.TaskInstance", none).into());
    };
    let params = json!({"JobId": job, "TaskName": name, "TaskInstanceIndexes": [index]});
    let logs: Result<Logs, _> = call(&console.app, Product::Batch, "DescribeTaskLogs", params).await;
    // One that has not begun has no output.
    let log = logs.ok().and_then(|mut logs| logs.task_instance_log_set.pop());
    let (stdout, stderr) = log.map(|log| (decoded(&log.stdout_log), decoded(&log.stderr_log))).unwrap_or_default();
    let row = row(&console, &job, &name, index).await?;
    let asked = json!({"JobId": job, "Limit": EVENTS});
    let told: EventSet = call(&console.app, Product::Herald, "DescribeEvents", asked).await?;
    let page = One {
        attempt: row.as_ref().map_or(0, |row| row.attempt),
        failures: row.as_ref().map_or(0, |row| row.failures),
        events: told.event_set.into_iter().filter(|event| event.is_of(&name, index)).collect(),
        frame: visitor.frame("jobs"),
        task_link: task_link(&job, &name),
        terminate: instance_link(&job, &name, index).replace("/instance?", "/instance/terminate?"),
        curves: curves(&console, &job, &name, index).await,
        job,
        task: name,
        instance,
        stdout,
        stderr,
    };
    Ok(Html(page.render()?))
}

/// What the instance has used, as far as anybody measured it.
async fn curves(console: &Console, job: &str, task: &str, index: u64) -> Vec<(&'static str, String)> {
    let mut curves = Vec::new();
    for (metric, name) in [("CpuUsage", "Processor"), ("MemUsage", "Memory")] {
        let params = json!({"JobId": job, "TaskName": task, "TaskInstanceIndex": index, "MetricName": metric});
        let got: Result<Monitored, _> = call(&console.app, Product::Batch, "DescribeJobMonitorData", params).await;
        let values = got.map(|got| got.data_points.values).unwrap_or_default();
        if let Some(last) = values.iter().rev().find_map(|value| *value) {
            let label = format!("{name}, in percent of what it may use; now {last:.0}");
            curves.push((name, plot::curve(&label, &values)));
        }
    }
    curves
}

fn decoded(text: &str) -> String {
    BASE64.decode(text).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

async fn terminate(
    State(console): State<Console>,
    Path(job): Path<String>,
    Query(asked): Query<Asked>,
    _: Sent,
) -> Result<Redirect, Trouble> {
    let Asked { name, index, .. } = asked;
    let params = json!({"JobId": job, "TaskName": name, "TaskInstanceIndex": index});
    let _: Value = call(&console.app, Product::Batch, "TerminateTaskInstance", params).await?;
    Ok(Redirect::to(&instance_link(&job, &name, index)))
}

/// Where an instance's page is.
fn instance_link(job: &str, task: &str, index: u64) -> String {
    format!("{}&index={index}", task_link(job, task).replace("/task?", "/instance?"))
}
