//! `DescribeCmqQueueDetail`.

use kernel::command::Refusal;
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;

use super::dialect::Dialect;
use super::refusal::of_refusal;
use super::{Action, views};
use crate::App;
use crate::api::api3::of_store;
use crate::api::cmq::read;

pub(super) const ACTION: Action = Action {
    name: "DescribeCmqQueueDetail",
    help: "Shows a queue with its attributes.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let name = fields::read(params, "", |reader| reader.required_string("QueueName"))?;
    match read::queue(app, &name).await.map_err(|error| of_store(&error))? {
        Some(view) => Ok(json!({"QueueDescribe": views::queue(&view, app.settings.topic_owner, Dialect::Tdmq)})),
        None => Err(of_refusal(&Refusal::NoQueue(name))),
    }
}
