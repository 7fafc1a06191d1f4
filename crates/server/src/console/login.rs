//! Logging in and out.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::header::SET_COOKIE;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Console;
use super::frame::{Fields, Sent};
use super::session::{COOKIE, Session};
use super::trouble::Trouble;

#[derive(Template)]
#[template(path = "console/login.html")]
struct Login<'a> {
    secret_id: &'a str,
    problem: &'a str,
}

/// The page with the form.
pub(super) async fn page() -> Result<Html<String>, Trouble> {
    Ok(Html(Login { secret_id: "", problem: "" }.render()?))
}

/// Takes a key pair. That the form came from here, the guard has seen: there is no session yet to sign one with.
pub(super) async fn log_in(State(console): State<Console>, body: axum::body::Bytes) -> Result<Response, Trouble> {
    let fields = Fields::read(&body);
    let (id, key) = (fields.get("secret-id").trim(), fields.get("secret-key").trim());
    match console.logins.log_in(id, key, console.app.clock()) {
        Some(session) => Ok(welcome(&session)),
        None => {
            let problem = "There is no such key pair, or it is one that may not look at the whole installation. The \
                           first pair is in DATA/credentials.json of the server, unless it was given in \
                           HERALD_SECRET_ID and HERALD_SECRET_KEY.";
            Ok(Html(Login { secret_id: id, problem }.render()?).into_response())
        }
    }
}

/// What a one-time address asks with.
#[derive(Deserialize)]
pub(super) struct Token {
    #[serde(default)]
    token: String,
}

/// Takes a one-time address.
pub(super) async fn enter(State(console): State<Console>, Query(asked): Query<Token>) -> Result<Response, Trouble> {
    match console.logins.enter(&asked.token, console.app.clock()) {
        Some(session) => Ok(welcome(&session)),
        None => {
            let problem = "This address has led in already, or is too old. `herald open` makes another one.";
            Ok(Html(Login { secret_id: "", problem }.render()?).into_response())
        }
    }
}

fn welcome(session: &Session) -> Response {
    ([(SET_COOKIE, session.set_cookie())], Redirect::to("/console/")).into_response()
}

/// Ends the session in this browser.
pub(super) async fn log_out(_: Sent) -> Response {
    let gone = format!("{COOKIE}=; Path=/console/; HttpOnly; SameSite=Strict; Max-Age=0");
    ([(SET_COOKIE, gone)], Redirect::to("/console/login")).into_response()
}
