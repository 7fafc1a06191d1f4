//! What a queue is asked to be, when it is made and when it is changed.
//!
//! Transactions are refused by name: their messages are confirmed over CMQ's TCP protocol alone, which is not spoken
//! here, so a queue that had them could never be used.

use kernel::command::{Command, NewDeadLetter, QueueEdit};
use kernel::queue::{DeadLetterRule, QueueSettings};
use wire::api3::ApiError;
use wire::fields::Reader;

use super::dialect::Dialect;
use super::fields::{INVALID, integer, integer_or, new_name, refuse, tags};
use crate::api::cmq::limits::{
    DEAD_AGE_S, DEAD_RECEIVES, HEAP_MESSAGES, HEAP_MESSAGES_DEFAULT, KEPT_MB, POLL_S, REWIND_S, VISIBILITY_DEFAULT_S,
    VISIBILITY_S,
};
use crate::api::cmq::{dead_letter, rules};

/// How long a message is kept unless told otherwise, in seconds: as CMQ v2 has it. Tencent documents 3,600 here, but
/// means the longest time a received message stays unacknowledged; as a lifetime that would lose what is not read
/// within the hour.
const RETENTION_DEFAULT_S: u64 = 345_600;
/// Bytes of a megabyte.
pub(super) const MB: u64 = 1_048_576;

const NO_TRANSACTIONS: &str =
    "transactions are confirmed over CMQ's TCP protocol alone, which is not spoken here; leave it out or give 0";

/// A queue to be made.
pub(super) fn create(reader: &Reader<'_>, dialect: Dialect) -> Result<Command, ApiError> {
    let name = new_name(reader, "QueueName", rules::is_queue_name, " and not end in -retry or -dlq")?;
    let (bytes, default_bytes) = dialect.queue_message_bytes();
    let rewind_s = integer_or(reader, "RewindSeconds", REWIND_S, 0)?;
    let settings = QueueSettings {
        max_messages: integer_or(reader, "MaxMsgHeapNum", HEAP_MESSAGES, HEAP_MESSAGES_DEFAULT)?,
        polling_wait_s: integer_or(reader, "PollingWaitSeconds", 0..=POLL_S, 0)?,
        visibility_s: integer_or(reader, "VisibilityTimeout", VISIBILITY_S, VISIBILITY_DEFAULT_S)?,
        max_msg_bytes: integer_or(reader, "MaxMsgSize", bytes, default_bytes)?,
        retention_s: integer_or(reader, "MsgRetentionSeconds", dialect.retention_s(), RETENTION_DEFAULT_S)?,
        rewind_s,
        kept_max_bytes: kept_max_bytes(reader, dialect, Some(rewind_s))?.unwrap_or(0),
        trace: reader.bool("Trace")?.unwrap_or(false),
    };
    for key in ["Transaction", "FirstQueryInterval", "MaxQueryCount"] {
        refuse(reader, key, NO_TRANSACTIONS)?;
    }
    let tags = if dialect == Dialect::Tdmq { tags(reader)? } else { Vec::new() };
    let dead_letter = match dead_letters(reader, false)? {
        (Some(queue), Some(rule)) => Some(NewDeadLetter { queue, rule }),
        (None, Some(_)) => reader.required("DeadLetterQueueName", None)?,
        _ => None,
    };
    Ok(Command::CreateQueue { name, settings, dead_letter, tags })
}

