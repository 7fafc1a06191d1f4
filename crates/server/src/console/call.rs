//! The API's own actions, called from within: a page shows what a client would be told, refusals too.

use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::api3::ApiError;

use crate::App;
use crate::api;

/// A product of the API, by its version.
#[derive(Debug, Clone, Copy)]
pub(super) enum Product {
    Batch,
    Tdmq,
    Herald,
}

impl Product {
    fn version(self) -> &'static str {
        match self {
            Self::Batch => "2017-03-12",
            Self::Tdmq => "2020-02-17",
            Self::Herald => "2026-11-01",
        }
    }
}

/// Calls an action, and reads of its reply what the page shows.
pub(super) async fn call<T: DeserializeOwned>(
    app: &App,
    product: Product,
    action: &str,
    params: Value,
) -> Result<T, ApiError> {
    let reply = api::call_within(app, product.version(), action, &params).await?;
    serde_json::from_value(reply).map_err(|error| {
        tracing::error!(action, %error, "a reply is not what its page shows");
        ApiError::new("InternalError", "the server failed; its log has the reason")
    })
}
