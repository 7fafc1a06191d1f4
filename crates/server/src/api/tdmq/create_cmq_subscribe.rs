//! `CreateCmqSubscribe`.

use kernel::command::{Command, NewSubscription, Refusal, Reply};
use kernel::subscription::{Endpoint, Format, Strategy};
use kernel::topic::StreamNo;
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields::{self, Reader};
use wire::limits::V2_TAGS;

use super::fields::{INVALID, manner, new_name};
use super::{Action, refusal, submit, unexpected};
use crate::App;
use crate::api::cmq::limits::TAG_CHARS;
use crate::api::cmq::{read, rules, words};
use crate::ledger::Lane;

pub(super) const ACTION: Action = Action {
    name: "CreateCmqSubscribe",
    help: "Makes a subscription.",
    call: |app, params| Box::pin(call(app, params)),
};

pub(in crate::api) async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let command = command(params)?;
    let drawn = words::drawn(&command);
    match submit(app, Lane::Api, command, of_refusal).await? {
        Reply::Subscription(id) => match drawn.and_then(|(topic, name)| read::secret(app, &topic, &name)) {
            Some(secret) => Ok(json!({"SubscriptionId": id, "SignatureSecret": secret})),
            None => Ok(json!({"SubscriptionId": id})),
        },
        other => Err(unexpected(&other)),
    }
}

fn of_refusal(refusal: &Refusal) -> ApiError {
    match refusal {
        // Here it is the endpoint that names the queue.
        Refusal::NoQueue(_) => refusal::at("Endpoint", "ResourceNotFound", refusal),
        other => refusal::of_refusal(other),
    }
}

pub(super) fn command(params: &Value) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| {
        let topic = reader.required_string("TopicName")?;
        let name = new_name(reader, "SubscriptionName", rules::is_name, "")?;
        let endpoint = endpoint(reader)?;
        let format = format(reader, &endpoint)?;
        let strategy = strategy(reader)?.unwrap_or_default();
        let filter_tags = filter_tags(reader, "FilterTag")?;
        let binding_keys = binding_keys(reader)?;
        let manner = manner(reader)?;
        let new = NewSubscription { topic, name, endpoint, strategy, format, filter_tags, binding_keys, manner };
        Ok(Command::Subscribe(Box::new(new)))
    })
}

fn endpoint(reader: &Reader<'_>) -> Result<Endpoint, ApiError> {
    let protocol = reader.required_string("Protocol")?;
    let to = reader.required_string("Endpoint")?;
    match protocol.to_ascii_lowercase().as_str() {
        "http" if rules::check_url(&to).is_ok() => Ok(Endpoint::Http { url: to }),
        "http" => {
            let rule =
                "it must be an address that begins with http:// or https://, of at most 500 characters, without blanks";
            Err(reader.refuse("Endpoint", INVALID, rule))
        }
        // The kernel looks the queue's number up.
        "queue" if rules::is_name(&to) => Ok(Endpoint::Queue { queue: StreamNo::default(), name: to }),
        "queue" => Err(reader.refuse("Endpoint", INVALID, "it must be the name of a queue")),
        _ => Err(reader.refuse("Protocol", INVALID, "it must be http or queue")),
    }
}

fn format(reader: &Reader<'_>, endpoint: &Endpoint) -> Result<Format, ApiError> {
    let format = words::format_for(endpoint, asked_format(reader)?);
    let rule = "a queue gets each text as it is, so it must be SIMPLIFIED";
    format.ok_or_else(|| reader.refuse("NotifyContentFormat", INVALID, rule))
}

/// `NotifyContentFormat`.
pub(super) fn asked_format(reader: &Reader<'_>) -> Result<Option<Format>, ApiError> {
    let key = "NotifyContentFormat";
    let refuse = || reader.refuse(key, INVALID, "it must be JSON, SIMPLIFIED or CLOUDEVENTS");
    reader.string(key)?.map(|word| words::format(&word).ok_or_else(refuse)).transpose()
}

/// `NotifyStrategy`.
pub(super) fn strategy(reader: &Reader<'_>) -> Result<Option<Strategy>, ApiError> {
    let key = "NotifyStrategy";
    let refuse = || reader.refuse(key, INVALID, "it must be BACKOFF_RETRY or EXPONENTIAL_DECAY_RETRY");
    reader.string(key)?.map(|word| words::strategy(&word).ok_or_else(refuse)).transpose()
}

/// The tags that are wanted, by the name that the action has for them.
pub(super) fn filter_tags(reader: &Reader<'_>, key: &str) -> Result<Vec<String>, ApiError> {
    let rule = "at most 5 tags of 1 to 16 characters, none of them a control character";
    list(reader, key, |tag| rules::is_tag(tag, TAG_CHARS), rule)
}

/// `BindingKey`.
pub(super) fn binding_keys(reader: &Reader<'_>) -> Result<Vec<String>, ApiError> {
    let rule = "at most 5 keys of at most 64 bytes and 15 dots";
    list(reader, "BindingKey", |key| rules::check_key(key).is_ok(), rule)
}

fn list(reader: &Reader<'_>, key: &str, is_good: impl Fn(&str) -> bool, rule: &str) -> Result<Vec<String>, ApiError> {
    let items = reader.strings(key)?;
    let good = items.len() <= V2_TAGS && items.iter().all(|item| is_good(item));
    if good { Ok(items) } else { Err(reader.refuse(key, INVALID, rule)) }
}
