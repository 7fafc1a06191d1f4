//! The entry of all calls: one address for all protocols, since clients differ in the paths they use.
//!
//! A request is read whole, told apart by what it says, verified, and only then are its parameters parsed and its
//! action called. Every answer has status 200 and the content type `application/json` without more: clients see no
//! error otherwise.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::StreamExt;
use serde_json::Value;
use wire::api3::{self, ApiError};
use wire::auth::{self, AuthError};
use wire::call::{Api3Call, Call, ReadError, V2Call};
use wire::limits::{BODY_PAUSE_S, DRAINED_BODY_BYTES, READ_BODY_BYTES};
use wire::request::HttpRequest;
use wire::v2::{self, V2Code, V2Error};

use super::access::{self, Named};
use super::{registry, request_id, tell_denied};
use crate::App;
use crate::caller::{Caller, calling, on_behalf};
use crate::clock;
use crate::door::Peer;

/// What a caller is told whose key pair is bounded to fewer calls.
const TOO_OFTEN: &str = "the key pair is bounded to fewer calls a second; try again";
/// What a caller is told whose key pair is bounded to smaller requests.
const TOO_LONG: &str = "the key pair is bounded to smaller requests";
/// Where a browser is led that comes without calling anything.
const CONSOLE: &str = "/console/";

/// Answers any request.
pub(super) async fn handle(State(app): State<App>, request: Request) -> Response {
    let root = request.method() == Method::GET && request.uri().path() == "/";
    let address = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0.ip());
    let request = match read(request).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let from = From { address: address.map(|ip| ip.to_string()).unwrap_or_default(), body: request.body.len() as u64 };
    match Call::read(request) {
        Ok(Call::Api3(call)) => api3_reply(answer_api3(&app, &call, from).await),
        Ok(Call::V2(call)) => v2_reply(answer_v2(&app, &call, from).await, call.client_request_id),
        Ok(Call::None) if root => Redirect::to(CONSOLE).into_response(),
        Ok(Call::None) => text(StatusCode::NOT_FOUND, "There is nothing here.\n"),
        Err(ReadError::Api3(error)) => api3_reply(Err(error)),
        Err(ReadError::V2 { error, client_request_id }) => v2_reply(Err(error), client_request_id),
    }
}

/// Where a request came from, and how long its body is.
struct From {
    address: String,
    body: u64,
}

async fn answer_api3(app: &App, call: &Api3Call, from: From) -> Result<Value, ApiError> {
    let now = clock::wall().seconds();
    let caller = identify(app, &call.secret_id, from.address, |key| auth::api3::verify(call, key, now))
        .and_then(|caller| once(app, call.single_signature()).map(|()| caller))
        .map_err(|error| error.api3())?;
    if !app.keys.may_call_now(&caller.secret_id, &caller.grant) {
        return Err(ApiError::new("RequestLimitExceeded", TOO_OFTEN));
    }
    if caller.grant.body_bytes.is_some_and(|most| from.body > most) {
        return Err(ApiError::new("RequestSizeLimitExceeded", TOO_LONG));
    }
    let (product, action) = registry::api3_action(&call.version, &call.action)?;
    let here = &app.settings.region;
    if call.region.as_ref().is_some_and(|region| region != here) {
        return Err(ApiError::new("UnsupportedRegion", format!("Region: the only region here is {here}")));
    }
    let params = call.params()?;
    let answer = on_behalf(caller, super::call_api3(app, product, action, &params)).await;
    tracing::debug!(action = action.name, error = answer.as_ref().err().map(|error| error.code), "answered");
    answer
}

