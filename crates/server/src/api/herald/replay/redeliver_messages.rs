//! `RedeliverMessages`.

use kernel::delivery::{DeliveryKey, Standing, standing};
use kernel::limits::REDELIVER_MESSAGES;
use kernel::replay::Which;
use kernel::subscription::Subscription;
use kernel::time::Timestamp;
use kernel::topic::{MsgId, Topic};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields::{self, Reader};

use super::target;
use crate::App;
use crate::api::api3::{Action, of_store};
use crate::api::herald::fields::{INVALID, parsed_msg_id};

pub(in super::super) const ACTION: Action = Action {
    name: "RedeliverMessages",
    help: "Sends messages to a subscription once more: some by their ids, or all that were given up since a time.",
    call: |app, params| Box::pin(call(app, params)),
};

/// Given-up deliveries that are counted; of more it is said that there are at least so many.
const COUNTED: u64 = 1_000_000;

/// Which messages are asked for.
enum Asked {
    These(Vec<MsgId>),
    FailedSince(Timestamp),
}

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (target, asked, dry_run) = fields::read(params, "", |reader| {
        Ok((target(reader)?, asked(reader)?, reader.bool("DryRun")?.unwrap_or(false)))
    })?;
    let (topic, subscription) = target.find(app)?;
    let key = subscription.key;
    let (which, count, from, to) = match asked {
        Asked::These(ids) => {
            let seqs = places(app, &topic, &subscription, &ids).await?;
            let (from, to) = (seqs[0], seqs[seqs.len() - 1]);
            (Which::These { seqs: seqs.clone() }, seqs.len() as u64, from, to)
        }
        Asked::FailedSince(since) => {
            let read = app.read(move |reader| reader.dead_figures(key, since, COUNTED)).await;
            let figures = read.map_err(|error| of_store(&error))?;
            // Counted are the first; all up to the end are sent.
            let to = if figures.count == COUNTED { topic.end() } else { figures.last };
            (Which::Dead { since }, figures.count, figures.first, to)
        }
    };
    if dry_run || count == 0 {
        return Ok(json!({"Count": count, "ReplayNo": null}));
    }
    let no = target.start(app, which, from, to).await?;
    Ok(json!({"Count": count, "ReplayNo": no}))
}

fn asked(reader: &Reader<'_>) -> Result<Asked, ApiError> {
    let (texts, since) = (reader.strings("MsgIds")?, reader.i64("FailedSince")?);
    match (texts.len(), since) {
        (0, Some(since)) => Ok(Asked::FailedSince(Timestamp(since))),
        (0, None) => Err(reader.refuse("MsgIds", "MissingParameter", "give MsgIds, or FailedSince in milliseconds")),
        (_, Some(_)) => Err(reader.refuse("FailedSince", INVALID, "give MsgIds or FailedSince, not both")),
        (count, None) if count > REDELIVER_MESSAGES => Err(reader.refuse(
            "MsgIds",
            INVALID,
            format!("at most {REDELIVER_MESSAGES} messages, but there are {count}"),
        )),
        (_, None) => {
            let ids = texts.iter().enumerate().map(|(at, text)| parsed_msg_id(reader, &format!("MsgIds.{at}"), text));
            Ok(Asked::These(ids.collect::<Result<_, _>>()?))
        }
    }
}

/// The places of messages that can be sent once more: they are kept, and their deliveries have ended.
async fn places(app: &App, topic: &Topic, subscription: &Subscription, ids: &[MsgId]) -> Result<Vec<u64>, ApiError> {
    let mut seqs = Vec::with_capacity(ids.len());
    for (at, id) in ids.iter().enumerate() {
        let (topic_no, seq) = (topic.no, id.seq());
        if id.stream() != topic_no || seq > topic.end() {
            return Err(ApiError::new(INVALID, format!("MsgIds.{at}: it is no message of topic `{}`", topic.name)));
        }
        let (key, name) = (DeliveryKey { subscription: subscription.key, seq }, subscription.name.clone());
        let read = app.read(move |reader| {
            let message = reader.topic_messages(topic_no, seq - 1, 1)?.into_iter().find(|message| message.seq == seq);
            let (row, last) = (reader.delivery(key)?, reader.last_attempt(key)?);
            Ok((message, row, last, reader.subscription(topic_no, &name)?))
        });
        let (message, row, last, now) = read.await.map_err(|error| of_store(&error))?;
        let Some(message) = message else {
            let gone = format!("MsgIds.{at}: the message is over the topic's retention and is gone");
            return Err(ApiError::new("InvalidParameterValue.Expired", gone));
        };
        let now = now.as_deref().unwrap_or(subscription);
        let stage = row.map(|row| row.stage);
        let refused = |why: String| Err(ApiError::new("FailedOperation", format!("MsgIds.{at}: {why}")));
        match standing(topic.filter, now, seq, Some(&*message), stage, last.as_deref()) {
            Standing::Pending => return refused("it is still to be delivered".into()),
            Standing::Retrying { next } => {
                return refused(format!(
                    "it is still being delivered; the next attempt is due {}",
                    wire::time::Utc(next)
                ));
            }
            Standing::Unwanted => return refused("the subscription's filter does not want it".into()),
            Standing::Delivered | Standing::Copied | Standing::Dead | Standing::Before => seqs.push(seq),
        }
    }
    seqs.sort_unstable();
    seqs.dedup();
    Ok(seqs)
}
