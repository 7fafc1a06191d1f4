//! `ListTopic`.

use serde_json::{Value, json};
use wire::v2::{Params, V2Error};

use super::Action;
use super::fields::{rows, search, span};
use super::refusal::of_store;
use crate::App;
use crate::api::cmq::read;

pub(super) const ACTION: Action = Action {
    name: "ListTopic",
    help: "Lists topics, the newest first.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let page = read::topics(app, search(params), span(params)?).await.map_err(|error| of_store(&error))?;
    let list = rows(&page, |topic| json!({"topicId": topic.id, "topicName": topic.name}));
    Ok(json!({"totalCount": page.total, "topicList": list}))
}
