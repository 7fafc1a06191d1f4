//! `Subscribe`.

use kernel::command::{Command, NewSubscription, Reply};
use kernel::subscription::Endpoint;
use kernel::topic::StreamNo;
use serde_json::{Value, json};
use wire::v2::{Params, V2Code, V2Error};

use super::fields::{binding_keys, format, manner, name, new_name, strategy, tags};
use super::{Action, submit, unexpected};
use crate::App;
use crate::api::cmq::rules::{self, BadUrl};
use crate::api::cmq::{read, words};
use crate::ledger::Lane;

pub(super) const ACTION: Action =
    Action { name: "Subscribe", help: "Makes a subscription.", call: |app, params| Box::pin(call(app, params)) };

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let command = command(params)?;
    let drawn = words::drawn(&command);
    match submit(app, Lane::Api, command).await? {
        Reply::Subscription(id) => match drawn.and_then(|(topic, name)| read::secret(app, &topic, &name)) {
            Some(secret) => Ok(json!({"subscriptionId": id, "signatureSecret": secret})),
            None => Ok(json!({"subscriptionId": id})),
        },
        other => Err(unexpected(&other)),
    }
}

pub(super) fn command(params: &Params) -> Result<Command, V2Error> {
    let topic = name(params, "topicName")?;
    let name = new_name(params, "subscriptionName", rules::is_name, V2Code::SubscriptionName)?;
    let endpoint = endpoint(params)?;
    // Queues get the text as it is. The Python client asks for JSON unless told otherwise, and must be told.
    let format = words::format_for(&endpoint, format(params)?).ok_or_else(|| V2Code::QueueNeedsSimplified.error())?;
    let strategy = strategy(params)?.unwrap_or_default();
    let filter_tags = tags(params, "filterTag", V2Code::FilterTagCount)?;
    let binding_keys = binding_keys(params)?;
    let manner = manner(params)?;
    let new = NewSubscription { topic, name, endpoint, strategy, format, filter_tags, binding_keys, manner };
    Ok(Command::Subscribe(Box::new(new)))
}

fn endpoint(params: &Params) -> Result<Endpoint, V2Error> {
    let protocol = params.required("protocol")?;
    let to = params.required("endpoint")?;
    match protocol.to_ascii_lowercase().as_str() {
        "http" => {
            rules::check_url(to).map_err(|fault| match fault {
                BadUrl::Blank => V2Code::EndpointBlank.error(),
                BadUrl::Form => V2Code::EndpointForm.error(),
            })?;
            Ok(Endpoint::Http { url: to.to_owned() })
        }
        // The kernel looks the queue's number up.
        "queue" if rules::is_name(to) => Ok(Endpoint::Queue { queue: StreamNo::default(), name: to.to_owned() }),
        "queue" => Err(V2Code::EndpointForm.error()),
        _ => Err(V2Code::Protocol.error()),
    }
}
