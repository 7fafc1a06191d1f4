//! Requests and their signatures: whatever comes is told apart or refused in words; what is signed verifies with its own
//! key, with no other, and not once it is changed.

use wire::auth::{self, AuthError};
use wire::call::{Api3Call, Call, ReadError, V2Call};
use wire::request::HttpRequest;
use wire::sign::{self, Key, Target};

use crate::plain;

const KEY: Key<'_> = Key { secret_id: "AKIDfuzz", secret_key: "its own" };
const ANOTHER: &str = "another's";
const NOW: i64 = 1_795_290_200;
const HOST: &str = "127.0.0.1:7400";
/// What a signed request brings along by itself.
const COMMON: [&str; 6] = ["Action", "Nonce", "SecretId", "SignatureMethod", "Timestamp", "Signature"];

/// A request as text: the line, the headers, an empty line, the body.
///
/// # Panics
/// Where a refusal has no words, or a signature shows what it must not, or does not show what it must.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Call::read(plain::request(text)) {
        Ok(Call::Api3(call)) => api3(&call),
        Ok(Call::V2(call)) => v2(&call),
        Ok(Call::None) => {}
        Err(ReadError::Api3(error)) => assert!(!error.code.is_empty() && !error.message.is_empty()),
        Err(ReadError::V2 { error, .. }) => assert!(error.code > 0 && !error.to_string().is_empty()),
    }
}

fn api3(call: &Api3Call) {
    let _ = auth::api3::verify(call, KEY.secret_key, call.timestamp);
    let Ok(params) = call.params() else { return };
    let target = Target { host: HOST, service: "batch", action: &call.action, version: &call.version, region: None };
    let body = params.to_string().into_bytes();
    let headers = sign::tc3(KEY, &target, &body, NOW).into_iter();
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.to_lowercase(), value)).collect();
    headers.push(("host".into(), HOST.into()));
    let request = |body: Vec<u8>| HttpRequest {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers: headers.clone(),
        body,
    };
    let signed = |body| match Call::read(request(body)) {
        Ok(Call::Api3(call)) => Some(call),
        // An action that is no name, a body that is too long: refused before anything is verified.
        Ok(_) | Err(_) => None,
    };
    if let Some(call) = signed(body.clone()) {
        assert_eq!(auth::api3::verify(&call, KEY.secret_key, NOW), Ok(()));
        assert_eq!(auth::api3::verify(&call, ANOTHER, NOW), Err(AuthError::Mismatch));
        assert_eq!(call.params().expect("what was written"), params);
    }
    let changed = [b" ", &body[..]].concat();
    if let Some(call) = signed(changed) {
        assert_eq!(auth::api3::verify(&call, KEY.secret_key, NOW), Err(AuthError::Mismatch));
    }
}

fn v2(call: &V2Call) {
    let _ = auth::v2::verify(call, KEY.secret_key, call.timestamp);
    let own = call.params.pairs().iter().filter(|(name, _)| !COMMON.contains(&name.as_str()));
    let own: Vec<(&str, &str)> = own.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let body = sign::v2(KEY, HOST, "/v2/index.php", &call.action, &own, 7, NOW);
    let Some(signed) = read(&body) else { return };
    assert_eq!(auth::v2::verify(&signed, KEY.secret_key, NOW), Ok(()), "{body}");
    assert_eq!(auth::v2::verify(&signed, ANOTHER, NOW), Err(AuthError::Mismatch), "{body}");
    // A parameter that was not signed.
    if let Some(more) = read(&format!("{body}&zz=1")) {
        assert_eq!(auth::v2::verify(&more, KEY.secret_key, NOW), Err(AuthError::Mismatch), "{body}");
    }
}

fn read(body: &str) -> Option<V2Call> {
    match Call::read(plain::form(body)) {
        Ok(Call::V2(call)) => Some(call),
        Ok(_) | Err(_) => None,
    }
}
