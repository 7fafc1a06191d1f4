//! `PublishCmqMsg`.

use kernel::command::Command;
use kernel::topic::FilterType;
use serde_json::Value;
use wire::api3::ApiError;
use wire::fields;
use wire::limits::V2_TAGS;

use super::fields::{INVALID, content};
use super::refusal::no_topic;
use super::{Action, submit_message};
use crate::App;
use crate::api::cmq::rules;

pub(super) const ACTION: Action = Action {
    name: "PublishCmqMsg",
    help: "Publishes a message to a topic.",
    call: |app, params| Box::pin(call(app, params)),
};

/// Characters of a tag: more than CMQ v2 has.
const TAG_CHARS: usize = 64;

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    // The topic's kind says what MsgTag is, and never changes.
    let filter = |name: &str| app.state().topic_named(name).map(|topic| topic.filter);
    submit_message(app, command(params, filter)?).await
}

pub(super) fn command(params: &Value, filter: impl Fn(&str) -> Option<FilterType>) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| {
        let topic = reader.required_string("TopicName")?;
        let bodies = content(reader)?;
        let mut tags = reader.strings("MsgTag")?;
        let refuse = |reason: &str| Err(reader.refuse("MsgTag", INVALID, reason));
        let mut routing_key = String::new();
        match filter(&topic) {
            None => return Err(no_topic(topic)),
            Some(FilterType::Tags) if tags.len() > V2_TAGS => return refuse("a message has at most 5 tags"),
            Some(FilterType::Tags) if !tags.iter().all(|tag| rules::is_tag(tag, TAG_CHARS)) => {
                return refuse("a tag has 1 to 64 characters, none of them a control character");
            }
            Some(FilterType::Tags) => {}
            Some(FilterType::Routing) if tags.len() > 1 => {
                return refuse("the topic routes by key, and a message has one routing key");
            }
            Some(FilterType::Routing) => {
                routing_key = tags.pop().unwrap_or_default();
                if rules::check_key(&routing_key).is_err() {
                    return refuse("a routing key has at most 64 bytes and 15 dots");
                }
            }
        }
        Ok(Command::Publish { topic, bodies, tags, routing_key })
    })
}
