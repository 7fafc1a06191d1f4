//! `DescribeCmqQueues`.

use serde_json::{Value, json};
use store::{NameFilter, Span};
use wire::api3::ApiError;
use wire::fields;

use super::dialect::Dialect;
use super::fields::{name_filter, span};
use super::{Action, views};
use crate::App;
use crate::api::api3::of_store;
use crate::api::cmq::{limits, read};

pub(super) const ACTION: Action = Action {
    name: "DescribeCmqQueues",
    help: "Lists queues with their attributes, the newest first.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (filter, span) = which(params)?;
    let page = read::queue_views(app, filter, span).await.map_err(|error| of_store(&error))?;
    let list: Vec<Value> =
        page.items.iter().map(|view| views::queue(view, app.settings.topic_owner, Dialect::Tdmq)).collect();
    Ok(json!({"TotalCount": page.total, "QueueList": list}))
}

pub(super) fn which(params: &Value) -> Result<(NameFilter, Span), ApiError> {
    fields::read(params, "", |reader| {
        Ok((name_filter(reader, "QueueName", "QueueNameList")?, span(reader, limits::PAGE)?))
    })
}
