//! `DescribeCmqDeadLetterSourceQueues`; `DescribeDeadLetterSourceQueues` in `cmq`.

use std::sync::Arc;

use kernel::command::Refusal;
use kernel::queue::Queue;
use serde_json::{Value, json};
use store::Span;
use wire::api3::ApiError;
use wire::fields;

use super::dialect::Dialect;
use super::fields::{filtered_name, span};
use super::{Action, refusal};
use crate::App;
use crate::api::cmq::limits;

pub(super) const ACTION: Action = Action {
    name: "DescribeCmqDeadLetterSourceQueues",
    help: "Lists the queues whose dead letters a queue takes.",
    call: |app, params| Box::pin(call(app, params, Dialect::Tdmq)),
};

pub(in crate::api) async fn call(app: &App, params: &Value, dialect: Dialect) -> Result<Value, ApiError> {
    let (name, contains, span) = which(params, dialect)?;
    let state = app.state();
    let missing = || refusal::at("DeadLetterQueueName", "ResourceNotFound", &Refusal::NoQueue(name.clone()));
    let queue = state.queue_named(&name).ok_or_else(missing)?;
    let contains = contains.to_lowercase();
    let named = |source: &&Arc<Queue>| source.name.to_lowercase().contains(&contains);
    let sources: Vec<_> = state.dead_letter_sources(queue.no).filter(named).collect();
    let (offset, limit) = (usize::try_from(span.offset), usize::try_from(span.limit));
    let page = sources.iter().skip(offset.unwrap_or(usize::MAX)).take(limit.unwrap_or(usize::MAX));
    let list: Vec<Value> =
        page.map(|source| json!({"QueueId": dialect.queue_id(source.id), "QueueName": source.name})).collect();
    Ok(json!({"TotalCount": sources.len(), "QueueSet": list}))
}

fn which(params: &Value, dialect: Dialect) -> Result<(String, String, Span), ApiError> {
    fields::read(params, "", |reader| {
        let name = reader.required_string("DeadLetterQueueName")?;
        let contains = match dialect {
            Dialect::Tdmq => reader.string("SourceQueueName")?,
            Dialect::Cmq => filtered_name(reader, "SourceQueueName")?,
        };
        Ok((name, contains.unwrap_or_default(), span(reader, limits::PAGE)?))
    })
}
