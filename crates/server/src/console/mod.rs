//! The web console at `/console/`: what people look at.
//!
//! The cast: a *visitor* has shown a key pair, or the one-time address that the server printed, and has a signed
//! session ([`session`]); the *guard* ([`guard`]) lets nothing in that a page of somebody else could have sent; *pages*,
//! one file a subject, call the API's own actions ([`call`]) and show their replies; [`live`] tells a page that
//! something has changed, and its few lines of script fetch it again.
//!
//! Pages are made on the server and work without the script. Nothing is decided here, no request leaves the server, and
//! what jobs wrote is text, never markup.

mod assets;
mod body;
mod call;
mod cells;
mod environments;
mod form;
mod frame;
mod graph;
mod guard;
mod jobs;
mod keys;
mod live;
mod login;
mod messages;
mod overview;
mod plot;
mod queues;
mod session;
mod show;
mod submit;
mod subscriber_forms;
mod tasks;
mod timeline;
mod topics;
mod trouble;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::request::Parts;
use axum::middleware;
use axum::response::Redirect;
use axum::routing::{get, post};
use tokio::sync::watch;

pub(crate) use session::Logins;

use crate::App;
use crate::gateway::Gateway;

/// Bytes of a form.
const FORM_BYTES: usize = 1024 * 1024;

/// What the pages need.
#[derive(Clone)]
pub(crate) struct Console {
    pub(crate) app: App,
    pub(crate) logins: Arc<Logins>,
    /// Knows which nodes are connected, and when each was heard of.
    pub(crate) gateway: Arc<Gateway>,
    /// Changes with every commit.
    pub(crate) commits: watch::Receiver<u64>,
    /// Becomes true when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
    /// Names, beyond addresses and `localhost`, that the console may be reached by.
    pub(crate) hosts: Arc<[String]>,
}

/// The key pair of the visitor from whose browser a request comes, led here by the console's own name. `Err(None)`:
/// nobody is logged in.
pub(crate) fn let_in(parts: &Parts, console: &Console) -> Result<String, Option<&'static str>> {
    guard::refusal(&parts.method, &parts.headers, &console.hosts).map_or(Ok(()), |why| Err(Some(why)))?;
    frame::Visitor::of(parts, console).map(|visitor| visitor.secret_id().to_owned()).map_err(|_| None)
}

/// The routes.
pub(crate) fn router(console: Console) -> Router {
    let pages = Router::new()
        .route("/console/", get(overview::page))
        .route("/console/login", get(login::page).post(login::log_in))
        .route("/console/enter", get(login::enter))
        .route("/console/logout", post(login::log_out))
        .route("/console/live", get(live::stream))
        .route("/console/style.css", get(assets::style))
        .route("/console/live.js", get(assets::script));
    let pages = jobs::routes(pages);
    let pages = tasks::routes(pages);
    let pages = submit::routes(pages);
    let pages = environments::routes(pages);
    let pages = topics::routes(pages);
    let pages = subscriber_forms::routes(pages);
    let pages = messages::routes(pages);
    let pages = queues::routes(pages);
    let pages = keys::routes(pages);
    pages
        .route("/console", get(async || Redirect::permanent("/console/")))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(middleware::from_fn_with_state(console.clone(), guard::name))
        .layer(middleware::from_fn_with_state(console.clone(), guard::check))
        .with_state(console)
}

#[cfg(test)]
mod tests;
