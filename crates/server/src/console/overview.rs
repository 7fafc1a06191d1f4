//! The first page: how things stand.

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use kernel::event::Owner;
use kernel::node::NodeStage;
use kernel::time::Timestamp;
use kernel::topic::TopicMessage;
use serde_json::{Value, json};

use super::call::{Product, call};
use super::frame::{Frame, Page, Visitor};
use super::jobs::{JobSet, JobView};
use super::trouble::Trouble;
use super::{Console, plot, show};
use crate::api::of_store;

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

/// Topics whose messages are looked at for the oldest that waits.
const BEHIND: usize = 100;

/// The oldest message that waits: since when, for whom.
struct Waiting {
    age: String,
    topic: String,
    name: String,
}

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

/// An event that was sent, as one of the last.
struct Told {
    at: String,
    name: String,
    owner: String,
    /// The page of whose it is.
    link: String,
    topic: String,
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
    /// A plot of the events of the last minutes.
    minutes: String,
    events: u64,
    outcomes: String,
    delivered: u64,
    failed: u64,
    dead: u64,
    stored: u64,
    /// The oldest message that a subscriber is not done with: how old, in words, and whose.
    oldest: Option<Waiting>,
    told: Vec<Told>,
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
    let (counts, now) = (console.app.tally.counts(), console.app.clock());
    let by_minute = counts.by_minute(now);
    let page = Overview {
        frame: visitor.frame("overview"),
        jobs_bar: plot::bar(&bar),
        jobs,
        nodes_bar: plot::bar(&nodes_bar),
        nodes,
        recent: recent.shown(),
        failing: failing(&console),
        filled: filled(&console),
        minutes: plot::columns("events a minute", &by_minute),
        events: by_minute.iter().sum(),
        outcomes: plot::bar(&[
            ("good", "delivered", counts.delivered),
            ("warn", "failed attempts", counts.failed),
            ("bad", "given up", counts.dead),
        ]),
        delivered: counts.delivered,
        failed: counts.failed,
        dead: counts.dead,
        stored: counts.stored,
        oldest: oldest(&console, now).await?,
        told: counts.recent().take(LINES).map(|message| told(&state, message)).collect(),
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

fn told(state: &kernel::state::State, message: &TopicMessage) -> Told {
    let (owner, link) = match message.owner {
        Some(Owner::Job(id)) => (id.to_string(), format!("/console/jobs/{id}")),
        Some(Owner::Env(id)) => (id.to_string(), format!("/console/environments/{id}")),
        Some(Owner::Subscription(_)) | None => (String::new(), String::new()),
    };
    let body: Value = serde_json::from_str(&message.body).unwrap_or_default();
    Told {
        at: show::moment(Some(message.published.0)),
        name: body["Events"][0]["EventName"].as_str().unwrap_or_default().to_owned(),
        owner,
        link,
        topic: state.topic(message.topic).map(|topic| topic.name.clone()).unwrap_or_default(),
    }
}

/// The oldest message that some subscriber is not done with.
async fn oldest(console: &Console, now: Timestamp) -> Result<Option<Waiting>, Trouble> {
    let state = console.app.state();
    let behind = state.subscriptions().filter_map(|subscription| {
        let topic = state.topic(subscription.key.topic)?;
        let next = subscription.cursor + 1;
        (next < topic.next_seq).then(|| (topic.no, next, topic.name.clone(), subscription.name.clone()))
    });
    let mut behind: Vec<_> = behind.collect();
    behind.sort_unstable();
    behind.dedup_by_key(|(topic, next, ..)| (*topic, *next));
    // Of each topic the one that is furthest behind has the oldest.
    behind.dedup_by_key(|(topic, ..)| *topic);
    behind.truncate(BEHIND);
    let found = console.app.read(move |reader| {
        let mut oldest: Option<(Timestamp, String, String)> = None;
        for (topic, next, topic_name, name) in behind {
            let message = reader.topic_messages(topic, next - 1, 1)?.pop();
            let published = message.map(|message| message.published);
            if let Some(at) = published.filter(|at| oldest.as_ref().is_none_or(|(first, ..)| at < first)) {
                oldest = Some((at, topic_name, name));
            }
        }
        Ok(oldest)
    });
    let found = found.await.map_err(|error| Trouble::from(of_store(&error)))?;
    Ok(found.map(|(at, topic, name)| Waiting { age: show::age(now.since_ms(at)), topic, name }))
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
