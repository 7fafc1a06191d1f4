//! `Unsubscribe`.

use kernel::command::Command;
use serde_json::Value;
use wire::v2::{Params, V2Error};

use super::fields::name;
use super::{Action, submit_done};
use crate::App;

pub(super) const ACTION: Action =
    Action { name: "Unsubscribe", help: "Deletes a subscription.", call: |app, params| Box::pin(call(app, params)) };

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let topic = name(params, "topicName")?;
    submit_done(app, Command::Unsubscribe { topic, name: name(params, "subscriptionName")? }).await
}
