//! Submitting a job: its file, as `herald job submit` takes it, or a form for a job of one task.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::api3::ApiError;

use super::Console;
use super::call::{Product, call};
use super::form::{Form, Input, Kind, number};
use super::frame::{Fields, Page, Sent, Visitor};
use super::trouble::Trouble;

/// Environments and topics that a form offers.
const CHOICES: usize = 1_000;
/// What the form begins with: a job that runs as it stands, where an environment is named.
const EXAMPLE: &str = r#"{
  "JobName": "hello",
  "Tasks": [
    {
      "TaskName": "count",
      "TaskInstanceNum": 3,
      "EnvId": "ENV",
      "Application": {"DeliveryForm": "LOCAL", "Command": "echo instance $BATCH_TASK_INSTANCE_INDEX; sleep 2"}
    },
    {
      "TaskName": "sum",
      "EnvId": "ENV",
      "Application": {"DeliveryForm": "LOCAL", "Command": "echo done"}
    }
  ],
  "Dependences": [{"StartTask": "count", "EndTask": "sum"}],
  "Notifications": []
}
"#;

pub(super) fn routes(router: Router<Console>) -> Router<Console> {
    router
        .route("/console/jobs/new", get(page).post(submit))
        .route("/console/jobs/new/form", get(simple).post(submit_simple))
        .route("/console/jobs/{job}/again", get(again))
}

/// What the form is asked for with.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// The environment to name in the example.
    #[serde(default)]
    env: String,
}

fn form(visitor: &Visitor, text: &str) -> Form {
    let file = Input::new("job", "The job", "Job", Kind::Text { rows: 24 })
        .hint("JSON as the API takes it; comments, trailing commas and snake_case keys are read too.")
        .value(text);
    Form {
        frame: visitor.frame("jobs"),
        title: "Submit a job".into(),
        lead: "A job is a graph of tasks; a task is a command that runs in as many instances as it says.".into(),
        action: "/console/jobs/new".into(),
        inputs: vec![file],
        send: "Submit",
        beside: Some(("/console/jobs/new/form", "A job of one task can be filled in as a form.")),
        problem: String::new(),
    }
}

async fn page(State(console): State<Console>, visitor: Visitor, Query(asked): Query<Asked>) -> Page {
    let state = console.app.state();
    let first = state.envs().find(|env| env.owner.is_none()).map(|env| env.id.to_string());
    let env = if asked.env.is_empty() { first.unwrap_or_else(|| "ENV".into()) } else { asked.env };
    form(&visitor, &EXAMPLE.replace("ENV", &env)).page()
}

/// The form with a job that was submitted before.
async fn again(State(console): State<Console>, visitor: Visitor, Path(id): Path<String>) -> Page {
    let mut job: Value = call(&console.app, Product::Batch, "DescribeJobSubmitInfo", json!({"JobId": id})).await?;
    if let Some(fields) = job.as_object_mut() {
        fields.retain(|name, value| !matches!(name.as_str(), "RequestId" | "JobId") && !is_empty(value));
    }
    form(&visitor, &serde_json::to_string_pretty(&job).unwrap_or_default()).page()
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value == ""
}

async fn submit(State(console): State<Console>, sent: Sent) -> Result<Response, Trouble> {
    match submitted(&console, sent.fields.get("job")).await {
        Ok(id) => Ok(Redirect::to(&format!("/console/jobs/{id}")).into_response()),
        Err(error) => form(&sent.visitor, "").refused(&sent.fields, &error),
    }
}

