//! `CreateCmqTopic`; `CreateTopic` in `cmq`.

use std::ops::RangeInclusive;

use kernel::command::{Command, Reply};
use kernel::topic::FilterType;
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;

use super::dialect::Dialect;
use super::fields::{integer_or, new_name, tags};
use super::refusal::of_refusal;
use super::{Action, submit, unexpected};
use crate::App;
use crate::api::cmq::limits::{MESSAGE_DEFAULT_BYTES, TOPIC_RETENTION_DEFAULT_S, TOPIC_RETENTION_S};
use crate::api::cmq::rules;
use crate::ledger::Lane;

pub(super) const ACTION: Action = Action {
    name: "CreateCmqTopic",
    help: "Makes a topic.",
    call: |app, params| Box::pin(call(app, params, Dialect::Tdmq)),
};

/// Bytes that the largest message may be set to: less than in CMQ v2.
pub(super) const MESSAGE_BYTES: RangeInclusive<u64> = 1_024..=65_536;

pub(in crate::api) async fn call(app: &App, params: &Value, dialect: Dialect) -> Result<Value, ApiError> {
    match submit(app, Lane::Api, command(params, dialect)?, of_refusal).await? {
        Reply::Topic(id) => Ok(json!({"TopicId": dialect.topic_id(id)})),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn command(params: &Value, dialect: Dialect) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| {
        Ok(Command::CreateTopic {
            name: new_name(reader, "TopicName", rules::is_name, "")?,
            max_msg_bytes: integer_or(reader, "MaxMsgSize", MESSAGE_BYTES, MESSAGE_DEFAULT_BYTES)?,
            filter: match integer_or(reader, "FilterType", 1..=2, 1)? {
                2 => FilterType::Routing,
                _ => FilterType::Tags,
            },
            retention_s: integer_or(reader, "MsgRetentionSeconds", TOPIC_RETENTION_S, TOPIC_RETENTION_DEFAULT_S)?,
            trace: reader.bool("Trace")?.unwrap_or(false),
            tags: if dialect == Dialect::Tdmq { tags(reader)? } else { Vec::new() },
        })
    })
}
