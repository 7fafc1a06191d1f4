//! `DescribeEvents`.

use std::sync::Arc;

use kernel::event::Outlet;
use kernel::topic::{MsgId, Topic, TopicMessage};
use serde_json::{Value, json};
use store::{Reader, StoreError};
use wire::api3::ApiError;
use wire::fields;
use wire::received::{self, Received};

use super::fields::{Place, context, context_text, goes_on, limit, sender, topic};
use super::outlets;
use crate::App;
use crate::api::api3::{Action, of_store};

pub(super) const ACTION: Action = Action {
    name: "DescribeEvents",
    help: "Lists the events that a job or environment has sent and that its topics keep, the newest first.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (sender, topic_name, limit, from) = fields::read(params, "", |reader| {
        let sender = sender(reader)?;
        let sender = reader.required("JobId", sender)?;
        Ok((sender, reader.string("TopicName")?, limit(reader)?, context(reader)?))
    })?;
    let sent = outlets(app, sender).await?;
    let state = app.state();
    let only = topic_name.map(|name| topic(&state, &name)).transpose()?.map(|topic| topic.no);
    let wanted = sent.iter().filter(|outlet| only.is_none_or(|only| only == outlet.topic));
    let wanted: Vec<(Arc<Topic>, Outlet)> =
        wanted.filter_map(|outlet| Some((state.topic(outlet.topic)?.clone(), *outlet))).collect();
    let totals: Vec<Value> = wanted
        .iter()
        .map(|(topic, outlet)| json!({"TopicName": topic.name, "Sent": outlet.sent, "FirstPlace": outlet.first, "LastPlace": outlet.last}))
        .collect();
    goes_on(from, wanted.iter().map(|(topic, _)| topic.no.0))?;
    let read = app.read(move |reader| page(reader, &wanted, from, limit)).await;
    let (found, next) = read.map_err(|error| of_store(&error))?;
    let set: Vec<Value> = found.iter().map(|(topic, message)| view(topic, message)).collect();
    Ok(json!({"EventSet": set, "TopicSet": totals, "Context": context_text(next)}))
}

type Found = Vec<(Arc<Topic>, Arc<TopicMessage>)>;

fn page(
    reader: &mut dyn Reader,
    wanted: &[(Arc<Topic>, Outlet)],
    from: Option<Place>,
    limit: usize,
) -> Result<(Found, Option<Place>), StoreError> {
    let begin = from.map_or(0, |(no, ..)| wanted.iter().position(|(topic, _)| topic.no.0 == no).unwrap_or(0));
    let mut found = Vec::new();
    for (at, (topic, outlet)) in wanted.iter().enumerate().skip(begin) {
        let here = from.filter(|(no, ..)| at == begin && *no == topic.no.0);
        let last = here.map_or(outlet.last, |(_, seq, _)| seq);
        let messages = reader.topic_messages_from(topic.no, last, limit - found.len())?;
        let next = messages.last().map_or(0, |message| message.previous);
        found.extend(messages.into_iter().map(|message| (topic.clone(), message)));
        if found.len() >= limit && next != 0 {
            return Ok((found, Some((topic.no.0, next, 0))));
        }
        if let (true, Some((topic, outlet))) = (found.len() >= limit, wanted.get(at + 1)) {
            return Ok((found, Some((topic.no.0, outlet.last, 0))));
        }
    }
    Ok((found, None))
}

/// What is told of an event, and of a message that is none.
pub(crate) fn view(topic: &Topic, message: &TopicMessage) -> Value {
    let body: Value = serde_json::from_str(&message.body).unwrap_or_default();
    let event = match received::read(&body) {
        Received::Events(events) => events.into_iter().next(),
        _ => None,
    };
    json!({
        "TopicName": topic.name,
        "MsgId": MsgId::new(topic.no, message.seq).0.to_string(),
        "Place": message.seq,
        "PublishTime": message.published.0,
        "EventName": event.as_ref().map(|event| &event.name),
        "EventId": event.as_ref().map(|event| &event.id),
        "Sequence": event.as_ref().map(|event| event.sequence),
        "Event": body["Events"].get(0),
    })
}
