//! What clients call: actions of Tencent Batch, TDMQ for CMQ and Herald itself (API 3.0), and of CMQ v2.
//!
//! `entry` reads and verifies every request and finds its action in the [registry](actions). An action is one file: it
//! has its parameters read, submits a command to the ledger or reads the store, and says the answer in its protocol's
//! words. Nothing is decided here.

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

use kernel::command::{Command, Reply};
use serde_json::Value;
use wire::api3::ApiError;

use crate::App;
use crate::ledger::Lane;

/// Takes every request that nothing else takes.
pub fn router(app: App) -> axum::Router {
    axum::Router::new().fallback(entry::handle).with_state(app)
}

/// What a client is told when the store cannot be read.
pub(crate) use api3::of_store;
/// What `DescribeEvents` tells of a topic's message.
pub(crate) use herald::event_view;

/// Calls an action of API 3.0 from within: nobody's signature is checked.
///
/// # Errors
/// What a client would be told.
pub(crate) async fn call_within(app: &App, version: &str, action: &str, params: &Value) -> Result<Value, ApiError> {
    (registry::api3_action(version, action)?.call)(app, params).await
}

/// Submits a command to do with queues from within.
///
/// # Errors
/// What a client would be told.
pub(crate) async fn submit_within(app: &App, lane: Lane, command: Command) -> Result<Reply, ApiError> {
    api3::submit(app, lane, command, tdmq::of_refusal).await
}

#[cfg(test)]
pub(crate) use cmq::testing;

#[cfg(test)]
mod coverage;
