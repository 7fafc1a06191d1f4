//! `/healthz` and `/readyz`: whether the server lives, and whether it can be given work.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::sync::watch;

use crate::pulse::Pulse;
use crate::space::Space;

/// What readiness depends on.
#[derive(Clone)]
pub(crate) struct Health {
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) space: Space,
    /// Becomes true when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// The two routes.
pub(crate) fn router(health: Health) -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(readyz)).with_state(health)
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    if *health.stopping.borrow() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n".into());
    }
    if health.space.is_full() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the disk is nearly full\n".into());
    }
    match health.pulse.check(Instant::now()) {
        Ok(()) => (StatusCode::OK, "ok\n".into()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}
