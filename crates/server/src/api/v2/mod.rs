//! Actions of CMQ v2: topics, queues, subscriptions and their messages, as the CMQ clients call them.
//!
//! An action is one file and one row of [`ACTIONS`]. Its file reads the parameters into a command (every refusal of
//! the input ends there), submits it, and says the answer in CMQ's words; [`refusal`] has CMQ's words for what the
//! kernel refuses. What is not built is refused by the parameter's name, never ignored; parameters that CMQ does not
//! know are ignored, as Tencent Cloud does.

mod batch_delete_message;
mod batch_publish_message;
mod batch_receive_message;
mod batch_send_message;
mod clear_subscription_filter_tags;
mod create_queue;
mod create_topic;
mod delete_message;
mod delete_queue;
mod delete_topic;
mod fields;
mod get_queue_attributes;
mod get_subscription_attributes;
mod get_topic_attributes;
mod list_queue;
mod list_subscription_by_topic;
mod list_topic;
mod poll;
mod publish_message;
mod query_route;
mod receive_message;
mod refusal;
mod rewind_queue;
mod send_message;
mod set_queue_attributes;
mod set_subscription_attributes;
mod set_topic_attributes;
mod subscribe;
mod unsubscribe;

use std::pin::Pin;

use kernel::command::{Command, Reply};
use kernel::topic::MsgId;
use serde_json::{Value, json};
use wire::v2::{Params, V2Code, V2Error};

use crate::App;
use crate::ledger::Lane;

/// All actions of CMQ v2 that are built.
pub(super) const ACTIONS: &[Action] = &[
    create_queue::ACTION,
    list_queue::ACTION,
    get_queue_attributes::ACTION,
    set_queue_attributes::ACTION,
    rewind_queue::ACTION,
    delete_queue::ACTION,
    send_message::ACTION,
    batch_send_message::ACTION,
    receive_message::ACTION,
    batch_receive_message::ACTION,
    delete_message::ACTION,
    batch_delete_message::ACTION,
    create_topic::ACTION,
    list_topic::ACTION,
    get_topic_attributes::ACTION,
    set_topic_attributes::ACTION,
    delete_topic::ACTION,
    publish_message::ACTION,
    batch_publish_message::ACTION,
    subscribe::ACTION,
    list_subscription_by_topic::ACTION,
    get_subscription_attributes::ACTION,
    set_subscription_attributes::ACTION,
    clear_subscription_filter_tags::ACTION,
    unsubscribe::ACTION,
    query_route::QUEUE,
    query_route::TOPIC,
];

/// One action.
pub(super) struct Action {
    /// Its name; to be compared with [`wire::v2::same_action`].
    pub(super) name: &'static str,
    /// What it does, in one line.
    pub(super) help: &'static str,
    /// Answers a call with the fields of its reply.
    pub(super) call: for<'a> fn(&'a App, &'a Params) -> Answer<'a>,
}

/// The answer to a call, on its way.
pub(super) type Answer<'a> = Pin<Box<dyn Future<Output = Result<Value, V2Error>> + Send + 'a>>;

async fn submit(app: &App, lane: Lane, command: Command) -> Result<Reply, V2Error> {
    app.ledger.submit(lane, command).await.map_err(|error| refusal::v2_error(&error))
}

/// Submits a command of the client's that is answered without fields.
async fn submit_done(app: &App, command: Command) -> Result<Value, V2Error> {
    match submit(app, Lane::Api, command).await? {
        Reply::Done => Ok(json!({})),
        other => Err(unexpected(&other)),
    }
}

/// Submits messages; gives their ids back.
async fn submit_messages(app: &App, command: Command) -> Result<Vec<MsgId>, V2Error> {
    match submit(app, Lane::Messages, command).await? {
        Reply::Messages(ids) => Ok(ids),
        other => Err(unexpected(&other)),
    }
}

/// The fields that tell the id of one message.
fn msg_id(ids: &[MsgId]) -> Value {
    json!({"msgId": ids.first().map(|id| id.0.to_string())})
}

/// The fields that tell the ids of many messages.
fn msg_list(ids: &[MsgId]) -> Value {
    let list: Vec<Value> = ids.iter().map(|id| json!({"msgId": id.0.to_string()})).collect();
    json!({"msgList": list})
}

/// The kernel answered something that is no answer to what was asked.
fn unexpected(reply: &Reply) -> V2Error {
    debug_assert!(false, "the kernel answered {reply:?}");
    tracing::error!("the kernel gave an answer of the wrong kind");
    V2Code::Internal.error()
}

#[cfg(test)]
mod live_tests;
#[cfg(test)]
mod tests;
