//! `ListQueue`.

use serde_json::{Value, json};
use wire::v2::{Params, V2Error};

use super::Action;
use super::fields::{rows, search, span};
use super::refusal::of_store;
use crate::App;
use crate::api::cmq::read;

pub(super) const ACTION: Action = Action {
    name: "ListQueue",
    help: "Lists queues, the newest first.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let page = read::queues(app, search(params), span(params)?).await.map_err(|error| of_store(&error))?;
    let list = rows(&page, |queue| json!({"queueId": queue.id, "queueName": queue.name}));
    Ok(json!({"totalCount": page.total, "queueList": list}))
}
