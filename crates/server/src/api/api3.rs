//! What actions of API 3.0 have in common.

use std::pin::Pin;

use kernel::command::{Command, Refusal, Reply};
use serde_json::Value;
use store::StoreError;
use wire::api3::ApiError;

use crate::App;
use crate::ledger::{Lane, SubmitError};

/// One action.
pub(super) struct Action {
    /// Its name.
    pub(super) name: &'static str,
    /// What it does, in one line.
    pub(super) help: &'static str,
    /// Answers a call, given its parameters, with the fields of its reply.
    pub(super) call: for<'a> fn(&'a App, &'a Value) -> Answer<'a>,
}

/// The answer to a call, on its way.
pub(super) type Answer<'a> = Pin<Box<dyn Future<Output = Result<Value, ApiError>> + Send + 'a>>;

/// Submits a command; `of_refusal` has the product's codes for what the kernel refuses.
pub(super) async fn submit(
    app: &App,
    lane: Lane,
    command: Command,
    of_refusal: fn(&Refusal) -> ApiError,
) -> Result<Reply, ApiError> {
    app.ledger.submit(lane, command).await.map_err(|error| match &error {
        SubmitError::Refused(refusal) => of_refusal(refusal),
        SubmitError::Busy => ApiError::new("RequestLimitExceeded", error.to_string()),
        SubmitError::Full => ApiError::new("ResourceInsufficient", error.to_string()),
        SubmitError::Stopping => ApiError::new("ServiceUnavailable", error.to_string()),
        SubmitError::Internal => ApiError::new("InternalError", error.to_string()),
    })
}

/// The error for something that could not be read.
pub(crate) fn of_store(error: &StoreError) -> ApiError {
    tracing::error!(error = error as &dyn std::error::Error, "a read for API 3.0 failed");
    internal()
}

/// The error for an answer of the kernel that is none to what was asked.
pub(super) fn unexpected(reply: &Reply) -> ApiError {
    debug_assert!(false, "the kernel answered {reply:?}");
    tracing::error!("the kernel gave an answer of the wrong kind");
    internal()
}

/// An error whose reason is in the server's log.
pub(super) fn internal() -> ApiError {
    ApiError::new("InternalError", "the server failed; its log has the reason")
}
