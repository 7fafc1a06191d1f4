//! `DescribeDelivery`.

use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;

use super::list::{Part, Walk, page};
use super::views;
use crate::App;
use crate::api::api3::{Action, of_store};
use crate::api::herald::fields::{msg_id, subscription, topic_of};

pub(in super::super) const ACTION: Action = Action {
    name: "DescribeDelivery",
    help: "Shows one delivery with all attempts that are kept, the first first.",
    call: |app, params| Box::pin(call(app, params)),
};

/// Attempts that are shown of one delivery: more than any strategy makes.
const ATTEMPTS: usize = 1_000;

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (topic, name, id) = fields::read(params, "", |reader| {
        let id = msg_id(reader, "MsgId")?;
        let id = reader.required("MsgId", id)?;
        Ok((reader.string("TopicName")?, reader.required_string("SubscriptionName")?, id))
    })?;
    let state = app.state();
    let missing = || ApiError::new("ResourceNotFound", "MsgId: there has been no such message");
    let topic = topic_of(&state, topic.as_deref(), Some(id))?.filter(|topic| id.seq() <= topic.end());
    let topic = topic.ok_or_else(missing)?;
    let subscription = subscription(&state, &topic, &name)?;
    let key = subscription.key;
    let parts = [Part { topic, subscriptions: vec![subscription], walk: Walk::One(id.seq()) }];
    let read = app.read(move |reader| {
        let attempts = reader.attempts_of(key, id.seq(), ATTEMPTS)?;
        Ok((page(reader, &parts, &[], None, 1)?.0, attempts))
    });
    let (listed, attempts) = read.await.map_err(|error| of_store(&error))?;
    let listed = listed.first().ok_or_else(missing)?;
    let mut view = views::delivery(listed);
    view["Body"] = json!(listed.message.as_ref().map(|message| &*message.body));
    view["AttemptSet"] = attempts.iter().map(|attempt| views::attempt(attempt)).collect();
    Ok(json!({"Delivery": view}))
}
