//! `StopReplay`.

use kernel::command::{Command, Reply};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;

use crate::App;
use crate::api::api3::{Action, submit, unexpected};
use crate::api::herald::fields::integer;
use crate::api::tdmq::of_refusal;
use crate::ledger::Lane;

pub(in super::super) const ACTION: Action = Action {
    name: "StopReplay",
    help: "Stops a replay of a subscription, or all of them.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let command = fields::read(params, "", |reader| {
        let no = integer(reader, "ReplayNo", 1..=u64::from(u32::MAX))?;
        Ok(Command::StopReplay {
            topic: reader.required_string("TopicName")?,
            name: reader.required_string("SubscriptionName")?,
            no: no.and_then(|no| u32::try_from(no).ok()),
        })
    })?;
    match submit(app, Lane::Api, command, of_refusal).await? {
        Reply::Done => Ok(json!({})),
        other => Err(unexpected(&other)),
    }
}
