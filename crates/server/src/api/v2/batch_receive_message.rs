//! `BatchReceiveMessage`.

use serde_json::{Value, json};
use wire::limits::V2_BATCH;
use wire::v2::{Params, V2Error};

use super::Action;
use super::poll::{message, receive};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "BatchReceiveMessage",
    help: "Receives up to 16 messages of a queue, or waits for one.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let number = params.required_integer("numOfMsg", 1..=V2_BATCH as u64)?;
    let received = receive(app, params, usize::try_from(number).expect("at most a batch")).await?;
    let list: Vec<Value> = received.iter().map(|received| message(received)).collect();
    Ok(json!({"msgInfoList": list}))
}
