//! Queues: what they are, and sending to and receiving from them.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use kernel::access::Role;
use kernel::command::{Command, Reply};
use kernel::queue::{Handle, QueueMessage};
use kernel::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::api3::ApiError;

use super::Console;
use super::body::Body;
use super::call::{Product, call};
use super::form::{Form, Input, Kind, number};
use super::frame::{Fields, Frame, Page, Sent, Visitor};
use super::show::moment;
use super::trouble::Trouble;
use crate::api::of_store;
use crate::ledger::Lane;

/// Queues of a page.
const PAGE: u64 = 50;
/// Messages that are looked at on a page.
const LOOKED: usize = 20;
/// Messages that are received at once.
const RECEIVED: usize = 16;

pub(super) fn routes(router: Router<Console>) -> Router<Console> {
    router
        .route("/console/queues", get(list))
        .route("/console/queues/new", get(new).post(create))
        .route("/console/queues/{queue}", get(page))
        .route("/console/queues/{queue}/send", post(send))
        .route("/console/queues/{queue}/receive", post(receive))
        .route("/console/queues/{queue}/acknowledge", post(acknowledge))
        .route("/console/queues/{queue}/clear", post(clear))
        .route("/console/queues/{queue}/delete", post(delete))
        .route("/console/queues/{queue}/edit", get(edit).post(edited))
        .route("/console/queues/{queue}/messages", get(look))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueView {
    queue_name: String,
    active_msg_num: u64,
    inactive_msg_num: u64,
    delay_msg_num: Option<u64>,
    visibility_timeout: u64,
    msg_retention_seconds: u64,
    max_msg_size: u64,
    polling_wait_seconds: u64,
    rewind_seconds: u64,
    create_time: i64,
}

impl QueueView {
    fn created(&self) -> String {
        moment(Some(self.create_time))
    }

    fn delayed(&self) -> u64 {
        self.delay_msg_num.unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueSet {
    queue_list: Vec<QueueView>,
    total_count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    queue_describe: QueueView,
}

/// Where a list begins.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    from: u64,
}

#[derive(Template)]
#[template(path = "console/queues.html")]
struct List {
    frame: Frame,
    queues: Vec<QueueView>,
    total: u64,
    from: u64,
    last: u64,
}

async fn list(State(console): State<Console>, visitor: Visitor, Query(asked): Query<Asked>) -> Page {
    let params = json!({"Limit": PAGE, "Offset": asked.from});
    let set: QueueSet = call(&console.app, Product::Tdmq, "DescribeCmqQueues", params).await?;
    let (total, queues, from) = (set.total_count, set.queue_list, asked.from);
    let last = from + queues.len() as u64;
    Ok(Html(List { frame: visitor.frame("queues"), queues, total, from, last }.render()?))
}

/// A message of a queue.
struct MessageView {
    id: String,
    handle: String,
    place: u64,
    times: u32,
    sent: String,
    until: String,
    /// Whether it cannot be received before `until`.
    is_hidden: bool,
    body: Body,
}

impl MessageView {
    fn of(message: &Arc<QueueMessage>, now: Timestamp) -> Self {
        Self {
            id: message.msg_id().0.to_string(),
            handle: message.handle().0.to_string(),
            times: message.dequeues,
            sent: moment(Some(message.enqueued.0)),
            place: message.key.seq,
            until: moment(Some(message.visible.0)),
            is_hidden: message.visible > now,
            body: Body::of(&message.body),
        }
    }
}

#[derive(Template)]
#[template(path = "console/queue.html")]
struct Detail {
    frame: Frame,
    queue: QueueView,
    /// What was just received; `None`: nobody asked.
    received: Option<Vec<MessageView>>,
}

async fn show(console: &Console, visitor: &Visitor, name: &str, received: Option<Vec<MessageView>>) -> Page {
    let page = Detail { frame: visitor.frame("queues"), queue: described(console, name).await?, received };
    Ok(Html(page.render()?))
}

async fn page(State(console): State<Console>, visitor: Visitor, Path(name): Path<String>) -> Page {
    show(&console, &visitor, &name, None).await
}

async fn receive(State(console): State<Console>, Path(name): Path<String>, sent: Sent) -> Page {
    let max = number(&sent.fields, "most", "Most")?.map_or(1, |most| usize::try_from(most).unwrap_or(RECEIVED));
    let command = Command::Receive { queue: name.clone(), max: max.clamp(1, RECEIVED) };
    let messages = match crate::api::submit_within(&console.app, Lane::Messages, Role::Consume, command).await? {
        Reply::Received(messages) => messages,
        _ => Vec::new(),
    };
    show(
        &console,
        &sent.visitor,
        &name,
        Some(messages.iter().map(|message| MessageView::of(message, console.app.clock())).collect()),
    )
    .await
}

async fn acknowledge(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: Sent,
) -> Result<Redirect, Trouble> {
    let handles = sent.fields.all("handle").iter().filter_map(|text| text.parse().ok().map(Handle)).collect();
    let command = Command::DeleteMessages { queue: name.clone(), handles };
    match crate::api::submit_within(&console.app, Lane::Messages, Role::Consume, command).await? {
        Reply::Deleted(deleted) if deleted.iter().all(|deleted| *deleted) => Ok(back(&name)),
        _ => Err(ApiError::new(
            "FailedOperation",
            "some of the messages are no longer held: their visibility timeout has ended, and they come again",
        )
        .into()),
    }
}

fn back(queue: &str) -> Redirect {
    Redirect::to(&format!("/console/queues/{queue}"))
}

async fn send(State(console): State<Console>, Path(name): Path<String>, sent: Sent) -> Result<Redirect, Trouble> {
    let delay = number(&sent.fields, "delay", "DelaySeconds")?.unwrap_or(0);
    let params = json!({"QueueName": name, "MsgContent": sent.fields.get("text"), "DelaySeconds": delay});
    let _: Value = call(&console.app, Product::Tdmq, "SendCmqMsg", params).await?;
    Ok(back(&name))
}

async fn clear(State(console): State<Console>, Path(name): Path<String>, _: Sent) -> Result<Redirect, Trouble> {
    let _: Value = call(&console.app, Product::Tdmq, "ClearCmqQueue", json!({"QueueName": name})).await?;
    Ok(back(&name))
}

async fn delete(State(console): State<Console>, Path(name): Path<String>, _: Sent) -> Result<Redirect, Trouble> {
    let _: Value = call(&console.app, Product::Tdmq, "DeleteCmqQueue", json!({"QueueName": name})).await?;
    Ok(Redirect::to("/console/queues"))
}

#[derive(Template)]
#[template(path = "console/queue_messages.html")]
struct Looked {
    frame: Frame,
    queue: String,
    messages: Vec<MessageView>,
    /// The place after which there may be more.
    later: Option<u64>,
}

/// Shows messages without receiving them.
async fn look(
    State(console): State<Console>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let state = console.app.state();
    let none = || ApiError::new("ResourceNotFound", format!("QueueName: queue `{name}` does not exist"));
    let no = state.queue_named(&name).ok_or_else(none)?.no;
    let found = console.app.read(move |reader| reader.queue_messages(no, asked.from, LOOKED)).await;
    let found = found.map_err(|error| Trouble::from(of_store(&error)))?;
    let now = console.app.clock();
    let messages: Vec<MessageView> = found.iter().map(|message| MessageView::of(message, now)).collect();
    let later = messages.last().map(|message| message.place).filter(|_| messages.len() == LOOKED);
    Ok(Html(Looked { frame: visitor.frame("queues"), queue: name, messages, later }.render()?))
}

fn edit_form(visitor: &Visitor, queue: &QueueView) -> Form {
    let number = |name, label, path, value: u64| Input::new(name, label, path, Kind::Number).value(value.to_string());
    Form {
        frame: visitor.frame("queues"),
        title: format!("Change {}", queue.queue_name),
        lead: "What is received from now on is hidden for the new timeout; retention holds for all messages.".into(),
        action: format!("/console/queues/{}/edit", queue.queue_name),
        inputs: vec![
            number("visibility", "Visibility timeout, in seconds", "VisibilityTimeout", queue.visibility_timeout),
            number("poll", "Long poll, in seconds", "PollingWaitSeconds", queue.polling_wait_seconds),
            number("retention", "Retention, in seconds", "MsgRetentionSeconds", queue.msg_retention_seconds),
            number("size", "Largest message, in bytes", "MaxMsgSize", queue.max_msg_size),
            number("rewind", "Can be set back by, in seconds", "RewindSeconds", queue.rewind_seconds),
        ],
        send: "Change",
        beside: None,
        problem: String::new(),
    }
}

async fn described(console: &Console, name: &str) -> Result<QueueView, ApiError> {
    let params = json!({"QueueName": name});
    let described: Described = call(&console.app, Product::Tdmq, "DescribeCmqQueueDetail", params).await?;
    Ok(described.queue_describe)
}

async fn edit(State(console): State<Console>, visitor: Visitor, Path(name): Path<String>) -> Page {
    edit_form(&visitor, &described(&console, &name).await?).page()
}

async fn edited(State(console): State<Console>, Path(name): Path<String>, sent: Sent) -> Result<Response, Trouble> {
    let given = &sent.fields;
    let changed = async {
        let params = json!({
            "QueueName": name,
            "VisibilityTimeout": number(given, "visibility", "VisibilityTimeout")?,
            "PollingWaitSeconds": number(given, "poll", "PollingWaitSeconds")?,
            "MsgRetentionSeconds": number(given, "retention", "MsgRetentionSeconds")?,
            "MaxMsgSize": number(given, "size", "MaxMsgSize")?,
            "RewindSeconds": number(given, "rewind", "RewindSeconds")?,
        });
        call::<Value>(&console.app, Product::Tdmq, "ModifyCmqQueueAttribute", params).await
    };
    match changed.await {
        Ok(_) => Ok(back(&name).into_response()),
        Err(error) => edit_form(&sent.visitor, &described(&console, &name).await?).refused(given, &error),
    }
}

fn form(visitor: &Visitor) -> Form {
    Form {
        frame: visitor.frame("queues"),
        title: "Create a queue".into(),
        lead: "A queue keeps messages until somebody has received and acknowledged them.".into(),
        action: "/console/queues/new".into(),
        inputs: vec![
            Input::new("name", "Name", "QueueName", Kind::Line).hint("A letter, then letters, digits, - and _."),
            Input::new("visibility", "Visibility timeout, in seconds", "VisibilityTimeout", Kind::Number)
                .hint("How long a received message is hidden from others.")
                .value("30"),
            Input::new("retention", "Retention, in seconds", "MsgRetentionSeconds", Kind::Number).value("345600"),
            Input::new("rewind", "Can be set back by, in seconds", "RewindSeconds", Kind::Number).value("0"),
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
        Ok(()) => Ok(back(name).into_response()),
        Err(error) => form(&sent.visitor).refused(&sent.fields, &error),
    }
}

async fn created(console: &Console, name: &str, given: &Fields) -> Result<(), ApiError> {
    let params = json!({
        "QueueName": name,
        "VisibilityTimeout": number(given, "visibility", "VisibilityTimeout")?,
        "MsgRetentionSeconds": number(given, "retention", "MsgRetentionSeconds")?,
        "RewindSeconds": number(given, "rewind", "RewindSeconds")?,
    });
    let _: Value = call(&console.app, Product::Tdmq, "CreateCmqQueue", params).await?;
    Ok(())
}
