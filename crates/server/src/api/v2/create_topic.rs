//! `CreateTopic`.

use kernel::command::{Command, Reply};
use kernel::topic::FilterType;
use serde_json::{Value, json};
use wire::v2::{Params, V2Code, V2Error};

use super::fields::{max_msg_bytes, new_name};
use super::{Action, submit, unexpected};
use crate::App;
use crate::api::cmq::limits::TOPIC_RETENTION_DEFAULT_S;
use crate::api::cmq::rules;
use crate::ledger::Lane;

pub(super) const ACTION: Action =
    Action { name: "CreateTopic", help: "Makes a topic.", call: |app, params| Box::pin(call(app, params)) };

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    match submit(app, Lane::Api, command(params)?).await? {
        Reply::Topic(id) => Ok(json!({"topicId": id})),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn command(params: &Params) -> Result<Command, V2Error> {
    Ok(Command::CreateTopic {
        name: new_name(params, "topicName", rules::is_name, V2Code::TopicName)?,
        max_msg_bytes: max_msg_bytes(params)?,
        filter: match params.integer("filterType", 1..=2)? {
            Some(2) => FilterType::Routing,
            _ => FilterType::Tags,
        },
        retention_s: TOPIC_RETENTION_DEFAULT_S,
        trace: false,
        tags: Vec::new(),
    })
}
