//! The list of jobs, and a job.

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use kernel::id::JobId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Product, call};
use super::frame::{Frame, Page, Sent, Visitor};
use super::graph::{self, Node};
use super::show::{class, moment, or_default, spoken};
use super::timeline::{self, Span};
use super::topics::DeliverySet;
use super::trouble::Trouble;
use super::{Console, plot};
use crate::api::of_store;

/// Jobs of a page.
const PAGE: u64 = 50;
/// Events of a job that its page shows, the newest first.
const EVENTS: u64 = 20;
/// Deliveries of its events that are looked at, the newest first.
const DELIVERIES: u64 = 100;

pub(super) fn routes(router: Router<Console>) -> Router<Console> {
    router
        .route("/console/jobs", get(list))
        .route("/console/jobs/{job}", get(page))
        .route("/console/jobs/{job}/{deed}", post(act))
}

/// How many there are in each state.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Counts {
    submitted_count: u64,
    pending_count: u64,
    runnable_count: u64,
    starting_count: u64,
    running_count: u64,
    succeed_count: u64,
    failed_interrupted_count: u64,
    failed_count: u64,
}

impl Counts {
    pub(super) fn total(&self) -> u64 {
        self.parts().iter().map(|(_, _, count)| count).sum()
    }

    pub(super) fn parts(&self) -> [plot::Part; 6] {
        [
            ("good", "succeeded", self.succeed_count),
            ("going", "running", self.running_count + self.starting_count),
            ("bad", "failed", self.failed_count),
            ("warn", "interrupted", self.failed_interrupted_count),
            ("still", "runnable", self.runnable_count),
            ("wait", "waiting", self.pending_count + self.submitted_count),
        ]
    }

