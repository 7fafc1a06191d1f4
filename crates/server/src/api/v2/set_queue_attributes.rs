//! `SetQueueAttributes`.

use kernel::command::{Command, QueueEdit};
use serde_json::Value;
use wire::v2::{Params, V2Code, V2Error};

use super::fields::{NO_TRANSACTIONS, dead_letter_policy, name, refuse};
use super::get_queue_attributes::attributes;
use super::refusal::of_store;
use super::{Action, submit_done};
use crate::App;
use crate::api::cmq::limits::{HEAP_MESSAGES, MESSAGE_BYTES, POLL_S, QUEUE_RETENTION_S, REWIND_S, VISIBILITY_S};
use crate::api::cmq::read;

pub(super) const ACTION: Action = Action {
    name: "SetQueueAttributes",
    help: "Changes attributes of a queue; those not given stay. Answers all of them.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    submit_done(app, command(params)?).await?;
    let found = read::queue(app, &name(params, "queueName")?).await.map_err(|error| of_store(&error))?;
    found.map(|view| attributes(&view)).ok_or_else(|| V2Code::NoQueue.error())
}

pub(super) fn command(params: &Params) -> Result<Command, V2Error> {
    let (dead_letter_queue, dead_letter_rule) = dead_letter_policy(params)?.map(|new| (new.queue, new.rule)).unzip();
    refuse(params, "transaction", "0", NO_TRANSACTIONS)?;
    let edit = QueueEdit {
        max_messages: params.integer("maxMsgHeapNum", HEAP_MESSAGES)?,
        polling_wait_s: params.integer("pollingWaitSeconds", 0..=POLL_S)?,
        visibility_s: params.integer("visibilityTimeout", VISIBILITY_S)?,
        max_msg_bytes: params.integer("maxMsgSize", MESSAGE_BYTES)?,
        retention_s: params.integer("msgRetentionSeconds", QUEUE_RETENTION_S)?,
        rewind_s: params.integer("rewindSeconds", REWIND_S)?,
        kept_max_bytes: None,
        trace: None,
        dead_letter_queue,
        dead_letter_rule,
    };
    Ok(Command::ModifyQueue { name: name(params, "queueName")?, edit: Box::new(edit) })
}
