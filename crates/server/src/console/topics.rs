//! Topics, their subscribers, and what becomes of their messages.

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
use super::show::{class, moment, or_default};
use super::trouble::Trouble;

/// Topics of a page.
const PAGE: u64 = 50;
/// Deliveries of a page.
const DELIVERIES: u64 = 25;

pub(super) fn routes(router: Router<Console>) -> Router<Console> {
    router
        .route("/console/topics", get(list))
        .route("/console/topics/new", get(new).post(create))
        .route("/console/topics/{topic}", get(page))
        .route("/console/topics/{topic}/publish", post(publish))
        .route("/console/topics/{topic}/delete", post(delete))
        .route("/console/topics/{topic}/edit", get(edit).post(edited))
        .route("/console/topics/{topic}/subscribers/{name}", get(subscriber))
        .route("/console/topics/{topic}/subscribers/{name}/{deed}", post(act))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TopicView {
    topic_name: String,
    msg_retention_seconds: u64,
    max_msg_size: u64,
    filter_type: u64,
    msg_count: u64,
    create_time: i64,
    #[serde(default)]
    subscription_count: u64,
}

impl TopicView {
    fn created(&self) -> String {
        moment(Some(self.create_time))
    }

    fn filter(&self) -> &'static str {
        if self.filter_type == 2 { "routing keys" } else { "tags" }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TopicSet {
    topic_list: Vec<TopicView>,
    total_count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    topic_describe: TopicView,
}

/// Where a list goes on.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    from: u64,
    #[serde(default)]
    context: String,
    #[serde(default)]
    state: String,
}

#[derive(Template)]
#[template(path = "console/topics.html")]
struct List {
    frame: Frame,
    topics: Vec<TopicView>,
    total: u64,
    from: u64,
    last: u64,
}

async fn list(State(console): State<Console>, visitor: Visitor, Query(asked): Query<Asked>) -> Page {
    let params = json!({"Limit": PAGE, "Offset": asked.from});
    let set: TopicSet = call(&console.app, Product::Tdmq, "DescribeCmqTopics", params).await?;
    let (total, topics, from) = (set.total_count, set.topic_list, asked.from);
    let last = from + topics.len() as u64;
    Ok(Html(List { frame: visitor.frame("topics"), topics, total, from, last }.render()?))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SubscriberView {
    pub(super) subscription_name: String,
    endpoint: String,
    protocol: String,
    pub(super) notify_strategy: String,
    pub(super) notify_content_format: String,
    msg_count: u64,
    #[serde(deserialize_with = "or_default")]
    filter_tags: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    binding_key: Vec<String>,
    state: String,
    #[serde(deserialize_with = "or_default")]
    state_reason: String,
    failure_count: u64,
    #[serde(deserialize_with = "or_default")]
    last_error: String,
}

impl SubscriberView {
    fn class(&self) -> &'static str {
        class(&self.state)
    }

    pub(super) fn filters(&self) -> String {
        [self.filter_tags.clone(), self.binding_key.clone()].concat().join(", ")
    }

    fn is_active(&self) -> bool {
        self.state != "PAUSED"
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SubscriberSet {
    subscription_set: Vec<SubscriberView>,
    total_count: u64,
}

#[derive(Template)]
#[template(path = "console/topic.html")]
struct Detail {
    frame: Frame,
    topic: TopicView,
    subscribers: Vec<SubscriberView>,
    total: u64,
    from: u64,
    last: u64,
}

async fn page(
    State(console): State<Console>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let topic = described(&console, &name).await?;
    let params = json!({"TopicName": name, "Limit": PAGE, "Offset": asked.from});
    let set: SubscriberSet = call(&console.app, Product::Tdmq, "DescribeCmqSubscriptionDetail", params).await?;
    let (total, subscribers, from) = (set.total_count, set.subscription_set, asked.from);
    let last = from + subscribers.len() as u64;
    let page = Detail { frame: visitor.frame("topics"), topic, subscribers, total, from, last };
    Ok(Html(page.render()?))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttemptView {
    pub(super) number: u64,
    time: i64,
    pub(super) duration_ms: u64,
    pub(super) status: Option<u64>,
    #[serde(deserialize_with = "or_default")]
    pub(super) reply: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) error: String,
}

impl AttemptView {
    pub(super) fn at(&self) -> String {
        moment(Some(self.time))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeliveryView {
    topic_name: String,
    pub(super) subscription_name: String,
    pub(super) endpoint: String,
    place: u64,
    pub(super) msg_id: String,
    publish_time: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    event_name: String,
    #[serde(deserialize_with = "or_default")]
    owner: String,
    sequence: Option<u64>,
    pub(super) state: String,
    pub(super) attempts: u64,
    next_time: Option<i64>,
    last_attempt: Option<AttemptView>,
}

impl DeliveryView {
    /// Where its message's page is.
    fn link(&self) -> String {
        format!("{}/messages/{}", of_topic(&self.topic_name), self.place)
    }

    pub(super) fn class(&self) -> &'static str {
        class(&self.state)
    }

    fn published(&self) -> String {
        moment(self.publish_time)
    }

    pub(super) fn next(&self) -> String {
        moment(self.next_time)
    }

    fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "DEAD" | "DELIVERED" | "COPIED")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeliverySet {
    pub(super) delivery_set: Vec<DeliveryView>,
    context: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Progress {
    done_place: u64,
    last_place: u64,
    #[serde(deserialize_with = "or_default")]
    replay_set: Vec<ReplayView>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReplayView {
    replay_no: u64,
    kind: String,
    state: String,
    delivered: u64,
    failed: u64,
}

#[derive(Template)]
#[template(path = "console/subscriber.html")]
struct One {
    frame: Frame,
    topic: String,
    subscriber: SubscriberView,
    progress: Progress,
    deliveries: Vec<DeliveryView>,
    context: String,
    states: [&'static str; 5],
    state: String,
}

async fn subscriber(
    State(console): State<Console>,
    visitor: Visitor,
    Path((topic, name)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Page {
    let both = json!({"TopicName": topic, "SubscriptionName": name});
    let progress: Progress = call(&console.app, Product::Herald, "DescribeSubscriptionProgress", both).await?;
    let subscriber = subscriber_named(&console, &topic, &name).await?;
    let mut params = json!({"TopicName": topic, "SubscriptionName": name, "Limit": DELIVERIES});
    if !asked.context.is_empty() {
        params["Context"] = json!(asked.context);
    }
    if !asked.state.is_empty() {
        params["States"] = json!([asked.state]);
    }
    let listed: DeliverySet = call(&console.app, Product::Herald, "DescribeDeliveries", params).await?;
    let page = One {
        frame: visitor.frame("topics"),
        topic,
        subscriber,
        progress,
        deliveries: listed.delivery_set,
        context: listed.context,
        states: ["PENDING", "RETRYING", "DELIVERED", "COPIED", "DEAD"],
        state: asked.state,
    };
    Ok(Html(page.render()?))
}

/// The one subscriber of this name: lists are of all whose names contain what is asked for.
pub(super) async fn subscriber_named(console: &Console, topic: &str, name: &str) -> Result<SubscriberView, Trouble> {
    let mut from = 0;
    loop {
        let params = json!({"TopicName": topic, "SubscriptionName": name, "Limit": PAGE, "Offset": from});
        let set: SubscriberSet = call(&console.app, Product::Tdmq, "DescribeCmqSubscriptionDetail", params).await?;
        from += set.subscription_set.len() as u64;
        let is_last = set.subscription_set.is_empty() || from >= set.total_count;
        if let Some(found) = set.subscription_set.into_iter().find(|it| it.subscription_name == name) {
            return Ok(found);
        }
        if is_last {
            let none = format!("SubscriptionName: topic `{topic}` has no subscriber `{name}`");
            return Err(ApiError::new("ResourceNotFound", none).into());
        }
    }
}

/// Where a topic's page is.
pub(super) fn of_topic(topic: &str) -> String {
    format!("/console/topics/{topic}")
}

async fn act(
    State(console): State<Console>,
    Path((topic, name, deed)): Path<(String, String, String)>,
    sent: Sent,
) -> Result<Redirect, Trouble> {
    let mut params = json!({"TopicName": topic, "SubscriptionName": name});
    let (product, action) = match deed.as_str() {
        "pause" => (Product::Herald, "PauseSubscription"),
        "resume" => (Product::Herald, "ResumeSubscription"),
        "redeliver" => {
            params["MsgIds"] = json!([sent.fields.get("message")]);
            (Product::Herald, "RedeliverMessages")
        }
        "redeliver-dead" => {
            params["FailedSince"] = json!(0);
            (Product::Herald, "RedeliverMessages")
        }
        "rewind" => {
            params["ToPlace"] = json!(number(&sent.fields, "place", "ToPlace")?.unwrap_or(1));
            (Product::Herald, "RewindSubscription")
        }
        "stop" => (Product::Herald, "StopReplay"),
        "delete" => (Product::Tdmq, "DeleteCmqSubscribe"),
        _ => return Ok(Redirect::to(&of_topic(&topic))),
    };
    let _: Value = call(&console.app, product, action, params).await?;
    let page = of_topic(&topic);
    Ok(Redirect::to(&if deed == "delete" { page } else { format!("{page}/subscribers/{name}") }))
}

async fn publish(State(console): State<Console>, Path(name): Path<String>, sent: Sent) -> Result<Redirect, Trouble> {
    let mut params = json!({"TopicName": name, "MsgContent": sent.fields.get("text")});
    let tag = sent.fields.get("tag").trim();
    if !tag.is_empty() {
        params["MsgTag"] = json!([tag]);
    }
    let _: Value = call(&console.app, Product::Tdmq, "PublishCmqMsg", params).await?;
    Ok(Redirect::to(&of_topic(&name)))
}

async fn delete(State(console): State<Console>, Path(name): Path<String>, _: Sent) -> Result<Redirect, Trouble> {
    let _: Value = call(&console.app, Product::Tdmq, "DeleteCmqTopic", json!({"TopicName": name})).await?;
    Ok(Redirect::to("/console/topics"))
}

/// A field with these values, each with what it says.
pub(super) fn choices(pairs: &[(&str, &str)]) -> Kind {
    Kind::Choice(pairs.iter().map(|(value, text)| ((*value).to_owned(), (*text).to_owned())).collect())
}

fn form(visitor: &Visitor) -> Form {
    Form {
        frame: visitor.frame("topics"),
        title: "Create a topic".into(),
        lead: "A topic forwards each of its messages to all its subscribers.".into(),
        action: "/console/topics/new".into(),
        inputs: vec![
            Input::new("name", "Name", "TopicName", Kind::Line).hint("A letter, then letters, digits, - and _."),
            Input::new(
                "filter",
                "Subscribers choose by",
                "FilterType",
                choices(&[("1", "tags"), ("2", "routing keys")]),
            ),
            Input::new("retention", "Retention, in seconds", "MsgRetentionSeconds", Kind::Number).value("86400"),
        ],
        send: "Create",
        beside: None,
        problem: String::new(),
    }
}

async fn new(visitor: Visitor) -> Page {
    form(&visitor).page()
}

async fn create(State(console): State<Console>, sent: Sent) -> Result<Response, Trouble> {
    let name = sent.fields.get("name").trim();
    match created(&console, name, &sent.fields).await {
        Ok(()) => Ok(Redirect::to(&of_topic(name)).into_response()),
        Err(error) => form(&sent.visitor).refused(&sent.fields, &error),
    }
}

async fn created(console: &Console, name: &str, given: &Fields) -> Result<(), ApiError> {
    let params = json!({
        "TopicName": name,
        "FilterType": number(given, "filter", "FilterType")?,
        "MsgRetentionSeconds": number(given, "retention", "MsgRetentionSeconds")?,
    });
    let _: Value = call(&console.app, Product::Tdmq, "CreateCmqTopic", params).await?;
    Ok(())
}

fn edit_form(visitor: &Visitor, topic: &TopicView) -> Form {
    Form {
        frame: visitor.frame("topics"),
        title: format!("Change {}", topic.topic_name),
        lead: "What is changed holds for messages that are published from now on; retention for all.".into(),
        action: format!("{}/edit", of_topic(&topic.topic_name)),
        inputs: vec![
            Input::new("retention", "Retention, in seconds", "MsgRetentionSeconds", Kind::Number)
                .value(topic.msg_retention_seconds.to_string()),
            Input::new("size", "Largest message, in bytes", "MaxMsgSize", Kind::Number)
                .value(topic.max_msg_size.to_string()),
        ],
        send: "Change",
        beside: None,
        problem: String::new(),
    }
}

async fn edit(State(console): State<Console>, visitor: Visitor, Path(name): Path<String>) -> Page {
    edit_form(&visitor, &described(&console, &name).await?).page()
}

async fn edited(State(console): State<Console>, Path(name): Path<String>, sent: Sent) -> Result<Response, Trouble> {
    let changed = async {
        let params = json!({
            "TopicName": name,
            "MsgRetentionSeconds": number(&sent.fields, "retention", "MsgRetentionSeconds")?,
            "MaxMsgSize": number(&sent.fields, "size", "MaxMsgSize")?,
        });
        call::<Value>(&console.app, Product::Tdmq, "ModifyCmqTopicAttribute", params).await
    };
    match changed.await {
        Ok(_) => Ok(Redirect::to(&of_topic(&name)).into_response()),
        Err(error) => edit_form(&sent.visitor, &described(&console, &name).await?).refused(&sent.fields, &error),
    }
}

async fn described(console: &Console, name: &str) -> Result<TopicView, ApiError> {
    let params = json!({"TopicName": name});
    let described: Described = call(&console.app, Product::Tdmq, "DescribeCmqTopicDetail", params).await?;
    Ok(described.topic_describe)
}
