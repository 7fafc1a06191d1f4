//! `RewindQueue`.

use kernel::command::Command;
use kernel::time::Timestamp;
use serde_json::Value;
use wire::v2::{Params, V2Code, V2Error};

use super::fields::name;
use super::{Action, submit_done};
use crate::App;

pub(super) const ACTION: Action = Action {
    name: "RewindQueue",
    help: "Sets a queue back: messages deleted since a moment, given in seconds since 1970, come again.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    submit_done(app, command(params)?).await
}

pub(super) fn command(params: &Params) -> Result<Command, V2Error> {
    let name = name(params, "queueName")?;
    let seconds = params.required_integer("startConsumeTime", 0..=u64::MAX)?;
    let ms = i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000));
    let to = Timestamp(ms.ok_or_else(|| V2Code::RewindTime.error())?);
    Ok(Command::RewindQueue { name, to })
}
