//! `CreateCmqTopic`.

use std::ops::RangeInclusive;

use kernel::command::{Command, Reply};
use kernel::topic::FilterType;
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;

use super::fields::{integer_or, new_name, refuse};
use super::refusal::of_refusal;
use super::{Action, submit, unexpected, views};
use crate::App;
use crate::api::cmq::limits::{MESSAGE_DEFAULT_BYTES, TOPIC_RETENTION_DEFAULT_S, TOPIC_RETENTION_S};
use crate::api::cmq::rules;
use crate::ledger::Lane;

pub(super) const ACTION: Action =
    Action { name: "CreateCmqTopic", help: "Makes a topic.", call: |app, params| Box::pin(call(app, params)) };

/// Bytes that the largest message may be set to: less than in CMQ v2.
const MESSAGE_BYTES: RangeInclusive<u64> = 1_024..=65_536;

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    match submit(app, Lane::Api, command(params)?, of_refusal).await? {
        Reply::Topic(id) => Ok(json!({"TopicId": views::topic_id(id)})),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn command(params: &Value) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| {
        let name = new_name(reader, "TopicName", rules::is_name, "")?;
        let max_msg_bytes = integer_or(reader, "MaxMsgSize", MESSAGE_BYTES, MESSAGE_DEFAULT_BYTES)?;
        let filter = match integer_or(reader, "FilterType", 1..=2, 1)? {
            2 => FilterType::Routing,
            _ => FilterType::Tags,
        };
        let retention_s = integer_or(reader, "MsgRetentionSeconds", TOPIC_RETENTION_S, TOPIC_RETENTION_DEFAULT_S)?;
        refuse(reader, "Trace", "messages are not traced here; leave it out or give false")?;
        refuse(reader, "Tags", "topics have no tags here; leave it out")?;
        Ok(Command::CreateTopic { name, filter, max_msg_bytes, retention_s, trace: false, tags: Vec::new() })
    })
}
