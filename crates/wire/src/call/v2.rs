//! Calls of CMQ v2, signed in the parameter `Signature`.

use std::fmt;

use super::ReadError;
use super::api3::FormSignature;
use crate::form::{Form, Problem};
use crate::limits::{V2_FORM_BYTES, V2_PAIRS};
use crate::request::HttpRequest;
use crate::v2::{Params, V2Code, V2Error, same_action};

/// One call of an action of CMQ v2.
pub struct V2Call {
    /// The action as the client spells it; compare with [`V2Call::is`].
    pub action: String,
    /// Who claims to call.
    pub secret_id: String,
    /// When the caller says it signed, in unix seconds.
    pub timestamp: i64,
    /// To be echoed in the reply; 0 when the client sent none.
    pub client_request_id: u64,
    /// All parameters, the common ones too.
    pub params: Params,
    pub(crate) signature: FormSignature,
}

impl V2Call {
    /// Its signature: it covers a nonce, so that no two calls that a client makes have the same.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature.signature
    }

    /// Whether this action is called, whatever its capitals.
    #[must_use]
    pub fn is(&self, action: &str) -> bool {
        same_action(&self.action, action)
    }

    pub(super) fn new(request: HttpRequest, form: Form) -> Result<Self, ReadError> {
        let id = form.get("clientRequestId").and_then(|id| id.parse().ok());
        let client_request_id = id.unwrap_or(0);
        Self::checked(request, form, client_request_id).map_err(|error| ReadError::V2 { error, client_request_id })
    }

    fn checked(request: HttpRequest, form: Form, client_request_id: u64) -> Result<Self, V2Error> {
        if !matches!(request.method.as_str(), "GET" | "POST") {
            return Err(V2Code::Method.about(&request.method));
        }
        if request.body.len() > V2_FORM_BYTES || form.pairs.len() > V2_PAIRS {
            return Err(V2Code::TooLarge.about("body"));
        }
        match &form.problem {
            None => {}
            Some(Problem::Twice(name)) => return Err(V2Code::NotRepeatable.about(name)),
            Some(Problem::NotUtf8(name)) => return Err(V2Code::TooLarge.about(name)),
            Some(Problem::TooMany(_)) => return Err(V2Code::TooLarge.about("body")),
        }
        let params = Params::new(form.pairs);
        let action = params.required("Action")?.to_owned();
        let secret_id = params.required("SecretId")?.to_owned();
        let timestamp = params.required_integer("Timestamp", 0..=u64::from(u32::MAX))?;
        params.required_integer("Nonce", 0..=u64::MAX)?;
        let sha256 = match params.text("SignatureMethod") {
            None | Some("HmacSHA1") => false,
            Some("HmacSHA256") => true,
            Some(_) => return Err(V2Code::OutOfRange.about("SignatureMethod")),
        };
        let signature = FormSignature {
            host: request.header("host").unwrap_or_default().to_owned(),
            signature: params.required("Signature")?.to_owned(),
            method: request.method,
            path: request.path,
            sha256,
        };
        let timestamp = i64::try_from(timestamp).expect("32 bits fit");
        Ok(Self { action, secret_id, timestamp, client_request_id, params, signature })
    }
}

impl fmt::Debug for V2Call {
    /// Without the parameters, which hold people's messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, secret_id, .. } = self;
        write!(f, "V2Call({action} by {secret_id})")
    }
}