async fn answer_v2(app: &App, call: &V2Call, from: From) -> Result<Value, V2Error> {
    let now = clock::wall().seconds();
    let caller = identify(app, &call.secret_id, from.address, |key| auth::v2::verify(call, key, now))
        .and_then(|caller| once(app, Some(call.signature())).map(|()| caller))
        .map_err(|error| error.v2())?;
    if !app.keys.may_call_now(&caller.secret_id, &caller.grant) {
        return Err(V2Code::Frequency.error());
    }
    if caller.grant.body_bytes.is_some_and(|most| from.body > most) {
        return Err(V2Code::TooLarge.about("body").because(TOO_LONG));
    }
    let action = registry::v2_action(&call.action).ok_or_else(|| V2Code::UnknownAction.about(&call.action))?;
    let named = Named::of_pairs(call.params.pairs().iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let ongoing = super::ongoing(&caller, "cmq v2", action.name, &named);
    if let Err(denied) = access::check(app, &caller.grant, action.name, named).await {
        tell_denied(&caller, action.name, &denied);
        return Err(V2Code::NoCam.error().because(denied));
    }
    let answer = on_behalf(caller, calling(ongoing, (action.call)(app, &call.params))).await;
    tracing::debug!(action = action.name, error = answer.as_ref().err().map(|error| error.code), "answered");
    answer
}

/// Who calls, if one of the secrets of the secret id fits.
fn identify(
    app: &App,
    secret_id: &str,
    address: String,
    verify: impl Fn(&str) -> Result<(), AuthError>,
) -> Result<Caller, AuthError> {
    let known = app.keys.find(secret_id, app.clock()).ok_or_else(|| AuthError::unknown(secret_id))?;
    // The answer about the current secret is the one that helps.
    let answers: Vec<_> = known.secrets.iter().map(|secret| verify(secret)).collect();
    if !answers.iter().any(Result::is_ok) {
        return Err(answers.into_iter().find_map(Result::err).unwrap_or(AuthError::Mismatch));
    }
    if known.disabled {
        return Err(AuthError::Disabled);
    }
    Ok(Caller { secret_id: secret_id.to_owned(), address, grant: known.grant })
}

/// Refuses a request that was made before, where its signature is its own.
fn once(app: &App, signature: Option<&str>) -> Result<(), AuthError> {
    match signature {
        Some(signature) if !app.signatures.is_new(signature, app.clock()) => Err(AuthError::Repeated),
        _ => Ok(()),
    }
}

fn api3_reply(answer: Result<Value, ApiError>) -> Response {
    let id = request_id::api3();
    json(match answer {
        Ok(fields) => api3::reply(fields, &id),
        Err(error) => api3::error_reply(&error, &id),
    })
}

fn v2_reply(answer: Result<Value, V2Error>, client_request_id: u64) -> Response {
    let id = request_id::v2();
    json(match answer {
        Ok(fields) => v2::reply(fields, id, client_request_id),
        Err(error) => v2::error_reply(&error, id, client_request_id),
    })
}

fn json(body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(api3::CONTENT_TYPE));
    response
}

fn text(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Reads a request whole, or as much of it as is needed to refuse it.
async fn read(request: Request) -> Result<HttpRequest, Response> {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter().map(|(name, value)| {
        // Signatures cover headers as text; bytes that are none make the signature a wrong one.
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Ok(HttpRequest {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: read_body(body.into_data_stream()).await.map_err(|reason| {
            let mut response = text(StatusCode::REQUEST_TIMEOUT, reason);
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            response
        })?,
    })
}

/// Reads a body, and of one that is too long for every protocol as much as shows that.
async fn read_body(mut stream: BodyDataStream) -> Result<Vec<u8>, &'static str> {
    let mut body = Vec::new();
    let mut drained = 0;
    while drained < DRAINED_BODY_BYTES {
        let chunk = match tokio::time::timeout(Duration::from_secs(BODY_PAUSE_S), stream.next()).await {
            Ok(None) => break,
            Ok(Some(Ok(chunk))) => chunk,
            Ok(Some(Err(_))) => return Err("The connection broke before the body had come.\n"),
            Err(_) => return Err("The rest of the body did not come.\n"),
        };
        let taken = chunk.len().min(READ_BODY_BYTES - body.len());
        body.extend_from_slice(&chunk[..taken]);
        drained += chunk.len() - taken;
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use futures_util::stream;

    use super::*;

    async fn read_of(chunks: &[usize]) -> Vec<u8> {
        let chunk = |bytes: &usize| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; *bytes]));
        let chunks: Vec<_> = chunks.iter().map(chunk).collect();
        read_body(Body::from_stream(stream::iter(chunks)).into_data_stream()).await.unwrap()
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_what_shows_that_it_is_too_long() {
        assert_eq!(read_of(&[]).await, b"");
        assert_eq!(read_of(&[1, 0, 2]).await, b"xxx");
        let most = READ_BODY_BYTES - 1;
        assert_eq!(read_of(&[most]).await.len(), most);
        assert_eq!(read_of(&[most, 1]).await.len(), most + 1);
        assert_eq!(read_of(&[most, 7, 7]).await.len(), most + 1);
    }

    #[tokio::test]
    async fn a_body_without_end_is_not_read_for_ever() {
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1 << 20])));
        let body = read_body(Body::from_stream(endless).into_data_stream()).await.unwrap();
        assert_eq!(body.len(), READ_BODY_BYTES);
    }
}
