//! The first page: how things stand.

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use kernel::node::NodeStage;
use serde_json::json;

use super::call::{Product, call};
use super::frame::{Frame, Page, Visitor};
use super::jobs::{JobSet, JobView};
use super::{Console, plot, show};

/// States of jobs, in the order in which a job comes to them.
const STATES: [(&str, &str, &str); 7] = [
    ("PENDING", "still", "pending"),
    ("RUNNABLE", "still", "runnable"),
    ("STARTING", "going", "starting"),
    ("RUNNING", "going", "running"),
    ("SUCCEED", "good", "succeeded"),
    ("FAILED", "bad", "failed"),
    ("FAILED_INTERRUPTED", "bad", "interrupted"),
];
/// Lines of a list on this page.
const LINES: usize = 8;

/// A number with its name.
struct Figure {
    state: &'static str,
    class: &'static str,
    count: u64,
}

/// A subscription whose posts fail.
struct Failing {
    topic: String,
    name: String,
    endpoint: String,
    state: &'static str,
    class: &'static str,
    failures: u32,
    error: String,
}

/// A queue with messages in it.
struct Filled {
    name: String,
    count: u64,
}

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Overview {
    frame: Frame,
    jobs: Vec<Figure>,
    jobs_bar: String,
    nodes: Vec<Figure>,
    nodes_bar: String,
    recent: Vec<JobView>,
    failing: Vec<Failing>,
    filled: Vec<Filled>,
    topics: usize,
    queues: usize,
    subscriptions: usize,
}

pub(super) async fn page(State(console): State<Console>, visitor: Visitor) -> Page {
    let mut jobs = Vec::new();
    for (state, class, _) in STATES {
        let asked = json!({"Limit": 1, "Filters": [{"Name": "job-state", "Values": [state]}]});
        let set: JobSet = call(&console.app, Product::Batch, "DescribeJobs", asked).await?;
        jobs.push(Figure { state, class, count: set.total_count });
    }
    let recent: JobSet = call(&console.app, Product::Batch, "DescribeJobs", json!({"Limit": LINES})).await?;
    let bar: Vec<plot::Part> =
        jobs.iter().zip(STATES).map(|(figure, (_, class, name))| (class, name, figure.count)).collect();
    let nodes = nodes(&console);
    let nodes_bar: Vec<plot::Part> = nodes.iter().map(|figure| (figure.class, figure.state, figure.count)).collect();
    let state = console.app.state();
    let page = Overview {
        frame: visitor.frame("overview"),
        jobs_bar: plot::bar(&bar),
        jobs,
        nodes_bar: plot::bar(&nodes_bar),
        nodes,
        recent: recent.shown(),
        failing: failing(&console),
        filled: filled(&console),
        topics: state.topics().count(),
        queues: state.queues().count(),
        subscriptions: state.subscriptions().count(),
    };
    Ok(Html(page.render()?))
}

fn nodes(console: &Console) -> Vec<Figure> {
    let state = console.app.state();
    let mut figures: Vec<Figure> = Vec::new();
    for node in state.nodes() {
        let word = node.stage.as_str();
        match figures.iter_mut().find(|figure| figure.state == word) {
            Some(figure) => figure.count += 1,
            None => {
                let class = if node.stage == NodeStage::Running { "good" } else { show::class(word) };
                figures.push(Figure { state: word, class, count: 1 });
            }
        }
    }
    figures.sort_by_key(|figure| figure.state);
    figures
}

/// The subscriptions whose posts fail, those that have failed longest first.
fn failing(console: &Console) -> Vec<Failing> {
    let state = console.app.state();
    let fails = |it: &&std::sync::Arc<kernel::subscription::Subscription>| {
        it.health.failures > 0 || it.stage != kernel::subscription::Stage::Active
    };
    let mut all: Vec<_> = state.subscriptions().filter(fails).cloned().collect();
    all.sort_by_key(|subscription| std::cmp::Reverse(subscription.health.failures));
    let view = |it: std::sync::Arc<kernel::subscription::Subscription>| Failing {
        topic: state.topic(it.key.topic).map(|topic| topic.name.clone()).unwrap_or_default(),
        name: it.name.clone(),
        endpoint: match &it.endpoint {
            kernel::subscription::Endpoint::Http { url } => url.clone(),
            kernel::subscription::Endpoint::Queue { .. } => "a queue".to_owned(),
        },
        state: it.stage.as_str(),
        class: show::class(it.stage.as_str()),
        failures: it.health.failures,
        error: it.health.last_error.clone(),
    };
    all.into_iter().take(LINES).map(view).collect()
}

/// The queues with the most messages.
fn filled(console: &Console) -> Vec<Filled> {
    let state = console.app.state();
    let mut all: Vec<Filled> = state
        .queues()
        .filter(|queue| queue.stored > 0)
        .map(|queue| Filled { name: queue.name.clone(), count: queue.stored })
        .collect();
    all.sort_by_key(|queue| std::cmp::Reverse(queue.count));
    all.truncate(LINES);
    all
}
