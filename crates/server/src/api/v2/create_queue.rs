//! `CreateQueue`.

use kernel::command::{Command, Reply};
use kernel::queue::QueueSettings;
use serde_json::{Value, json};
use wire::v2::{Params, V2Code, V2Error};

use super::fields::{NO_TRANSACTIONS, dead_letter_policy, integer_or, max_msg_bytes, new_name, refuse};
use super::{Action, submit, unexpected};
use crate::App;
use crate::api::cmq::limits::{
    HEAP_MESSAGES, HEAP_MESSAGES_DEFAULT, POLL_S, QUEUE_RETENTION_S, REWIND_S, VISIBILITY_DEFAULT_S, VISIBILITY_S,
};
use crate::api::cmq::rules;
use crate::ledger::Lane;

pub(super) const ACTION: Action =
    Action { name: "CreateQueue", help: "Makes a queue.", call: |app, params| Box::pin(call(app, params)) };

/// How long a queue keeps a message unless told otherwise, in seconds.
const RETENTION_DEFAULT_S: u64 = 345_600;

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    match submit(app, Lane::Api, command(params)?).await? {
        Reply::Queue(id) => Ok(json!({"queueId": id})),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn command(params: &Params) -> Result<Command, V2Error> {
    let name = new_name(params, "queueName", rules::is_queue_name, V2Code::QueueName)?;
    let settings = QueueSettings {
        max_messages: integer_or(params, "maxMsgHeapNum", HEAP_MESSAGES, HEAP_MESSAGES_DEFAULT)?,
        polling_wait_s: integer_or(params, "pollingWaitSeconds", 0..=POLL_S, 0)?,
        visibility_s: integer_or(params, "visibilityTimeout", VISIBILITY_S, VISIBILITY_DEFAULT_S)?,
        max_msg_bytes: max_msg_bytes(params)?,
        retention_s: integer_or(params, "msgRetentionSeconds", QUEUE_RETENTION_S, RETENTION_DEFAULT_S)?,
        rewind_s: integer_or(params, "rewindSeconds", REWIND_S, 0)?,
        kept_max_bytes: 0,
        trace: false,
    };
    let dead_letter = dead_letter_policy(params)?;
    refuse(params, "transaction", "0", NO_TRANSACTIONS)?;
    Ok(Command::CreateQueue { name, settings, dead_letter, tags: Vec::new() })
}
