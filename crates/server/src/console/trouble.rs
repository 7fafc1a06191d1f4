//! What a visitor sees when something is refused or has failed.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use wire::api3::ApiError;

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nobody is logged in.
    Stranger,
    /// The form is not one of this session's pages.
    ForeignForm,
    /// An action was refused, or has failed.
    Refused(ApiError),
    /// The page cannot be made.
    Template(askama::Error),
}

#[derive(Template)]
#[template(path = "console/trouble.html")]
struct Page<'a> {
    title: &'a str,
    code: &'a str,
    message: &'a str,
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<askama::Error> for Trouble {
    fn from(error: askama::Error) -> Self {
        Self::Template(error)
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let foreign = "The page that this form was on is too old, or not one of yours. Go back, load it again, and \
                       send it once more.";
        match self {
            Self::Stranger => Redirect::to("/console/login").into_response(),
            Self::ForeignForm => page(StatusCode::FORBIDDEN, "Not sent", "", foreign),
            Self::Refused(error) if error.code.starts_with("ResourceNotFound") => {
                page(StatusCode::NOT_FOUND, "Not found", error.code, &error.message)
            }
            Self::Refused(error) => page(StatusCode::BAD_REQUEST, "Refused", error.code, &error.message),
            Self::Template(error) => {
                tracing::error!(%error, "failed to make a page of the console");
                page(StatusCode::INTERNAL_SERVER_ERROR, "Failed", "", "The server's log has the reason.")
            }
        }
    }
}

fn page(status: StatusCode, title: &str, code: &str, message: &str) -> Response {
    match (Page { title, code, message }).render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => (status, format!("{message}\n")).into_response(),
    }
}
