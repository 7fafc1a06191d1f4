//! Actions of API 3.0 `tdmq` 2020-02-17 that are about CMQ: topics, queues and subscriptions, as the Tencent Cloud
//! clients manage them.
//!
//! An action is one file and one row of [`ACTIONS`]. Its file reads the parameters into a command (every refusal of
//! the input ends there, with the field's path), submits it, and says the answer; [`refusal`] has the codes for what
//! the kernel refuses. What is not built is refused by the field's name, never ignored. Ids have the prefixes of this
//! API (`cmqt-`, `cmqq-`) before the same characters as in CMQ v2; times are in milliseconds.

pub(super) mod clear_cmq_queue;
pub(super) mod clear_cmq_subscription_filter_tags;
pub(super) mod create_cmq_queue;
pub(super) mod create_cmq_subscribe;
pub(super) mod create_cmq_topic;
pub(super) mod delete_cmq_queue;
pub(super) mod delete_cmq_subscribe;
pub(super) mod delete_cmq_topic;
pub(super) mod describe_cmq_dead_letter_source_queues;
mod describe_cmq_queue_detail;
mod describe_cmq_queues;
pub(super) mod describe_cmq_subscription_detail;
mod describe_cmq_topic_detail;
mod describe_cmq_topics;
pub(super) mod dialect;
pub(super) mod fields;
pub(super) mod modify_cmq_queue_attribute;
pub(super) mod modify_cmq_subscription_attribute;
pub(super) mod modify_cmq_topic_attribute;
mod publish_cmq_msg;
mod queue_fields;
mod refusal;
pub(super) mod rewind_cmq_queue;
pub(in crate::api) use refusal::of_refusal;
mod send_cmq_msg;
pub(super) mod unbind_cmq_dead_letter;
pub(super) mod views;

use kernel::command::{Command, Reply};
use serde_json::{Value, json};
use wire::api3::ApiError;

use super::api3::{Action, submit, unexpected};
use crate::App;
use crate::api::cmq::{read, words};
use crate::ledger::Lane;

/// All actions of `tdmq` that are built.
pub(super) const ACTIONS: &[Action] = &[
    create_cmq_queue::ACTION,
    modify_cmq_queue_attribute::ACTION,
    describe_cmq_queues::ACTION,
    describe_cmq_queue_detail::ACTION,
    delete_cmq_queue::ACTION,
    clear_cmq_queue::ACTION,
    rewind_cmq_queue::ACTION,
    unbind_cmq_dead_letter::ACTION,
    describe_cmq_dead_letter_source_queues::ACTION,
    send_cmq_msg::ACTION,
    create_cmq_topic::ACTION,
    modify_cmq_topic_attribute::ACTION,
    describe_cmq_topics::ACTION,
    describe_cmq_topic_detail::ACTION,
    delete_cmq_topic::ACTION,
    publish_cmq_msg::ACTION,
    create_cmq_subscribe::ACTION,
    modify_cmq_subscription_attribute::ACTION,
    describe_cmq_subscription_detail::ACTION,
    clear_cmq_subscription_filter_tags::ACTION,
    delete_cmq_subscribe::ACTION,
];

/// Submits a command that is answered without fields, but for a secret that it may have drawn.
async fn submit_done(app: &App, command: Command) -> Result<Value, ApiError> {
    let drawn = words::drawn(&command);
    match submit(app, Lane::Api, command, refusal::of_refusal).await? {
        Reply::Done => match drawn.and_then(|(topic, name)| read::secret(app, &topic, &name)) {
            Some(secret) => Ok(json!({"SignatureSecret": secret})),
            None => Ok(json!({})),
        },
        other => Err(unexpected(&other)),
    }
}

/// Submits one message; gives its id back.
async fn submit_message(app: &App, command: Command) -> Result<Value, ApiError> {
    match submit(app, Lane::Messages, command, refusal::of_refusal).await? {
        Reply::Messages(ids) => Ok(json!({"Result": true, "MsgId": ids.first().map(|id| id.0.to_string())})),
        other => Err(unexpected(&other)),
    }
}

#[cfg(test)]
mod live_tests;
#[cfg(test)]
mod tests;
