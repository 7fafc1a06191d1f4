//! Submitting a job: its file, as `herald job submit` takes it.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::api3::ApiError;

use super::Console;
use super::call::{Product, call};
use super::form::{Form, Input, Kind};
use super::frame::{Page, Sent, Visitor};
use super::trouble::Trouble;

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
    router.route("/console/jobs/new", get(page).post(submit)).route("/console/jobs/{job}/again", get(again))
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
