//! Forms: what is asked, what was given, and which field a refusal is about.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use wire::api3::ApiError;

use super::frame::{Fields, Frame};
use super::trouble::Trouble;

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Line,
    Number,
    Text {
        rows: u32,
    },
    /// One of these values, each with what it says.
    Choice(Vec<(String, String)>),
}

/// A field.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) kind: Kind,
    pub(super) value: String,
    /// What is wrong with it.
    pub(super) problem: String,
    /// The parameter of the API that it fills: a refusal that begins with it is about this field.
    pub(super) path: &'static str,
}

impl Input {
    pub(super) fn new(name: &'static str, label: &'static str, path: &'static str, kind: Kind) -> Self {
        Self { name, label, hint: "", kind, value: String::new(), problem: String::new(), path }
    }

    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    pub(super) fn value(self, value: impl Into<String>) -> Self {
        Self { value: value.into(), ..self }
    }
}

/// A page that is a form.
#[derive(Template)]
#[template(path = "console/form.html")]
pub(super) struct Form {
    pub(super) frame: Frame,
    pub(super) title: String,
    pub(super) lead: String,
    /// Where it is sent.
    pub(super) action: String,
    pub(super) inputs: Vec<Input>,
    /// Another way to the same end: its address, and what it is.
    pub(super) beside: Option<(&'static str, &'static str)>,
    pub(super) send: &'static str,
    /// What is wrong and is about no field.
    pub(super) problem: String,
}

impl Form {
    pub(super) fn page(self) -> Result<Html<String>, Trouble> {
        Ok(Html(self.render()?))
    }

    /// The form as it was sent, with what was refused beside the field that it is about.
    pub(super) fn refused(mut self, given: &Fields, error: &ApiError) -> Result<Response, Trouble> {
        for input in &mut self.inputs {
            given.get(input.name).clone_into(&mut input.value);
        }
        let about = |input: &&mut Input| !input.path.is_empty() && error.message.starts_with(input.path);
        let place = self.inputs.iter_mut().filter(about).max_by_key(|input| input.path.len());
        let problem = format!("{} ({})", error.message, error.code);
        match place {
            Some(input) => input.problem = problem,
            None => self.problem = problem,
        }
        Ok((StatusCode::BAD_REQUEST, self.page()?).into_response())
    }
}

/// A number that was given, if one was.
///
/// # Errors
/// It is none; the refusal names the parameter.
pub(super) fn number(given: &Fields, name: &str, path: &str) -> Result<Option<u64>, ApiError> {
    match given.get(name).trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            ApiError::new("InvalidParameterValue", format!("{path}: `{text}` is no number; give digits alone"))
        }),
    }
}

/// What stands between commas.
pub(super) fn listed(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect()
}
