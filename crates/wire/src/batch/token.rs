//! `ClientToken`: what makes a repeated request harmless.

use kernel::command::Token;
use kernel::limits::CLIENT_TOKEN_CHARS;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::check::VALUE;
use crate::api3::ApiError;
use crate::fields::Reader;

/// The request's token, with a digest of all its parameters; an empty one is none.
pub(super) fn token(request: &Reader<'_>, params: &Value) -> Result<Option<Token>, ApiError> {
    let Some(token) = request.string("ClientToken")?.filter(|token| !token.is_empty()) else { return Ok(None) };
    if token.len() > CLIENT_TOKEN_CHARS || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let reason = format!("expected at most {CLIENT_TOKEN_CHARS} visible ASCII characters");
        return Err(request.refuse("ClientToken", VALUE, reason));
    }
    let text = params.to_string();
    Ok(Some(Token { token, digest: hex::encode(Sha256::digest(text)) }))
}