/// A queue to be changed.
pub(super) fn modify(reader: &Reader<'_>, dialect: Dialect) -> Result<Command, ApiError> {
    let name = reader.required_string("QueueName")?;
    let rewind_s = integer(reader, "RewindSeconds", REWIND_S)?;
    let (dead_letter_queue, dead_letter_rule) = dead_letters(reader, true)?;
    for key in ["Transaction", "FirstQueryInterval", "MaxQueryCount"] {
        refuse(reader, key, NO_TRANSACTIONS)?;
    }
    let edit = QueueEdit {
        max_messages: integer(reader, "MaxMsgHeapNum", HEAP_MESSAGES)?,
        polling_wait_s: integer(reader, "PollingWaitSeconds", 0..=POLL_S)?,
        visibility_s: integer(reader, "VisibilityTimeout", VISIBILITY_S)?,
        max_msg_bytes: integer(reader, "MaxMsgSize", dialect.queue_message_bytes().0)?,
        retention_s: integer(reader, "MsgRetentionSeconds", dialect.retention_s())?,
        rewind_s,
        kept_max_bytes: kept_max_bytes(reader, dialect, rewind_s)?,
        trace: reader.bool("Trace")?,
        dead_letter_queue,
        dead_letter_rule,
    };
    Ok(Command::ModifyQueue { name, edit: Box::new(edit) })
}

/// `RetentionSizeInMB`, in bytes: how much of what was deleted is kept. It belongs to a queue that can be set back.
fn kept_max_bytes(reader: &Reader<'_>, dialect: Dialect, rewind_s: Option<u64>) -> Result<Option<u64>, ApiError> {
    let key = "RetentionSizeInMB";
    if dialect == Dialect::Cmq {
        return Ok(None);
    }
    match reader.u64(key)? {
        None => Ok(None),
        Some(0) => Ok(Some(0)),
        Some(_) if rewind_s == Some(0) => {
            Err(reader.refuse(key, INVALID, "a queue that cannot be set back keeps nothing; it must be 0"))
        }
        Some(mb) if KEPT_MB.contains(&mb) => Ok(Some(mb * MB)),
        Some(mb) => {
            let (least, most) = KEPT_MB.into_inner();
            let rule = format!("{mb} is out of range, it must be 0, or from {least} to {most}");
            Err(reader.refuse(key, INVALID, rule))
        }
    }
}

/// The queue that takes dead letters, and when they go there. An empty name, and 0 for a bound, say nothing: clients
/// send them for what they were not told; nor does the policy 0 of a queue to be made, unless it has a bound.
fn dead_letters(reader: &Reader<'_>, known: bool) -> Result<(Option<String>, Option<DeadLetterRule>), ApiError> {
    let queue = reader.string("DeadLetterQueueName")?.filter(|name| !name.is_empty());
    let policy = integer(reader, "Policy", 0..=1)?;
    let receives = reader.u64("MaxReceiveCount")?.filter(|count| *count > 0);
    let age_s = reader.u64("MaxTimeToLive")?.filter(|seconds| *seconds > 0);
    let out_of = |key: &str, range: std::ops::RangeInclusive<u64>| {
        reader.refuse(key, INVALID, format!("it must be from {} to {}", range.start(), range.end()))
    };
    let by_receives = |most| dead_letter::by_receives(most).ok_or_else(|| out_of("MaxReceiveCount", DEAD_RECEIVES));
    let by_age = |seconds| dead_letter::by_age(seconds).ok_or_else(|| out_of("MaxTimeToLive", DEAD_AGE_S));
    if policy == Some(1) && receives.is_some() {
        return Err(reader.refuse("MaxReceiveCount", INVALID, "it belongs to Policy 0; leave it out, or give 0"));
    }
    if policy != Some(1) && age_s.is_some() && (policy.is_some() || receives.is_some()) {
        return Err(reader.refuse("MaxTimeToLive", INVALID, "it belongs to Policy 1; leave it out, or give 0"));
    }
    let rule = match (policy, receives, age_s) {
        (Some(1), _, Some(seconds)) | (None, None, Some(seconds)) => Some(by_age(seconds)?),
        (Some(1), ..) => reader.required("MaxTimeToLive", None)?,
        (_, Some(most), _) => Some(by_receives(most)?),
        // Without a bound it says nothing new of a queue that has one.
        (_, None, _) if queue.is_some() && !known => reader.required("MaxReceiveCount", None)?,
        _ => None,
    };
    Ok((queue, rule))
}
