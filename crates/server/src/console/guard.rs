//! What is let in: only what a browser sends that was led here by the console itself.
//!
//! A page of somebody else can have a browser send requests here, and a name of somebody else's can be made to lead
//! here. So the name asked for must be an address, `localhost` or a configured one; what changes something must come
//! from the console's own pages; and no answer may be put into somebody else's page.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Console;
use super::frame::Visitor;
use super::trouble::Trouble;
use crate::caller::{Caller, on_behalf};
use crate::door::Peer;

/// Nothing but what the server itself serves, and no script or style in the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Refuses what came by another name, or from another page; bounds what a browser may do with the answer.
pub(super) async fn check(State(console): State<Console>, request: Request, next: Next) -> Response {
    let mut response = match refusal(request.method(), request.headers(), &console.hosts) {
        None => next.run(request).await,
        Some(reason) => (StatusCode::FORBIDDEN, format!("{reason}\n")).into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Has what follows done on behalf of whoever is logged in.
pub(super) async fn name(State(console): State<Console>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let address = parts.extensions.get::<ConnectInfo<Peer>>().map(|info| info.0.ip().to_string());
    let visitor = Visitor::of(&parts, &console);
    let answered = next.run(Request::from_parts(parts, body));
    // Nothing is done for nobody: what has no caller is the server's own.
    match visitor.map(|visitor| visitor.caller(&console, address.unwrap_or_default())) {
        Ok(Some(caller)) => on_behalf(caller, answered).await,
        Ok(None) => Trouble::Stranger.into_response(),
        Err(_) => on_behalf(nobody(), answered).await,
    }
}

/// Whoever is not logged in, and may do nothing.
fn nobody() -> Caller {
    Caller { secret_id: String::new(), address: String::new(), grant: Arc::default() }
}

/// Why a request is not let in.
pub(super) fn refusal(method: &Method, headers: &HeaderMap, known: &[String]) -> Option<&'static str> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST).unwrap_or_default();
    if !is_own(host, known) {
        return Some(
            "This name is not one that the console is reached by; use the server's address, or name it in \
             `console.hosts` of the configuration.",
        );
    }
    if matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let from_here = match (text(header::ORIGIN), text(HeaderName::from_static("sec-fetch-site"))) {
        (Some(origin), _) => origin.split_once("://").is_some_and(|(_, name)| name == host),
        (None, Some(site)) => site == "same-origin",
        // A client that is no browser; the form's token is still asked for.
        (None, None) => true,
    };
    (!from_here).then_some("This request came from another page than the console's own.")
}

/// Whether a `Host` is an address, `localhost` or a known name.
fn is_own(host: &str, known: &[String]) -> bool {
    let Ok(authority) = host.parse::<axum::http::uri::Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    address.parse::<std::net::IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || known.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: Method, headers: &[(&'static str, &str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        refusal(&method, &headers.collect(), &["batch.example".to_owned()]).is_some()
    }

    #[test]
    fn names_that_could_be_anybodys_are_refused() {
        for host in ["127.0.0.1:7400", "[::1]:7400", "10.0.0.9", "localhost:1", "LOCALHOST", "batch.example:80"] {
            assert!(!refused(Method::GET, &[("host", host)]), "{host}");
        }
        for host in ["evil.example", "batch.example.evil", "127.0.0.1.evil.example", "", "a b", "localhost.evil"] {
            assert!(refused(Method::GET, &[("host", host)]), "{host}");
        }
        assert!(refused(Method::GET, &[]));
    }

    #[test]
    fn what_another_page_sends_is_refused() {
        let host = ("host", "127.0.0.1:7400");
        for (headers, right) in [
            (vec![host], true),
            (vec![host, ("origin", "http://127.0.0.1:7400")], true),
            (vec![host, ("origin", "http://evil.example")], false),
            (vec![host, ("origin", "http://127.0.0.1:7401")], false),
            (vec![host, ("origin", "null")], false),
            (vec![host, ("sec-fetch-site", "same-origin")], true),
            (vec![host, ("sec-fetch-site", "cross-site")], false),
            (vec![host, ("sec-fetch-site", "same-site")], false),
        ] {
            assert_eq!(refused(Method::POST, &headers), !right, "{headers:?}");
            assert!(!refused(Method::GET, &headers), "{headers:?}");
        }
    }
}
