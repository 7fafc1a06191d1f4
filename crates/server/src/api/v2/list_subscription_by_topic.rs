//! `ListSubscriptionByTopic`.

use serde_json::{Value, json};
use store::{Span, SubscriptionFilter};
use wire::v2::{Params, V2Code, V2Error};

use super::Action;
use super::fields::{integer_or, name, rows, search};
use super::refusal::of_store;
use crate::App;
use crate::api::cmq::limits::{PAGE_DEFAULT, SUBSCRIPTION_PAGE};
use crate::api::cmq::{read, words};

pub(super) const ACTION: Action = Action {
    name: "ListSubscriptionByTopic",
    help: "Lists the subscriptions of a topic, the newest first.",
    call: |app, params| Box::pin(call(app, params)),
};

/// How many subscriptions can be passed over: a topic has no more.
const OFFSET: u64 = 1_000;

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let topic = name(params, "topicName")?;
    let span = Span {
        offset: integer_or(params, "offset", 0..=OFFSET, 0)?,
        limit: integer_or(params, "limit", 0..=SUBSCRIPTION_PAGE, PAGE_DEFAULT)?,
    };
    let topic = app.state().topic_named(&topic).map(|topic| topic.no).ok_or_else(|| V2Code::NoTopic.error())?;
    let filter = SubscriptionFilter { contains: search(params).contains, queue: None };
    let page = read::subscriptions(app, topic, filter, span).await.map_err(|error| of_store(&error))?;
    let list = rows(&page, |subscription| {
        let (protocol, endpoint) = words::endpoint(&subscription.endpoint);
        json!({
            "subscriptionId": subscription.id,
            "subscriptionName": subscription.name,
            "protocol": protocol,
            "endpoint": endpoint,
        })
    });
    Ok(json!({"totalCount": page.total, "subscriptionList": list}))
}
