//! `DeleteTopic`.

use kernel::command::Command;
use serde_json::Value;
use wire::v2::{Params, V2Error};

use super::fields::name;
use super::{Action, submit_done};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "DeleteTopic",
    help: "Deletes a topic that has no subscriptions.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    submit_done(app, Command::DeleteTopic { name: name(params, "topicName")?, with_subscriptions: false }).await
}
