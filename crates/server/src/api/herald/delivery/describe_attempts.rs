//! `DescribeDeliveryAttempts`.

use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;

use super::views;
use crate::App;
use crate::api::api3::{Action, of_store};
use crate::api::herald::fields::{INVALID, context, context_text, limit, subscription, topic};

pub(in super::super) const ACTION: Action = Action {
    name: "DescribeDeliveryAttempts",
    help: "Lists the attempts of a subscription's deliveries, those of the newest message first.",
    call: |app, params| Box::pin(call(app, params)),
};

/// Attempts that one call looks at.
const LOOKS: usize = 1_000;
/// Attempts read at once.
const PAGE: usize = 100;

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (topic_name, name, succeeded, limit, from) = fields::read(params, "", |reader| {
        let succeeded = match reader.string("Outcome")?.as_deref() {
            None => None,
            Some("SUCCEEDED") => Some(true),
            Some("FAILED") => Some(false),
            Some(_) => return Err(reader.refuse("Outcome", INVALID, "it must be SUCCEEDED or FAILED")),
        };
        let (topic, name) = (reader.required_string("TopicName")?, reader.required_string("SubscriptionName")?);
        Ok((topic, name, succeeded, limit(reader)?, context(reader)?))
    })?;
    let state = app.state();
    let key = subscription(&state, &*topic(&state, &topic_name)?, &name)?.key;
    let read = app.read(move |reader| {
        let (mut found, mut looks) = (Vec::new(), 0);
        let mut before = from.map(|(_, seq, number)| (seq, number));
        loop {
            let some = reader.attempts(key, before, PAGE)?;
            for attempt in &some {
                looks += 1;
                before = Some((attempt.key.seq, attempt.number));
                if succeeded.is_none_or(|wanted| wanted == attempt.outcome.is_success()) {
                    found.push(attempt.clone());
                }
                if found.len() >= limit || looks >= LOOKS {
                    return Ok((found, before));
                }
            }
            if some.len() < PAGE {
                return Ok((found, None));
            }
        }
    });
    let (found, next) = read.await.map_err(|error| of_store(&error))?;
    let set: Vec<Value> = found.iter().map(|attempt| views::attempt(attempt)).collect();
    let next = next.map(|(seq, number)| (key.topic.0, seq, number));
    Ok(json!({"AttemptSet": set, "Context": context_text(next)}))
}