    pub(super) fn bar(&self) -> String {
        plot::bar(&self.parts())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct JobSet {
    job_set: Vec<JobView>,
    pub(super) total_count: u64,
}

impl JobSet {
    /// The jobs as they are shown.
    pub(super) fn shown(self) -> Vec<JobView> {
        self.job_set
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct JobView {
    pub(super) job_id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) job_name: String,
    pub(super) job_state: String,
    pub(super) priority: u64,
    create_time: String,
    #[serde(deserialize_with = "or_default")]
    end_time: String,
    pub(super) task_metrics: Counts,
}

impl JobView {
    pub(super) fn class(&self) -> &'static str {
        class(&self.job_state)
    }

    pub(super) fn created(&self) -> String {
        spoken(&self.create_time)
    }

    pub(super) fn ended(&self) -> String {
        spoken(&self.end_time)
    }
}

/// What a list is asked with.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    from: u64,
}

#[derive(Template)]
#[template(path = "console/jobs.html")]
struct List {
    frame: Frame,
    asked: Asked,
    states: [&'static str; 8],
    jobs: Vec<JobView>,
    total: u64,
    last: u64,
}

async fn list(State(console): State<Console>, visitor: Visitor, Query(asked): Query<Asked>) -> Page {
    let mut filters = Vec::new();
    if !asked.state.is_empty() {
        filters.push(json!({"Name": "job-state", "Values": [asked.state]}));
    }
    if !asked.name.is_empty() {
        filters.push(json!({"Name": "job-name", "Values": [asked.name]}));
    }
    let params = json!({"Limit": PAGE, "Offset": asked.from, "Filters": filters});
    let set: JobSet = call(&console.app, Product::Batch, "DescribeJobs", params).await?;
    let states = ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEED", "FAILED", "FAILED_INTERRUPTED"];
    let (total, jobs) = (set.total_count, set.job_set);
    let last = asked.from + jobs.len() as u64;
    Ok(Html(List { frame: visitor.frame("jobs"), asked, states, jobs, total, last }.render()?))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TaskView {
    task_name: String,
    task_state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Dependence {
    start_task: String,
    end_task: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Job {
    job_id: String,
    #[serde(deserialize_with = "or_default")]
    job_name: String,
    priority: u64,
    job_state: String,
    create_time: String,
    #[serde(deserialize_with = "or_default")]
    end_time: String,
    task_set: Vec<TaskView>,
    #[serde(deserialize_with = "or_default")]
    dependence_set: Vec<Dependence>,
    task_instance_metrics: Counts,
    #[serde(deserialize_with = "or_default")]
    state_reason: String,
    #[serde(deserialize_with = "or_default")]
    next_action: String,
}

impl Job {
    fn is_over(&self) -> bool {
        matches!(self.job_state.as_str(), "SUCCEED" | "FAILED" | "FAILED_INTERRUPTED")
    }

    fn graph(&self) -> String {
        let places: HashMap<&str, usize> =
            self.task_set.iter().enumerate().map(|(at, task)| (task.task_name.as_str(), at)).collect();
        let edge = |it: &Dependence| Some((*places.get(it.start_task.as_str())?, *places.get(it.end_task.as_str())?));
        let edges: Vec<(usize, usize)> = self.dependence_set.iter().filter_map(edge).collect();
        let node = |task: &TaskView| Node {
            name: task.task_name.clone(),
            state: task.task_state.clone(),
            class: class(&task.task_state),
            link: task_link(&self.job_id, &task.task_name),
        };
        graph::svg(&self.task_set.iter().map(node).collect::<Vec<_>>(), &edges)
    }
}

/// Where a task's page is.
pub(super) fn task_link(job: &str, task: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("name", task).finish();
    format!("/console/jobs/{job}/task?{query}")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Why {
    task_name: String,
    task_state: String,
    reason: String,
    #[serde(deserialize_with = "or_default")]
    detail: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Explained {
    task_set: Vec<Why>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EventView {
    pub(super) topic_name: String,
    msg_id: String,
    pub(super) place: u64,
    publish_time: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) event_name: String,
    pub(super) sequence: Option<u64>,
    event: Value,
}

impl EventView {
    pub(super) fn published(&self) -> String {
        moment(Some(self.publish_time))
    }

    /// Whether it is about this instance.
    pub(super) fn is_of(&self, task: &str, index: u64) -> bool {
        let said = &self.event["Batch"];
        said["TaskName"] == task && said["TaskInstanceIndex"] == index
    }

    /// What the event says of an attempt: its number and how it ended, as far as it says so.
    pub(super) fn attempt(&self) -> String {
        let said = &self.event["Batch"];
        let number = said["Attempt"].as_u64().map(|number| format!("attempt {number}"));
        let code = said["ExitCode"].as_i64().map(|code| format!("exit code {code}"));
        let why = said["StateReason"].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        [number, code, why].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// What the event is about, in short.
    pub(super) fn about(&self) -> String {
        let said = &self.event["Batch"];
        let text = |key: &str| said[key].as_str().filter(|text| !text.is_empty());
        let instance = said["TaskInstanceIndex"].as_u64().map(|index| format!("[{index}]")).unwrap_or_default();
        let who = text("TaskName").or(text("ComputeNodeId")).unwrap_or_default();
        let why = text("StateReason").map(|reason| format!(" — {reason}")).unwrap_or_default();
        format!("{who}{instance}{why}")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EventSet {
    pub(super) event_set: Vec<EventView>,
}

/// What became of an event at one subscriber.
struct Fate {
    subscriber: String,
    state: String,
    class: &'static str,
}

/// An event, and what became of it at each subscriber.
struct Told {
    event: EventView,
    fates: Vec<Fate>,
}

#[derive(Template)]
#[template(path = "console/job.html")]
struct Detail {
    frame: Frame,
    graph: String,
    timeline: String,
    bar: String,
    is_over: bool,
    job: Job,
    waits: Vec<Why>,
    events: Vec<Told>,
}

async fn page(State(console): State<Console>, visitor: Visitor, Path(id): Path<String>) -> Page {
    let job: Job = call(&console.app, Product::Batch, "DescribeJob", json!({"JobId": id})).await?;
    let waits = if job.is_over() {
        Vec::new()
    } else {
        let why: Explained = call(&console.app, Product::Herald, "ExplainJob", json!({"JobId": id})).await?;
        why.task_set.into_iter().filter(|why| why.task_state != "RUNNING" && why.reason != "Finished").collect()
    };
    let asked = json!({"JobId": id, "Limit": EVENTS});
    let events: EventSet = call(&console.app, Product::Herald, "DescribeEvents", asked).await?;
    let asked = json!({"JobId": id, "Limit": DELIVERIES});
    let deliveries: DeliverySet = call(&console.app, Product::Herald, "DescribeDeliveries", asked).await?;
    let page = Detail {
        frame: visitor.frame("jobs"),
        graph: job.graph(),
        timeline: timeline(&console, &id).await?,
        bar: job.task_instance_metrics.bar(),
        is_over: job.is_over(),
        job,
        waits,
        events: told(events, deliveries),
    };
    Ok(Html(page.render()?))
}

/// Events with what became of them. A list of deliveries is bounded, so that of old ones not all is known here.
fn told(events: EventSet, deliveries: DeliverySet) -> Vec<Told> {
    let mut fates: HashMap<String, Vec<Fate>> = HashMap::new();
    for delivery in deliveries.delivery_set {
        let class = delivery.class();
        let fate = Fate { subscriber: delivery.subscription_name, state: delivery.state, class };
        fates.entry(delivery.msg_id).or_default().push(fate);
    }
    let told = |event: EventView| Told { fates: fates.remove(&event.msg_id).unwrap_or_default(), event };
    events.event_set.into_iter().map(told).collect()
}

/// When each task could run, as far as it could: from the end of those that it waits for.
async fn timeline(console: &Console, id: &str) -> Result<String, Trouble> {
    let Ok(id) = id.parse::<JobId>() else { return Ok(String::new()) };
    let found = console.app.read(move |reader| reader.job(id)).await;
    let Some(rows) = found.map_err(|error| Trouble::from(of_store(&error)))? else { return Ok(String::new()) };
    let now = console.app.clock();
    let spans = rows.tasks.iter().enumerate().filter_map(|(at, task)| {
        let before = rows.job.spec.dependences.iter().filter(|(_, then)| *then as usize == at);
        let ends: Option<Vec<_>> = before.map(|(first, _)| rows.tasks.get(*first as usize)?.ended).collect();
        let from = ends?.into_iter().max().unwrap_or(rows.job.created);
        let to = task.ended.or(rows.job.ended).unwrap_or(now);
        Some(Span {
            name: rows.job.spec.tasks.get(at)?.name.clone(),
            class: class(task.phase.as_str()),
            from: from.since_ms(rows.job.created),
            to: to.since_ms(rows.job.created),
        })
    });
    let spans: Vec<Span> = spans.collect();
    Ok(if spans.is_empty() { String::new() } else { timeline::svg(&spans) })
}

async fn act(
    State(console): State<Console>,
    Path((id, deed)): Path<(String, String)>,
    _: Sent,
) -> Result<Redirect, Trouble> {
    let (action, params) = match deed.as_str() {
        "terminate" => ("TerminateJob", json!({"JobId": id})),
        "retry" => ("RetryJobs", json!({"JobIds": [id]})),
        "delete" => ("DeleteJob", json!({"JobId": id})),
        _ => return Ok(Redirect::to(&format!("/console/jobs/{id}"))),
    };
    let _: Value = call(&console.app, Product::Batch, action, params).await?;
    Ok(Redirect::to(&if deed == "delete" { "/console/jobs".to_owned() } else { format!("/console/jobs/{id}") }))
}
