//! Verifies calls of CMQ v2.

use super::api3::same;
use super::text::signed_pairs;
use super::{AuthError, FormText, check_time, hosts};
use crate::call::V2Call;

/// What the PHP SDK signs while it requests `/v2/index.php/v2/index.php`.
const DOCUMENTED_PATH: &str = "/v2/index.php";

/// Checks that the call was signed with this key, about now (unix seconds).
///
/// # Errors
/// [`AuthError::Expired`], [`AuthError::Mismatch`].
pub fn verify(call: &V2Call, secret_key: &str, now: i64) -> Result<(), AuthError> {
    check_time(call.timestamp, now)?;
    let signature = &call.signature;
    let pairs = signed_pairs(call.params.pairs());
    let mut paths = vec![signature.path.as_str(), DOCUMENTED_PATH];
    paths.dedup();
    let mut unsigned = pairs.iter().filter(|(_, value)| value.starts_with('@')).peekable();
    // Some SDKs leave texts that begin with `@` out of what they sign: messages may be such, nothing else.
    let skips = signature.method == "POST" && unsigned.peek().is_some() && unsigned.all(|(name, _)| is_message(name));
    let at_rules: &[bool] = if skips { &[false, true] } else { &[false] };
    let matches = hosts(&signature.host).into_iter().any(|host| {
        paths.iter().any(|path| {
            at_rules.iter().any(|skip_at| {
                let method = &signature.method;
                let text = FormText { method, host, path, pairs: &pairs, skip_at: *skip_at, dots: true };
                same(&text.signature(secret_key, signature.sha256), &signature.signature)
            })
        })
    });
    if matches { Ok(()) } else { Err(AuthError::Mismatch) }
}

/// Whether a parameter is a message: `msgBody`, `msgBody.1` ...
fn is_message(name: &str) -> bool {
    name.strip_prefix("msgBody").is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
