//! The forms by which subscribers are added to a topic and changed.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};
use wire::api3::ApiError;

use super::Console;
use super::call::{Product, call};
use super::form::{Form, Input, Kind, listed};
use super::frame::{Fields, Page, Sent, Visitor};
use super::topics::{SubscriberView, choices, of_topic, subscriber_named};
use super::trouble::Trouble;

pub(super) fn routes(router: Router<Console>) -> Router<Console> {
    router
        .route("/console/topics/{topic}/subscribers/new", get(new_subscriber).post(subscribe))
        .route("/console/topics/{topic}/subscribers/{name}/edit", get(edit_subscriber).post(subscriber_edited))
}

const STRATEGIES: [(&str, &str); 2] =
    [("EXPONENTIAL_DECAY_RETRY", "for a day, ever more slowly"), ("BACKOFF_RETRY", "three times, in order")];
const FORMATS: [(&str, &str); 3] =
    [("JSON", "JSON envelope"), ("SIMPLIFIED", "the text itself"), ("CLOUDEVENTS", "CloudEvents")];

fn edit_subscriber_form(visitor: &Visitor, topic: &str, subscriber: &SubscriberView) -> Form {
    Form {
        frame: visitor.frame("topics"),
        title: format!("Change {}", subscriber.subscription_name),
        lead: "What is changed holds for messages that it has not been sent yet.".into(),
        action: format!("{}/subscribers/{}/edit", of_topic(topic), subscriber.subscription_name),
        inputs: vec![
            Input::new("filters", "Only messages with these tags or routing keys", "FilterTags", Kind::Line)
                .hint("Separated by commas; none: all messages.")
                .value(subscriber.filters()),
            Input::new("strategy", "Tried again", "NotifyStrategy", choices(&STRATEGIES))
                .value(&*subscriber.notify_strategy),
            Input::new("format", "Format", "NotifyContentFormat", choices(&FORMATS))
                .value(&*subscriber.notify_content_format),
        ],
        send: "Change",
        beside: None,
        problem: String::new(),
    }
}

async fn edit_subscriber(
    State(console): State<Console>,
    visitor: Visitor,
    Path((topic, name)): Path<(String, String)>,
) -> Page {
    edit_subscriber_form(&visitor, &topic, &subscriber_named(&console, &topic, &name).await?).page()
}

async fn subscriber_edited(
    State(console): State<Console>,
    Path((topic, name)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Trouble> {
    let mut params = json!({
        "TopicName": topic,
        "SubscriptionName": name,
        "NotifyStrategy": sent.fields.get("strategy"),
        "NotifyContentFormat": sent.fields.get("format"),
    });
    // The two actions do not spell it alike.
    let field = if filter_field(&console, &topic) == "BindingKey" { "BindingKey" } else { "FilterTags" };
    params[field] = json!(listed(sent.fields.get("filters")));
    let changed: Result<Value, _> = call(&console.app, Product::Tdmq, "ModifyCmqSubscriptionAttribute", params).await;
    match changed {
        Ok(_) => Ok(Redirect::to(&format!("{}/subscribers/{name}", of_topic(&topic))).into_response()),
        Err(error) => {
            let subscriber = subscriber_named(&console, &topic, &name).await?;
            edit_subscriber_form(&sent.visitor, &topic, &subscriber).refused(&sent.fields, &error)
        }
    }
}

/// The parameter by which subscribers of the topic choose.
fn filter_field(console: &Console, topic: &str) -> &'static str {
    let routes =
        console.app.state().topic_named(topic).is_some_and(|it| it.filter == kernel::topic::FilterType::Routing);
    if routes { "BindingKey" } else { "FilterTag" }
}

fn subscriber_form(console: &Console, visitor: &Visitor, topic: &str) -> Form {
    let state = console.app.state();
    let queues: Vec<(String, String)> =
        state.queues().map(|queue| (queue.name.clone(), queue.name.clone())).take(1_000).collect();
    let queues = std::iter::once((String::new(), "none: an address".to_owned())).chain(queues).collect();
    Form {
        frame: visitor.frame("topics"),
        title: format!("Add a subscriber to {topic}"),
        lead: "A queue that keeps the messages, or an address that they are posted to.".into(),
        action: format!("{}/subscribers/new", of_topic(topic)),
        inputs: vec![
            Input::new("name", "Name", "SubscriptionName", Kind::Line),
            Input::new("queue", "Queue", "", Kind::Choice(queues)),
            Input::new("address", "Address", "Endpoint", Kind::Line)
                .hint("http:// or https://; left empty where a queue is chosen."),
            Input::new("filters", "Only messages with these tags or routing keys", "FilterTag", Kind::Line)
                .hint("Separated by commas; none: all messages."),
            Input::new("strategy", "Tried again", "NotifyStrategy", choices(&STRATEGIES)),
            Input::new("format", "Format", "NotifyContentFormat", choices(&FORMATS)),
        ],
        send: "Add",
        beside: None,
        problem: String::new(),
    }
}

async fn new_subscriber(State(console): State<Console>, visitor: Visitor, Path(topic): Path<String>) -> Page {
    subscriber_form(&console, &visitor, &topic).page()
}

async fn subscribe(State(console): State<Console>, Path(topic): Path<String>, sent: Sent) -> Result<Response, Trouble> {
    match subscribed(&console, &topic, &sent.fields).await {
        Ok(()) => Ok(Redirect::to(&of_topic(&topic)).into_response()),
        Err(error) => subscriber_form(&console, &sent.visitor, &topic).refused(&sent.fields, &error),
    }
}

async fn subscribed(console: &Console, topic: &str, given: &Fields) -> Result<(), ApiError> {
    let (queue, address) = (given.get("queue"), given.get("address").trim());
    let (protocol, endpoint) = match (queue, address) {
        ("", "") => return Err(ApiError::new("MissingParameter", "Endpoint: choose a queue, or give an address")),
        ("", address) => ("http", address),
        (queue, "") => ("queue", queue),
        _ => {
            let both = "Endpoint: a queue is chosen too; a subscriber is one or the other";
            return Err(ApiError::new("InvalidParameterValue", both));
        }
    };
    let filters = listed(given.get("filters"));
    // A queue gets the text itself in either of CMQ's formats unless it is asked for an envelope.
    let mut params = json!({
        "TopicName": topic,
        "SubscriptionName": given.get("name").trim(),
        "Protocol": protocol,
        "Endpoint": endpoint,
        "NotifyStrategy": given.get("strategy"),
        "NotifyContentFormat": if protocol == "queue" { "SIMPLIFIED" } else { given.get("format") },
    });
    if !filters.is_empty() {
        params[filter_field(console, topic)] = json!(filters);
    }
    let _: Value = call(&console.app, Product::Tdmq, "CreateCmqSubscribe", params).await?;
    Ok(())
}
