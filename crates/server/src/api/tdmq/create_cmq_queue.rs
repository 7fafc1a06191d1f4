//! `CreateCmqQueue`.

use kernel::command::{Command, Reply};
use kernel::queue::QueueSettings;
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;

use super::fields::{integer_or, new_name, refuse};
use super::refusal::of_refusal;
use super::{Action, submit, unexpected, views};
use crate::App;
use crate::api::cmq::limits::{
    HEAP_MESSAGES, HEAP_MESSAGES_DEFAULT, MESSAGE_BYTES, POLL_S, QUEUE_RETENTION_S, VISIBILITY_DEFAULT_S, VISIBILITY_S,
};
use crate::api::cmq::rules;
use crate::ledger::Lane;

pub(super) const ACTION: Action =
    Action { name: "CreateCmqQueue", help: "Makes a queue.", call: |app, params| Box::pin(call(app, params)) };

/// Bytes of the largest message unless told otherwise: more than CMQ v2 has.
const MESSAGE_DEFAULT_BYTES: u64 = 1_048_576;
/// How long a message is kept unless told otherwise, in seconds: as CMQ v2 has it. Tencent documents 3,600 here, but
/// means the longest time a received message stays unacknowledged; as a lifetime that would lose what is not read
/// within the hour.
const RETENTION_DEFAULT_S: u64 = 345_600;

const NO_REWIND: &str = "queues cannot be set back here, deleted messages are gone; leave it out or give 0";
const NO_TRANSACTIONS: &str = "there are no transactions here; leave it out or give 0";
const NO_DEAD_LETTERS: &str = "there are no dead-letter queues here; leave it out";

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    match submit(app, Lane::Api, command(params)?, of_refusal).await? {
        Reply::Queue(id) => Ok(json!({"QueueId": views::queue_id(id)})),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn command(params: &Value) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| {
        let name = new_name(reader, "QueueName", rules::is_queue_name, " and not end in -retry or -dlq")?;
        let settings = QueueSettings {
            max_messages: integer_or(reader, "MaxMsgHeapNum", HEAP_MESSAGES, HEAP_MESSAGES_DEFAULT)?,
            polling_wait_s: integer_or(reader, "PollingWaitSeconds", 0..=POLL_S, 0)?,
            visibility_s: integer_or(reader, "VisibilityTimeout", VISIBILITY_S, VISIBILITY_DEFAULT_S)?,
            max_msg_bytes: integer_or(reader, "MaxMsgSize", MESSAGE_BYTES, MESSAGE_DEFAULT_BYTES)?,
            retention_s: integer_or(reader, "MsgRetentionSeconds", QUEUE_RETENTION_S, RETENTION_DEFAULT_S)?,
            rewind_s: 0,
            kept_max_bytes: 0,
            trace: false,
        };
        for key in ["RewindSeconds", "RetentionSizeInMB"] {
            refuse(reader, key, NO_REWIND)?;
        }
        for key in ["Transaction", "FirstQueryInterval", "MaxQueryCount"] {
            refuse(reader, key, NO_TRANSACTIONS)?;
        }
        // The policy 0 is a policy, but without a queue it asks for nothing.
        for key in ["DeadLetterQueueName", "Policy", "MaxReceiveCount", "MaxTimeToLive"] {
            refuse(reader, key, NO_DEAD_LETTERS)?;
        }
        refuse(reader, "Trace", "messages are not traced here; leave it out or give false")?;
        refuse(reader, "Tags", "queues have no tags here; leave it out")?;
        Ok(Command::CreateQueue { name, settings, dead_letter: None, tags: Vec::new() })
    })
}
