//! `CreateConsoleLogin`.

use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;

use crate::App;
use crate::api::api3::{Action, internal};
use crate::caller;

pub(super) const ACTION: Action = Action {
    name: "CreateConsoleLogin",
    help: "Makes an address, as a path on this server, that leads into the web console once, within 15 minutes.",
    call: |app, params| Box::pin(async move { call(app, params) }),
};

fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    fields::read(params, "", |_| Ok(()))?;
    let caller = caller::current().map_or_else(|| app.keys.own().to_owned(), |caller| caller.secret_id);
    let path = app.logins.address(&caller, app.clock()).map_err(|error| {
        tracing::error!(%error, "failed to draw the console's one-time address");
        internal()
    })?;
    Ok(json!({"Path": path}))
}
