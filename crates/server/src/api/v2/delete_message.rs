//! `DeleteMessage`.

use kernel::command::{Command, Reply};
use serde_json::{Value, json};
use wire::v2::{Params, V2Code, V2Error};

use super::fields::{handle, name};
use super::{Action, submit, unexpected};
use crate::App;
use crate::ledger::Lane;

pub(super) const ACTION: Action = Action {
    name: "DeleteMessage",
    help: "Deletes a received message.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let queue = name(params, "queueName")?;
    let handles = vec![handle(params.required("receiptHandle")?)?];
    match submit(app, Lane::Messages, Command::DeleteMessages { queue, handles }).await? {
        Reply::Deleted(deleted) if deleted == [true] => Ok(json!({})),
        Reply::Deleted(_) => Err(V2Code::ReceiptHandle.error()),
        other => Err(unexpected(&other)),
    }
}
