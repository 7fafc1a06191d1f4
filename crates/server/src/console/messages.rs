//! The messages of a topic, and what became of each.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Html;
use axum::routing::get;
use kernel::topic::{MsgId, StreamNo, TopicMessage};
use serde::Deserialize;
use serde_json::json;
use wire::api3::ApiError;

use super::Console;
use super::body::Body;
use super::call::{Product, call};
use super::frame::{Frame, Page, Visitor};
use super::show::moment;
use super::topics::{AttemptView, DeliverySet, DeliveryView};
use super::trouble::Trouble;
use crate::api::{event_view, of_store};

/// Messages of a page.
const PAGE: usize = 50;
/// Deliveries of a message, and attempts of each, that its page shows.
const SHOWN: u64 = 50;

pub(super) fn routes(router: Router<Console>) -> Router<Console> {
    router
        .route("/console/topics/{topic}/messages", get(list))
        .route("/console/topics/{topic}/messages/{place}", get(message))
}

/// Where the list goes on: before this place.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    before: Option<u64>,
}

/// A message on a line.
struct Line {
    place: u64,
    published: String,
    what: String,
    owner: String,
    labels: String,
}

impl Line {
    fn of(topic: &kernel::topic::Topic, message: &TopicMessage) -> Self {
        let view = event_view(topic, message);
        let owner = message.owner.as_ref().map(ToString::to_string).unwrap_or_default();
        let what = match (view["EventName"].as_str(), view["Sequence"].as_u64()) {
            (Some(name), Some(sequence)) => format!("{name} {sequence}"),
            _ => Body::of(&message.body).begins(),
        };
        let labels = if message.routing_key.is_empty() { message.tags.join(", ") } else { message.routing_key.clone() };
        Self { place: message.seq, published: moment(Some(message.published.0)), what, owner, labels }
    }
}

#[derive(Template)]
#[template(path = "console/messages.html")]
struct List {
    frame: Frame,
    topic: String,
    lines: Vec<Line>,
    /// Where older ones are, if there may be some.
    older: Option<u64>,
}

async fn list(
    State(console): State<Console>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let topic = topic(&console, &name)?;
    let (no, before) = (topic.no, asked.before.unwrap_or(topic.next_seq).min(topic.next_seq));
    let found = console.app.read(move |reader| reader.topic_messages_before(no, before, PAGE)).await;
    let found = found.map_err(|error| Trouble::from(of_store(&error)))?;
    let older = found.last().map(|message| message.seq).filter(|first| *first > 1 && found.len() == PAGE);
    let lines = found.iter().map(|message| Line::of(&topic, message)).collect();
    Ok(Html(List { frame: visitor.frame("topics"), topic: name, lines, older }.render()?))
}

/// A delivery with its attempts.
struct Delivered {
    delivery: DeliveryView,
    attempts: Vec<AttemptView>,
}

#[derive(Template)]
#[template(path = "console/message.html")]
struct One {
    frame: Frame,
    topic: String,
    line: Line,
    id: String,
    body: Body,
    deliveries: Vec<Delivered>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    delivery: Attempted,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attempted {
    attempt_set: Vec<AttemptView>,
}

async fn message(State(console): State<Console>, visitor: Visitor, Path((name, place)): Path<(String, u64)>) -> Page {
    let topic = topic(&console, &name)?;
    let message = read(&console, topic.no, place).await?;
    let id = MsgId::new(topic.no, place).0.to_string();
    let asked = json!({"MsgId": id, "Limit": SHOWN});
    let listed: DeliverySet = call(&console.app, Product::Herald, "DescribeDeliveries", asked).await?;
    let mut deliveries = Vec::new();
    for delivery in listed.delivery_set {
        let attempts = if delivery.attempts == 0 {
            Vec::new()
        } else {
            let asked = json!({"TopicName": name, "SubscriptionName": delivery.subscription_name, "MsgId": id});
            let shown: Shown = call(&console.app, Product::Herald, "DescribeDelivery", asked).await?;
            shown.delivery.attempt_set
        };
        deliveries.push(Delivered { delivery, attempts });
    }
    let (line, body) = (Line::of(&topic, &message), Body::of(&message.body));
    let page = One { frame: visitor.frame("topics"), topic: name, line, id, body, deliveries };
    Ok(Html(page.render()?))
}

fn topic(console: &Console, name: &str) -> Result<Arc<kernel::topic::Topic>, Trouble> {
    let state = console.app.state();
    let none = || ApiError::new("ResourceNotFound", format!("TopicName: topic `{name}` does not exist"));
    Ok(state.topic_named(name).ok_or_else(none)?.clone())
}

async fn read(console: &Console, topic: StreamNo, place: u64) -> Result<Arc<TopicMessage>, Trouble> {
    let after = place.saturating_sub(1);
    let found = console.app.read(move |reader| reader.topic_messages(topic, after, 1)).await;
    let found = found.map_err(|error| Trouble::from(of_store(&error)))?.pop();
    let none = || ApiError::new("ResourceNotFound", format!("the topic keeps no message at place {place}"));
    Ok(found.filter(|message| message.seq == place).ok_or_else(none)?)
}
