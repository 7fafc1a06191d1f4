//! `ReceiveMessage`.

use serde_json::Value;
use wire::v2::{Params, V2Code, V2Error};

use super::Action;
use super::poll::{message, receive};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "ReceiveMessage",
    help: "Receives a message of a queue, or waits for one.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let received = receive(app, params, 1).await?;
    received.first().map(|received| message(received)).ok_or_else(|| V2Code::NoMessage.error())
}
