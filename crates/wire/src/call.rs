//! From an HTTP request to a call of an action: which protocol it speaks, who signed it, with what
//! parameters. Nothing is verified here; [`crate::auth`] does that, and only then are the parameters of an
//! API 3.0 call parsed.
//!
//! One address takes all protocols, so a request is routed by what it says, not by its path: API 3.0 names
//! a `Version` (in the header `X-TC-Version`, the query or the form), CMQ v2 names an `Action` only, on
//! `/v2/index.php` or any other path, and its body is a form whatever its content type (the Python SDK
//! sends none).

mod api3;
mod v2;

pub use api3::Api3Call;
pub(crate) use api3::{FormSignature, Signature, Tc3};
pub use v2::V2Call;

use crate::api3::ApiError;
use crate::form::Form;
use crate::limits::{API3_PAIRS, V2_FORM_BYTES};
use crate::request::HttpRequest;
use crate::v2::V2Error;

/// What a request calls.
#[derive(Debug)]
pub enum Call {
    /// An action of API 3.0.
    Api3(Api3Call),
    /// An action of CMQ v2.
    V2(V2Call),
    /// Nothing: a browser's `GET /`.
    None,
}

/// Why a request calls nothing that could be verified; it says in which protocol to answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Answer as API 3.0 does.
    #[error(transparent)]
    Api3(#[from] ApiError),
    /// Answer as CMQ v2 does.
    #[error("{error}")]
    V2 {
        /// The refusal.
        error: V2Error,
        /// What the client sent to be echoed, or 0.
        client_request_id: u64,
    },
}

impl Call {
    /// Reads a request.
    ///
    /// # Errors
    /// [`ReadError`] when it cannot be a call: a size or count over the limit, a method other than GET and
    /// POST, parts of the signature missing or malformed, an undecodable or repeated parameter.
    pub fn read(request: HttpRequest) -> Result<Self, ReadError> {
        let headers = ["x-tc-version", "x-tc-action"];
        let signed_by_header =
            request.header("authorization").is_some_and(|value| value.starts_with("TC3-HMAC-SHA256"));
        if signed_by_header || headers.iter().any(|name| request.header(name).is_some()) {
            return Ok(Self::Api3(Api3Call::signed_by_header(request)?));
        }
        // A longer body is refused unread, by the protocol that the rest of the request speaks.
        let readable = request.method == "POST" && request.body.len() <= V2_FORM_BYTES;
        let body = if readable { request.body.as_slice() } else { &[] };
        let form = Form::read(request.query.as_bytes(), body, API3_PAIRS);
        if form.get("Version").is_some() {
            return Ok(Self::Api3(Api3Call::signed_by_parameter(request, form)?));
        }
        if form.get("Action").is_some() || request.body.len() > V2_FORM_BYTES {
            return V2Call::new(request, form).map(Self::V2);
        }
        Ok(Self::None)
    }
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
