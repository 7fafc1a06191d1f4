//! Key pairs: what each may do; made, disabled, rotated and deleted.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use kernel::access::Role;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::api3::ApiError;

use super::Console;
use super::call::{Product, call};
use super::form::{Form, Input, Kind, listed, number};
use super::frame::{Fields, Frame, Page, Sent, Visitor};
use super::show::spoken;
use super::trouble::Trouble;

const HERE: &str = "/console/keys";

pub(super) fn routes(router: Router<Console>) -> Router<Console> {
    router
        .route(HERE, get(list))
        .route("/console/keys/new", get(new).post(create))
        .route("/console/keys/{id}/disable", post(async |console, id, sent| turn(console, id, sent, true).await))
        .route("/console/keys/{id}/enable", post(async |console, id, sent| turn(console, id, sent, false).await))
        .route("/console/keys/{id}/rotate", post(rotate))
        .route("/console/keys/{id}/delete", post(delete))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyView {
    secret_id: String,
    description: String,
    roles: Vec<String>,
    topics: Vec<String>,
    queues: Vec<String>,
    environments: Vec<String>,
    calls_per_second: Option<u64>,
    max_body_bytes: Option<u64>,
    max_jobs: Option<u64>,
    max_topics: Option<u64>,
    max_queues: Option<u64>,
    max_environments: Option<u64>,
    disabled: bool,
    create_time: String,
}

impl KeyView {
    fn created(&self) -> String {
        spoken(&self.create_time)
    }

    fn may(&self) -> String {
        self.roles.join(", ")
    }

    /// What it is for, in words.
    fn scope(&self) -> String {
        let kinds = [("topics", &self.topics), ("queues", &self.queues), ("environments", &self.environments)];
        let words = kinds.into_iter().filter(|(_, patterns)| !patterns.is_empty());
        let words: Vec<String> = words.map(|(kind, patterns)| format!("{kind} {}", patterns.join(", "))).collect();
        if words.is_empty() { "everything".to_owned() } else { words.join("; ") }
    }

    /// How often it may call, and how much it may bring its scope to, in words.
    fn bounds(&self) -> String {
        let bounds = [
            (self.calls_per_second, "calls a second"),
            (self.max_body_bytes, "bytes a call"),
            (self.max_jobs, "unfinished jobs"),
            (self.max_topics, "topics"),
            (self.max_queues, "queues"),
            (self.max_environments, "environments"),
        ];
        let words = bounds.into_iter().filter_map(|(most, unit)| Some(format!("{} {unit}", most?)));
        words.collect::<Vec<_>>().join(", ")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeySet {
    own_secret_id: String,
    access_key_set: Vec<KeyView>,
}

/// A secret that is told this once.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    secret_id: String,
    secret_key: String,
}

#[derive(Template)]
#[template(path = "console/keys.html")]
struct List {
    frame: Frame,
    own: String,
    keys: Vec<KeyView>,
    told: Option<Told>,
}

async fn show(console: &Console, visitor: &Visitor, told: Option<Told>) -> Page {
    let set: KeySet = call(&console.app, Product::Herald, "DescribeAccessKeys", json!({})).await?;
    let (own, keys) = (set.own_secret_id, set.access_key_set);
    Ok(Html(List { frame: visitor.frame("keys"), own, keys, told }.render()?))
}

async fn list(State(console): State<Console>, visitor: Visitor) -> Page {
    show(&console, &visitor, None).await
}

fn form(visitor: &Visitor) -> Form {
    let role = |role: &Role| {
        let said = match role {
            Role::Admin => "admin: everything",
            Role::Submit => "submit: jobs and messages",
            Role::Read => "read: look at everything",
            Role::Consume => "consume: receive and delete messages",
        };
        (role.word().to_owned(), said.to_owned())
    };
    let patterns = "Names separated by commas, in which * stands for any text; none: all.";
    let count = "It makes no more where there are so many that it is for. Left empty: no bound.";
    Form {
        frame: visitor.frame("keys"),
        title: "Create a key pair".into(),
        lead: "It does what its role allows, and its secret is told once.".into(),
        action: "/console/keys/new".into(),
        inputs: vec![
            Input::new("description", "Whose it is, or what for", "Description", Kind::Line),
            Input::new("role", "Role", "Roles", Kind::Choice(Role::ALL.iter().rev().map(role).collect())),
            Input::new("topics", "Topics", "Topics", Kind::Line).hint(patterns),
            Input::new("queues", "Queues", "Queues", Kind::Line).hint(patterns),
            Input::new("environments", "Environments", "Environments", Kind::Line).hint(patterns),
            Input::new("calls", "Calls a second", "CallsPerSecond", Kind::Number).hint("Left empty: no bound."),
            Input::new("jobs", "Unfinished jobs", "MaxJobs", Kind::Number).hint(count),
            Input::new("most-topics", "Number of topics", "MaxTopics", Kind::Number).hint(count),
            Input::new("most-queues", "Number of queues", "MaxQueues", Kind::Number).hint(count),
            Input::new("most-environments", "Number of environments", "MaxEnvironments", Kind::Number).hint(count),
        ],
        beside: None,
        send: "Create",
        problem: String::new(),
    }
}

async fn new(visitor: Visitor) -> Page {
    form(&visitor).page()
}

async fn create(State(console): State<Console>, sent: Sent) -> Result<Response, Trouble> {
    match created(&console, &sent.fields).await {
        Ok(told) => Ok(show(&console, &sent.visitor, Some(told)).await?.into_response()),
        Err(error) => form(&sent.visitor).refused(&sent.fields, &error),
    }
}

async fn created(console: &Console, given: &Fields) -> Result<Told, ApiError> {
    let mut params = json!({"Description": given.get("description"), "Roles": [given.get("role")]});
    for (name, field) in [("topics", "Topics"), ("queues", "Queues"), ("environments", "Environments")] {
        params[field] = json!(listed(given.get(name)));
    }
    for (name, field) in [
        ("calls", "CallsPerSecond"),
        ("jobs", "MaxJobs"),
        ("most-topics", "MaxTopics"),
        ("most-queues", "MaxQueues"),
        ("most-environments", "MaxEnvironments"),
    ] {
        if let Some(most) = number(given, name, field)? {
            params[field] = json!(most);
        }
    }
    call(&console.app, Product::Herald, "CreateAccessKey", params).await
}

async fn turn(
    State(console): State<Console>,
    Path(id): Path<String>,
    _: Sent,
    disabled: bool,
) -> Result<Redirect, Trouble> {
    let params = json!({"SecretId": id, "Disabled": disabled});
    let _: Value = call(&console.app, Product::Herald, "ModifyAccessKey", params).await?;
    Ok(Redirect::to(HERE))
}

async fn rotate(State(console): State<Console>, Path(id): Path<String>, sent: Sent) -> Page {
    let told: Told = call(&console.app, Product::Herald, "RotateAccessKey", json!({"SecretId": id})).await?;
    show(&console, &sent.visitor, Some(told)).await
}

async fn delete(State(console): State<Console>, Path(id): Path<String>, _: Sent) -> Result<Redirect, Trouble> {
    let _: Value = call(&console.app, Product::Herald, "DeleteAccessKey", json!({"SecretId": id})).await?;
    Ok(Redirect::to(HERE))
}
