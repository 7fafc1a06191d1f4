//! Verifies calls of API 3.0.

use subtle::ConstantTimeEq as _;

use super::text::{payload_hash, signed_pairs, utc_day};
use super::{AuthError, FormText, Tc3Text, check_time, hosts};
use crate::call::{Api3Call, FormSignature, Signature, Tc3};

/// Checks that the call was signed with this key, about now (unix seconds).
///
/// A token of temporary credentials is no part of a TC3-HMAC-SHA256 signature, so one that is sent along
/// changes nothing: such credentials do not exist here.
///
/// # Errors
/// [`AuthError::Expired`], [`AuthError::WrongDay`], [`AuthError::Mismatch`].
pub fn verify(call: &Api3Call, secret_key: &str, now: i64) -> Result<(), AuthError> {
    check_time(call.timestamp, now)?;
    let matches = match &call.signature {
        Signature::Header(tc3) => {
            let right = utc_day(call.timestamp);
            if tc3.date != right {
                return Err(AuthError::WrongDay { given: tc3.date.clone(), right });
            }
            header_matches(call, tc3, secret_key)
        }
        Signature::Parameter(signature) => parameter_matches(call, signature, secret_key),
    };
    if matches { Ok(()) } else { Err(AuthError::Mismatch) }
}

/// Tencent documents that header values are signed trimmed and in lower case; the SDKs sign them as they
/// send them. The Node.js SDK leaves out the host's port.
fn header_matches(call: &Api3Call, tc3: &Tc3, secret_key: &str) -> bool {
    let payload_hash = match (tc3.unsigned_payload, tc3.method.as_str()) {
        (true, _) => payload_hash(b"UNSIGNED-PAYLOAD"),
        (false, "GET") => payload_hash(b""),
        (false, _) => payload_hash(call.body()),
    };
    let documented: Vec<(&str, String)> =
        tc3.headers.iter().map(|(name, value)| (name.as_str(), value.trim().to_lowercase())).collect();
    let sent: Vec<(&str, &str)> = pairs_of(&tc3.headers);
    let documented: Vec<(&str, &str)> = documented.iter().map(|(name, value)| (*name, value.as_str())).collect();
    [sent, documented].into_iter().flat_map(with_each_host).any(|headers| {
        let text = Tc3Text {
            method: &tc3.method,
            query: &tc3.query,
            headers: &headers,
            payload_hash: &payload_hash,
            timestamp: call.timestamp,
            date: &tc3.date,
            service: &tc3.service,
        };
        same(&text.signature(secret_key), &tc3.signature)
    })
}

fn pairs_of(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn with_each_host<'a>(headers: Vec<(&'a str, &'a str)>) -> Vec<Vec<(&'a str, &'a str)>> {
    let host = headers.iter().find(|(name, _)| *name == "host").map_or("", |(_, value)| *value);
    let replaced = |host: &'a str| {
        let headers = headers.iter().copied();
        headers.map(move |(name, value)| (name, if name == "host" { host } else { value })).collect()
    };
    hosts(host).into_iter().map(replaced).collect()
}

/// The path in the signed text is `/`, whatever the path requested; before 2019 it was that path.
fn parameter_matches(call: &Api3Call, signature: &FormSignature, secret_key: &str) -> bool {
    let pairs = signed_pairs(call.pairs());
    let mut paths = vec!["/", signature.path.as_str()];
    paths.dedup();
    let mut spellings = vec![true, false];
    spellings.truncate(if pairs.iter().any(|(name, _)| name.contains('_')) { 2 } else { 1 });
    hosts(&signature.host).into_iter().any(|host| {
        paths.iter().any(|path| {
            spellings.iter().any(|dots| {
                let method = &signature.method;
                let text = FormText { method, host, path, pairs: &pairs, skip_at: false, dots: *dots };
                same(&text.signature(secret_key, signature.sha256), &signature.signature)
            })
        })
    })
}

/// Compared in a time that does not tell where the first difference is.
pub(super) fn same(right: &str, given: &str) -> bool {
    right.as_bytes().ct_eq(given.as_bytes()).into()
}
