//! The console's one style sheet and its one script.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;

const CACHED: &str = "private, max-age=300";

pub(super) async fn style() -> impl IntoResponse {
    let text = include_str!("../../templates/console/style.css");
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, CACHED)], text)
}

pub(super) async fn script() -> impl IntoResponse {
    let text = include_str!("../../templates/console/live.js");
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, CACHED)], text)
}
