//! Compute environments and their nodes.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::api3::ApiError;

use super::Console;
use super::call::{Product, call};
use super::form::{Form, Input, Kind, number};
use super::frame::{Fields, Frame, Page, Sent, Visitor};
use super::show::{age, class, moment, or_default, spoken};
use super::trouble::Trouble;

/// Environments of a page.
const PAGE: u64 = 50;
/// Activities that an environment's page shows, the newest first.
const ACTIVITIES: u64 = 20;
/// The events that an environment tells of where the form names a topic.
const EVENTS: [&str; 10] = [
    "COMPUTE_ENV_CREATED",
    "COMPUTE_ENV_DELETED",
    "COMPUTE_ENV_SCALED",
    "COMPUTE_NODE_CREATED",
    "COMPUTE_NODE_CREATION_FAILED",
    "COMPUTE_NODE_RUNNING",
    "COMPUTE_NODE_ABNORMAL",
    "COMPUTE_NODE_DELETING",
    "COMPUTE_NODE_DELETED",
    "ALL",
];

pub(super) fn routes(router: Router<Console>) -> Router<Console> {
    router
        .route("/console/environments", get(list))
        .route("/console/environments/new", get(new).post(create))
        .route("/console/environments/{env}", get(page))
        .route("/console/environments/{env}/scale", post(scale))
        .route("/console/environments/{env}/delete", post(delete))
        .route("/console/environments/{env}/nodes/{node}/terminate", post(terminate))
        .route("/console/environments/{env}/nodes/{node}/{deed}", post(drain))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct NodeCounts {
    running_count: u64,
    abnormal_count: u64,
    creation_failed_count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EnvView {
    env_id: String,
    #[serde(deserialize_with = "or_default")]
    env_name: String,
    create_time: String,
    compute_node_metrics: NodeCounts,
    desired_compute_node_count: u64,
    #[serde(deserialize_with = "or_default")]
    next_action: String,
}

impl EnvView {
    fn created(&self) -> String {
        spoken(&self.create_time)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EnvSet {
    compute_env_set: Vec<EnvView>,
    total_count: u64,
}

/// Where a list begins.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    from: u64,
}

#[derive(Template)]
#[template(path = "console/environments.html")]
struct List {
    frame: Frame,
    envs: Vec<EnvView>,
    total: u64,
    from: u64,
    last: u64,
}

async fn list(State(console): State<Console>, visitor: Visitor, Query(asked): Query<Asked>) -> Page {
    let params = json!({"Limit": PAGE, "Offset": asked.from});
    let set: EnvSet = call(&console.app, Product::Batch, "DescribeComputeEnvs", params).await?;
    let (total, envs, from) = (set.total_count, set.compute_env_set, asked.from);
    let last = from + envs.len() as u64;
    Ok(Html(List { frame: visitor.frame("environments"), envs, total, from, last }.render()?))
}

/// A node as its environment's page shows it.
struct NodeView {
    id: String,
    state: &'static str,
    class: &'static str,
    drained: bool,
    kind: String,
    held: usize,
    slots: u32,
    since: String,
    /// How long ago its agent was heard of; empty where it is not connected.
    heard: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ActivityView {
    compute_node_activity_type: String,
    #[serde(deserialize_with = "or_default")]
    compute_node_id: String,
    #[serde(deserialize_with = "or_default")]
    cause: String,
    activity_state: String,
    start_time: String,
}

impl ActivityView {
    fn began(&self) -> String {
        spoken(&self.start_time)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ActivitySet {
    activity_set: Vec<ActivityView>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Env {
    env_id: String,
    #[serde(deserialize_with = "or_default")]
    env_name: String,
    create_time: String,
    desired_compute_node_count: u64,
    #[serde(deserialize_with = "or_default")]
    next_action: String,
}

impl Env {
    fn created(&self) -> String {
        spoken(&self.create_time)
    }
}

#[derive(Template)]
#[template(path = "console/environment.html")]
struct Detail {
    frame: Frame,
    env: Env,
    nodes: Vec<NodeView>,
    activities: Vec<ActivityView>,
    /// Topics that are told, each with the events.
    told: Vec<(String, String)>,
}

async fn page(State(console): State<Console>, visitor: Visitor, Path(id): Path<String>) -> Page {
    let env: Env = call(&console.app, Product::Batch, "DescribeComputeEnv", json!({"EnvId": id})).await?;
    let params = json!({"EnvId": id, "Limit": ACTIVITIES});
    let activities: ActivitySet = call(&console.app, Product::Batch, "DescribeComputeEnvActivities", params).await?;
    let (nodes, told) = known(&console, &id);
    let page = Detail { frame: visitor.frame("environments"), env, nodes, activities: activities.activity_set, told };
    Ok(Html(page.render()?))
}

/// What the state knows of an environment's nodes, and of whom it tells.
fn known(console: &Console, id: &str) -> (Vec<NodeView>, Vec<(String, String)>) {
    let state = console.app.state();
    let Some(env) = id.parse().ok().and_then(|id| state.public_env(id)) else { return Default::default() };
    let node = |node: &std::sync::Arc<kernel::node::Node>| NodeView {
        id: node.id.to_string(),
        state: node.stage.as_str(),
        class: if node.stage == kernel::node::NodeStage::Running { "good" } else { class(node.stage.as_str()) },
        drained: node.drained,
        kind: node.kind.clone(),
        held: node.held.len(),
        slots: node.slots,
        since: moment(node.running.map(|since| since.0)),
        heard: if console.gateway.is_connected(node.id) {
            age(u64::try_from(console.gateway.silent_for(node.id).as_millis()).unwrap_or(u64::MAX))
        } else {
            String::new()
        },
        reason: node.reason.clone(),
    };
    let told = env.spec.notifications.iter().map(|told| {
        let events: Vec<String> = told.events.iter().map(|config| config.name.to_string()).collect();
        (told.topic_name.clone(), events.join(", "))
    });
    (state.nodes_of(env.id).map(node).collect(), told.collect())
}

fn form(console: &Console, visitor: &Visitor) -> Form {
    let state = console.app.state();
    let mut topics = vec![(String::new(), "nobody".to_owned())];
    topics.extend(state.topics().map(|topic| (topic.name.clone(), format!("topic {}", topic.name))));
    let mut events = vec![("ALL".to_owned(), "all events".to_owned())];
    events.extend(EVENTS.iter().filter(|name| **name != "ALL").map(|name| ((*name).to_owned(), (*name).to_owned())));
    Form {
        frame: visitor.frame("environments"),
        title: "Create a compute environment".into(),
        lead: "An environment is a number of nodes that run the instances of tasks which name it.".into(),
        action: "/console/environments/new".into(),
        inputs: vec![
            Input::new("name", "Name", "ComputeEnv.EnvName", Kind::Line),
            Input::new("type", "Type of its nodes", "ComputeEnv.EnvData.InstanceTypes", Kind::Line)
                .hint("local is this machine; a name of Tencent's form, such as S5.LARGE8, says how much of it.")
                .value("local"),
            Input::new("nodes", "Nodes", "ComputeEnv.DesiredComputeNodeCount", Kind::Number).value("1"),
            Input::new("topic", "Tell of what happens to it", "ComputeEnv.Notifications", Kind::Choice(topics)),
            Input::new("events", "Events", "", Kind::Choice(events)),
        ],
        send: "Create",
        beside: None,
        problem: String::new(),
    }
}

async fn new(State(console): State<Console>, visitor: Visitor) -> Page {
    form(&console, &visitor).page()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    env_id: String,
}

async fn create(State(console): State<Console>, sent: Sent) -> Result<Response, Trouble> {
    match created(&console, &sent.fields).await {
        Ok(id) => Ok(Redirect::to(&format!("/console/environments/{id}")).into_response()),
        Err(error) => form(&console, &sent.visitor).refused(&sent.fields, &error),
    }
}

async fn created(console: &Console, given: &Fields) -> Result<String, ApiError> {
    let nodes = number(given, "nodes", "ComputeEnv.DesiredComputeNodeCount")?;
    let mut env = json!({
        "EnvName": given.get("name"),
        "DesiredComputeNodeCount": nodes,
        "EnvData": {"InstanceTypes": [given.get("type").trim()]},
    });
    let topic = given.get("topic");
    if !topic.is_empty() {
        let chosen = given.get("events");
        let names = EVENTS.iter().filter(|name| **name != "ALL" && (chosen == "ALL" || chosen == **name));
        let events: Vec<Value> = names.map(|name| json!({"EventName": name})).collect();
        env["Notifications"] = json!([{"TopicName": topic, "EventConfigs": events}]);
    }
    let params = json!({"Placement": {"Zone": console.app.settings.zones.first()}, "ComputeEnv": env});
    let reply: Created = call(&console.app, Product::Batch, "CreateComputeEnv", params).await?;
    Ok(reply.env_id)
}

fn back(env: &str) -> Redirect {
    Redirect::to(&format!("/console/environments/{env}"))
}

async fn scale(State(console): State<Console>, Path(env): Path<String>, sent: Sent) -> Result<Redirect, Trouble> {
    let count = number(&sent.fields, "nodes", "DesiredComputeNodeCount")?;
    let params = json!({"EnvId": env, "DesiredComputeNodeCount": count});
    let _: Value = call(&console.app, Product::Batch, "ModifyComputeEnv", params).await?;
    Ok(back(&env))
}

async fn delete(State(console): State<Console>, Path(env): Path<String>, _: Sent) -> Result<Redirect, Trouble> {
    let _: Value = call(&console.app, Product::Batch, "DeleteComputeEnv", json!({"EnvId": env})).await?;
    Ok(Redirect::to("/console/environments"))
}

async fn terminate(
    State(console): State<Console>,
    Path((env, node)): Path<(String, String)>,
    _: Sent,
) -> Result<Redirect, Trouble> {
    let params = json!({"EnvId": env, "ComputeNodeId": node});
    let _: Value = call(&console.app, Product::Batch, "TerminateComputeNode", params).await?;
    Ok(back(&env))
}

async fn drain(
    State(console): State<Console>,
    Path((env, node, deed)): Path<(String, String, String)>,
    _: Sent,
) -> Result<Redirect, Trouble> {
    let action = match deed.as_str() {
        "drain" => "DrainNodes",
        "undrain" => "UndrainNodes",
        _ => return Ok(back(&env)),
    };
    let _: Value = call(&console.app, Product::Herald, action, json!({"ComputeNodeIds": [node]})).await?;
    Ok(back(&env))
}
