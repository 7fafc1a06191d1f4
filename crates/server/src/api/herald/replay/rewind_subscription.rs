//! `RewindSubscription`.

use kernel::replay::Which;
use kernel::time::Timestamp;
use serde_json::{Value, json};
use store::TopicSpan;
use wire::api3::ApiError;
use wire::fields::{self, Reader};

use super::target;
use crate::App;
use crate::api::api3::{Action, of_store};
use crate::api::herald::fields::INVALID;

pub(in super::super) const ACTION: Action = Action {
    name: "RewindSubscription",
    help: "Sends a subscription the messages from a place or a time on once more, beside its live cursor.",
    call: |app, params| Box::pin(call(app, params)),
};

/// Where in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Place(u64),
    Time(Timestamp),
}

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (target, to, until) = fields::read(params, "", |reader| {
        let to = at(reader, "ToPlace", "ToTime")?;
        Ok((target(reader)?, reader.required("ToPlace", to)?, at(reader, "UntilPlace", "UntilTime")?))
    })?;
    let (topic, subscription) = target.find(app)?;
    let look = |at: At| {
        let time = if let At::Time(time) = at { time } else { Timestamp(i64::MIN) };
        let no = topic.no;
        async move { app.read(move |reader| reader.topic_span(no, time)).await.map_err(|error| of_store(&error)) }
    };
    let from = first(to, look(to).await?)?;
    let last = match until {
        None => subscription.cursor,
        Some(At::Place(place)) => place,
        // The last before the first that was published later.
        Some(At::Time(time)) => {
            let later = look(At::Time(Timestamp(time.0.saturating_add(1)))).await?;
            later.from.map_or(topic.end(), |place| place - 1)
        }
    };
    if until.is_some() && last < from {
        let field = if matches!(until, Some(At::Time(_))) { "UntilTime" } else { "UntilPlace" };
        return Err(ApiError::new(INVALID, format!("{field}: it is before the place to rewind to")));
    }
    let no = target.start(app, Which::All, from, last).await?;
    Ok(json!({"ReplayNo": no, "FromPlace": from, "ToPlace": last.min(subscription.cursor)}))
}

/// The place to rewind to. One that the topic does not keep is an error, never another one.
fn first(to: At, span: TopicSpan) -> Result<u64, ApiError> {
    let (field, oldest) = match (to, span.oldest) {
        (At::Place(_), oldest) => ("ToPlace", oldest),
        (At::Time(_), oldest) => ("ToTime", oldest),
    };
    let Some((oldest, published)) = oldest else {
        return Err(ApiError::new("FailedOperation", format!("{field}: the topic keeps no message")));
    };
    let expired = |what: String| {
        let time = wire::time::Utc(published);
        let message = format!("{field}: {what}; the topic keeps messages from place {oldest}, published {time}, on");
        Err(ApiError::new("InvalidParameterValue.Expired", message))
    };
    match to {
        At::Place(place) if place < oldest => expired(format!("place {place} is over the topic's retention")),
        At::Place(place) => Ok(place),
        // Before the first message there ever was nothing is missing.
        At::Time(time) if time < published && oldest > 1 => expired("this time is over the topic's retention".into()),
        At::Time(_) => {
            let later = || ApiError::new("FailedOperation", format!("{field}: nothing was published since then"));
            span.from.ok_or_else(later)
        }
    }
}

/// A place or a time in milliseconds; not both.
fn at(reader: &Reader<'_>, place: &str, time: &str) -> Result<Option<At>, ApiError> {
    match (reader.u64(place)?, reader.i64(time)?) {
        (Some(_), Some(_)) => Err(reader.refuse(time, INVALID, format!("give {place} or {time}, not both"))),
        (Some(0), None) => Err(reader.refuse(place, INVALID, "places begin at 1")),
        (Some(place), None) => Ok(Some(At::Place(place))),
        (None, Some(time)) => Ok(Some(At::Time(Timestamp(time)))),
        (None, None) => Ok(None),
    }
}
