//! Fields that more than one action has.

use std::ops::RangeInclusive;
use std::sync::Arc;

use kernel::id::{EnvId, JobId};
use kernel::state::State;
use kernel::subscription::Subscription;
use kernel::topic::{MsgId, StreamNo, Topic};
use wire::api3::ApiError;
use wire::fields::Reader;

/// What is out of its range or form.
pub(super) const INVALID: &str = "InvalidParameterValue";
/// Items on a page, unless asked for more or fewer.
const PAGE_DEFAULT: u64 = 20;
/// Most items on a page.
const PAGE_MOST: u64 = 100;

/// An integer within `range`.
pub(super) fn integer(reader: &Reader<'_>, key: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, ApiError> {
    match reader.u64(key)? {
        Some(number) if !range.contains(&number) => {
            let (least, most) = range.into_inner();
            Err(reader.refuse(key, INVALID, format!("{number} is out of range, it must be from {least} to {most}")))
        }
        number => Ok(number),
    }
}

/// `Limit`.
pub(super) fn limit(reader: &Reader<'_>) -> Result<usize, ApiError> {
    let limit = integer(reader, "Limit", 1..=PAGE_MOST)?.unwrap_or(PAGE_DEFAULT);
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Where a list goes on, as its last page said: topic, message, and subscription or attempt.
pub(super) type Place = (u32, u64, u32);

/// `Context`: what the page before said; missing or empty: from the beginning.
pub(super) fn context(reader: &Reader<'_>) -> Result<Option<Place>, ApiError> {
    let Some(text) = reader.string("Context")?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let place = || {
        let mut numbers = text.split('-');
        let place = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        numbers.next().is_none().then_some(place)
    };
    let unknown = || reader.refuse("Context", INVALID, "it must be the Context of the page before, as it was given");
    place().map(Some).ok_or_else(unknown)
}

/// Refuses to go on in a topic that is not among those that a list is about: it has been deleted meanwhile. To begin
/// anew by itself would show the same again, and never end.
pub(super) fn goes_on(from: Option<Place>, mut topics: impl Iterator<Item = u32>) -> Result<(), ApiError> {
    match from {
        Some((topic, ..)) if !topics.any(|no| no == topic) => {
            let gone = "Context: the topic that it goes on in is not there any more; begin anew without it";
            Err(ApiError::new(INVALID, gone))
        }
        _ => Ok(()),
    }
}

/// The text of [`context`]; empty: the list is over.
pub(super) fn context_text(place: Option<Place>) -> String {
    place.map(|(topic, seq, no)| format!("{topic}-{seq}-{no}")).unwrap_or_default()
}

/// `MsgId`: the topic and the place that it means.
pub(super) fn msg_id(reader: &Reader<'_>, key: &str) -> Result<Option<MsgId>, ApiError> {
    let Some(text) = reader.string(key)? else { return Ok(None) };
    Ok(Some(parsed_msg_id(reader, key, &text)?))
}

/// The message that a text means.
pub(super) fn parsed_msg_id(reader: &Reader<'_>, key: &str, text: &str) -> Result<MsgId, ApiError> {
    let id = text.parse().ok().map(MsgId).filter(|id| id.seq() > 0);
    id.ok_or_else(|| reader.refuse(key, INVALID, "it must be the id of a message, a decimal number"))
}

/// Who sent events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Job(JobId),
    Env(EnvId),
}

/// `JobId` or `EnvId`; not both.
pub(super) fn sender(reader: &Reader<'_>) -> Result<Option<Sender>, ApiError> {
    let (job, env) = (reader.string("JobId")?, reader.string("EnvId")?);
    match (job, env) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(reader.refuse("EnvId", INVALID, "give JobId or EnvId, not both")),
        (Some(text), None) => {
            let id = text.parse().map_err(|bad| reader.refuse("JobId", "InvalidParameter.JobIdMalformed", bad))?;
            Ok(Some(Sender::Job(id)))
        }
        (None, Some(text)) => {
            let id = text.parse().map_err(|bad| reader.refuse("EnvId", "InvalidParameter.EnvIdMalformed", bad))?;
            Ok(Some(Sender::Env(id)))
        }
    }
}

/// The topic of this name.
pub(super) fn topic(state: &State, name: &str) -> Result<Arc<Topic>, ApiError> {
    state
        .topic_named(name)
        .cloned()
        .ok_or_else(|| ApiError::new("ResourceNotFound.Topic", format!("TopicName: topic `{name}` does not exist")))
}

/// The topic of this number, which a message's id has named.
pub(super) fn topic_numbered(state: &State, no: StreamNo) -> Result<Arc<Topic>, ApiError> {
    let missing = || ApiError::new("ResourceNotFound.Topic", "MsgId: it is of no topic that exists");
    state.topic(no).cloned().ok_or_else(missing)
}

/// The topic that is named, by its name or by a message's id, which must agree.
pub(super) fn topic_of(state: &State, name: Option<&str>, id: Option<MsgId>) -> Result<Option<Arc<Topic>>, ApiError> {
    let named = name.map(|name| topic(state, name)).transpose()?;
    let of_id = id.map(|id| topic_numbered(state, id.stream())).transpose()?;
    match (named, of_id) {
        (Some(named), Some(of_id)) if named.no != of_id.no => {
            let message = format!("MsgId: it is a message of topic `{}`, not of `{}`", of_id.name, named.name);
            Err(ApiError::new(INVALID, message))
        }
        (named, of_id) => Ok(named.or(of_id)),
    }
}

/// The subscription of this name, in any case.
pub(super) fn subscription(state: &State, topic: &Topic, name: &str) -> Result<Arc<Subscription>, ApiError> {
    let lower = name.to_lowercase();
    let found = state.subscriptions_of(topic.no).find(|subscription| subscription.name.to_lowercase() == lower);
    found.cloned().ok_or_else(|| {
        let message = format!("SubscriptionName: subscription `{name}` of topic `{}` does not exist", topic.name);
        ApiError::new("ResourceNotFound.Subscription", message)
    })
}
