//! What clients call: actions of Tencent Batch, TDMQ for CMQ and Herald itself (API 3.0), and of CMQ v2.
//!
//! `entry` reads and verifies every request and finds its action in the [registry](actions). An action is one file: it
//! has its parameters read, submits a command to the ledger or reads the store, and says the answer in its protocol's
//! words. Nothing is decided here.

pub(crate) mod access;
mod api3;
mod batch;
mod cmq;
mod cmq3;
mod entry;
mod herald;
mod registry;
mod request_id;
mod tdmq;
mod v2;

pub use registry::{Listed, actions};

use kernel::access::{Denied, Role};
use kernel::audit::Call;
use kernel::command::{Command, Reply};
use serde_json::Value;
use wire::api3::ApiError;

use access::Named;
use api3::Action;

use crate::App;
use crate::caller::{self, Caller, calling};
use crate::ledger::Lane;

/// Takes every request that nothing else takes.
pub fn router(app: App) -> axum::Router {
    axum::Router::new().fallback(entry::handle).with_state(app)
}

/// Whether it is a name for a topic.
pub(crate) fn is_topic_name(name: &str) -> bool {
    cmq::rules::is_name(name)
}

/// What a client is told when the store cannot be read.
pub(crate) use api3::of_store;
/// What `DescribeEvents` tells of a topic's message.
pub(crate) use herald::event_view;

/// Calls an action of API 3.0 from within, on behalf of whoever this is done for: nobody's signature is checked.
///
/// # Errors
/// What a client would be told.
pub(crate) async fn call_within(app: &App, version: &str, action: &str, params: &Value) -> Result<Value, ApiError> {
    let (product, action) = registry::api3_action(version, action)?;
    call_api3(app, product, action, params).await
}

/// Calls an action, if that is allowed to whoever it is done for.
async fn call_api3(app: &App, product: &'static str, action: &Action, params: &Value) -> Result<Value, ApiError> {
    let Some(caller) = caller::current() else { return (action.call)(app, params).await };
    let named = Named::of_json(action.name, params);
    let call = ongoing(&caller, product, action.name, &named);
    if let Err(denied) = access::check(app, &caller.grant, action.name, named).await {
        tell_denied(&caller, action.name, &denied);
        return Err(ApiError::new("UnauthorizedOperation", denied.to_string()));
    }
    calling(call, (action.call)(app, params)).await
}

/// What the audit trail tells of a call.
fn ongoing(caller: &Caller, product: &'static str, action: &'static str, named: &Named) -> Call {
    let (secret_id, address) = (caller.secret_id.clone(), caller.address.clone());
    Call { secret_id, address, product, action, targets: named.words() }
}

fn tell_denied(caller: &Caller, action: &str, denied: &Denied) {
    tracing::warn!(secret_id = caller.secret_id, address = caller.address, action, %denied, "refused a call");
}

/// Answers a call without a look at its signature: for what calls actions with anything. What is refused has a code and
/// a message.
pub(crate) async fn answer_unverified(app: &App, call: &wire::call::Call) -> Option<Result<Value, (String, String)>> {
    let v2_words = |error: wire::v2::V2Error| (error.code.to_string(), error.to_string());
    let api3_words = |error: ApiError| (error.code.to_owned(), error.message);
    match call {
        wire::call::Call::Api3(call) => Some(match call.params() {
            Ok(params) => call_within(app, &call.version, &call.action, &params).await.map_err(api3_words),
            Err(error) => Err(api3_words(error)),
        }),
        wire::call::Call::V2(call) => Some(match registry::v2_action(&call.action) {
            Some(action) => (action.call)(app, &call.params).await.map_err(v2_words),
            None => Err(v2_words(wire::v2::V2Code::UnknownAction.about(&call.action))),
        }),
        wire::call::Call::None => None,
    }
}

/// Submits a command to do with queues from within, if the role that it takes is given to whoever it is done for.
///
/// # Errors
/// What a client would be told.
pub(crate) async fn submit_within(app: &App, lane: Lane, role: Role, command: Command) -> Result<Reply, ApiError> {
    if let Some(caller) = caller::current().filter(|caller| !caller.grant.has(role)) {
        let denied = Denied::Role(role);
        tell_denied(&caller, "console", &denied);
        return Err(ApiError::new("UnauthorizedOperation", denied.to_string()));
    }
    api3::submit(app, lane, command, tdmq::of_refusal).await
}

#[cfg(test)]
mod coverage;