fn simple_form(console: &Console, visitor: &Visitor, env: &str) -> Form {
    let state = console.app.state();
    let envs = state.envs().filter(|env| env.owner.is_none()).take(CHOICES);
    let mut envs: Vec<(String, String)> =
        envs.map(|env| (env.id.to_string(), format!("{} {}", env.id, env.name))).collect();
    if envs.is_empty() {
        envs.push((String::new(), "none yet: create one first".to_owned()));
    }
    let mut topics = vec![(String::new(), "nobody".to_owned())];
    topics.extend(state.topics().take(CHOICES).map(|topic| (topic.name.clone(), format!("topic {}", topic.name))));
    let task = |name, label, field, kind| Input::new(name, label, field, kind);
    Form {
        frame: visitor.frame("jobs"),
        title: "Submit a job of one task".into(),
        lead: "A command that runs in as many instances as it says.".into(),
        action: "/console/jobs/new/form".into(),
        inputs: vec![
            Input::new("name", "Name", "Job.JobName", Kind::Line),
            task("command", "Command", "Job.Tasks.0.Application.Command", Kind::Text { rows: 4 })
                .hint("For /bin/sh; each instance finds its number in $BATCH_TASK_INSTANCE_INDEX."),
            task("env", "Runs on", "Job.Tasks.0.EnvId", Kind::Choice(envs)).value(env),
            task("instances", "Instances", "Job.Tasks.0.TaskInstanceNum", Kind::Number).value("1"),
            task("retries", "Tried again, so often at most", "Job.Tasks.0.MaxRetryCount", Kind::Number).value("0"),
            task("timeout", "Timeout of an instance, in seconds", "Job.Tasks.0.Timeout", Kind::Number).value("86400"),
            Input::new("priority", "Priority", "Job.Priority", Kind::Number).value("0"),
            Input::new("topic", "Tell of its beginning and its end", "Job.Notifications", Kind::Choice(topics)),
        ],
        beside: Some(("/console/jobs/new", "A graph of tasks, and all else there is, is submitted as JSON.")),
        send: "Submit",
        problem: String::new(),
    }
}

async fn simple(State(console): State<Console>, visitor: Visitor, Query(asked): Query<Asked>) -> Page {
    simple_form(&console, &visitor, &asked.env).page()
}

async fn submit_simple(State(console): State<Console>, sent: Sent) -> Result<Response, Trouble> {
    match submitted_simple(&console, &sent.fields).await {
        Ok(id) => Ok(Redirect::to(&format!("/console/jobs/{id}")).into_response()),
        Err(error) => simple_form(&console, &sent.visitor, "").refused(&sent.fields, &error),
    }
}

async fn submitted_simple(console: &Console, given: &Fields) -> Result<String, ApiError> {
    let count = |name, path| number(given, name, path);
    let mut job = json!({
        "JobName": given.get("name"),
        "Priority": count("priority", "Job.Priority")?,
        "Tasks": [{
            "TaskName": "task",
            "EnvId": given.get("env"),
            "TaskInstanceNum": count("instances", "Job.Tasks.0.TaskInstanceNum")?,
            "MaxRetryCount": count("retries", "Job.Tasks.0.MaxRetryCount")?,
            "Timeout": count("timeout", "Job.Tasks.0.Timeout")?,
            "Application": {"DeliveryForm": "LOCAL", "Command": given.get("command")},
        }],
    });
    let topic = given.get("topic");
    if !topic.is_empty() {
        let events = ["JOB_RUNNING", "JOB_SUCCEED", "JOB_FAILED", "JOB_FAILED_INTERRUPTED"];
        let events = events.map(|name| json!({"EventName": name}));
        job["Notifications"] = json!([{"TopicName": topic, "EventConfigs": events}]);
    }
    let params = json!({"Placement": {"Zone": console.app.settings.zones.first()}, "Job": job});
    let reply: Submitted = call(&console.app, Product::Batch, "SubmitJob", params).await?;
    Ok(reply.job_id)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Submitted {
    job_id: String,
}

async fn submitted(console: &Console, text: &str) -> Result<String, ApiError> {
    let mut file =
        wire::file::read(text).map_err(|error| ApiError::new("InvalidParameter", format!("Job: {error}")))?;
    // A file holds the whole request, or just its job.
    if file.get("Job").is_none() {
        file = json!({"Job": file});
    }
    if file["Placement"].is_null() {
        file["Placement"] = json!({"Zone": console.app.settings.zones.first()});
    }
    let reply: Submitted = call(&console.app, Product::Batch, "SubmitJob", file).await?;
    Ok(reply.job_id)
}
