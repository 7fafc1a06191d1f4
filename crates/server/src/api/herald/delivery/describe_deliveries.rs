//! `DescribeDeliveries`.

use std::sync::Arc;

use kernel::delivery::Standing;
use kernel::event::Outlets;
use kernel::state::State;
use kernel::topic::{MsgId, Topic};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields::{self, Reader};

use super::list::{Part, Walk, page};
use super::views;
use crate::App;
use crate::api::api3::{Action, of_store};
use crate::api::herald::fields::{
    INVALID, Place, Sender, context, context_text, goes_on, limit, msg_id, sender, subscription, topic, topic_of,
};
use crate::api::herald::outlets;

pub(in super::super) const ACTION: Action = Action {
    name: "DescribeDeliveries",
    help: "Lists deliveries, of a message, of a subscription, or of a job or environment, the newest first.",
    call: |app, params| Box::pin(call(app, params)),
};

/// What is asked for.
#[derive(Debug)]
struct Asked {
    topic: Option<String>,
    subscription: Option<String>,
    message: Option<MsgId>,
    sender: Option<Sender>,
    states: Vec<String>,
    limit: usize,
    from: Option<Place>,
}

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let asked = fields::read(params, "", asked)?;
    let sent = match asked.sender {
        Some(sender) => Some(outlets(app, sender).await?),
        None => None,
    };
    let parts = parts(&app.state(), &asked, sent.as_ref())?;
    let (states, from, limit) = (asked.states, asked.from, asked.limit);
    goes_on(from, parts.iter().map(|part| part.topic.no.0))?;
    let read = app.read(move |reader| page(reader, &parts, &states, from, limit)).await;
    let (listed, next) = read.map_err(|error| of_store(&error))?;
    let set: Vec<Value> = listed.iter().map(views::delivery).collect();
    Ok(json!({"DeliverySet": set, "Context": context_text(next)}))
}

fn asked(reader: &Reader<'_>) -> Result<Asked, ApiError> {
    let asked = Asked {
        topic: reader.string("TopicName")?,
        subscription: reader.string("SubscriptionName")?,
        message: msg_id(reader, "MsgId")?,
        sender: sender(reader)?,
        states: states(reader)?,
        limit: limit(reader)?,
        from: context(reader)?,
    };
    if asked.message.is_some() && asked.sender.is_some() {
        return Err(reader.refuse("MsgId", INVALID, "give MsgId, or JobId or EnvId, not both"));
    }
    if asked.message.is_none() && asked.sender.is_none() && asked.subscription.is_none() {
        let reason = "give a message (MsgId), a subscription (TopicName, SubscriptionName), or a JobId or EnvId";
        return Err(reader.refuse("SubscriptionName", "MissingParameter", reason));
    }
    if asked.subscription.is_some() && asked.topic.is_none() && asked.message.is_none() {
        return Err(reader.refuse("TopicName", "MissingParameter", "required with SubscriptionName, but missing"));
    }
    Ok(asked)
}

fn states(reader: &Reader<'_>) -> Result<Vec<String>, ApiError> {
    let states = reader.strings("States")?;
    let known = |state: &String| Standing::WORDS.contains(&state.as_str());
    match states.iter().position(|state| !known(state)) {
        None => Ok(states),
        Some(at) => {
            let reason = format!("it must be one of {}", Standing::WORDS.join(", "));
            Err(reader.refuse(&format!("States.{at}"), INVALID, reason))
        }
    }
}

/// The topics and subscriptions that the list is about.
fn parts(state: &State, asked: &Asked, sent: Option<&Outlets>) -> Result<Vec<Part>, ApiError> {
    let subscription = asked.subscription.as_deref();
    let part = |topic: Arc<Topic>, walk| -> Result<Part, ApiError> {
        let subscriptions = match subscription {
            Some(name) => vec![self::subscription(state, &topic, name)?],
            None => state.subscriptions_of(topic.no).cloned().collect(),
        };
        Ok(Part { topic, subscriptions, walk })
    };
    if let Some(sent) = sent {
        let only = asked.topic.as_deref().map(|name| topic(state, name)).transpose()?.map(|topic| topic.no);
        let wanted = sent.iter().filter(|outlet| only.is_none_or(|only| only == outlet.topic));
        let found = wanted.filter_map(|outlet| Some((state.topic(outlet.topic)?.clone(), Walk::Sent(*outlet))));
        return found.map(|(topic, walk)| part(topic, walk)).collect();
    }
    let topic = topic_of(state, asked.topic.as_deref(), asked.message)?;
    let Some(topic) = topic else { return Ok(Vec::new()) };
    let by_row = !asked.states.is_empty() && asked.states.iter().all(|state| ["DEAD", "RETRYING"].contains(&&**state));
    let walk = match asked.message {
        Some(id) if id.seq() > topic.end() => {
            return Err(ApiError::new("ResourceNotFound", "MsgId: there has been no such message"));
        }
        Some(id) => Walk::One(id.seq()),
        None if by_row => Walk::Failed,
        None => Walk::All,
    };
    Ok(vec![part(topic, walk)?])
}
