//! What surrounds every page, and who looks at it.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::COOKIE as COOKIES;
use axum::http::request::Parts;
use axum::response::Html;

use super::session::{COOKIE, Session};
use super::trouble::Trouble;
use super::{Console, show};
use crate::caller::Caller;

/// A page, or why there is none.
pub(super) type Page = Result<Html<String>, Trouble>;

/// Somebody with a session.
pub(super) struct Visitor {
    session: Session,
    /// The token of the forms on the page.
    form: String,
}

/// What every page shows round its subject.
pub(super) struct Frame {
    /// The part of the console that the page is in, as the menu names it.
    pub(super) part: &'static str,
    pub(super) visitor: String,
    pub(super) form: String,
}

impl Frame {
    pub(super) fn is_in(&self, part: &str) -> bool {
        self.part == part
    }

    /// The class of a state.
    pub(super) fn class(&self, state: &str) -> &'static str {
        show::class(state)
    }

    /// A moment of the API's as people read it.
    pub(super) fn spoken(&self, time: &str) -> String {
        show::spoken(time)
    }
}

impl Visitor {
    /// The frame of a page in a part of the console.
    pub(super) fn frame(&self, part: &'static str) -> Frame {
        Frame { part, visitor: self.session.secret_id.clone(), form: self.form.clone() }
    }

    /// The public half of the visitor's key pair.
    pub(super) fn secret_id(&self) -> &str {
        &self.session.secret_id
    }

    /// On whose behalf things are done for this visitor.
    pub(super) fn caller(&self, console: &Console, address: String) -> Option<Caller> {
        let secret_id = self.session.secret_id.clone();
        let known = console.logins.find(&secret_id, console.app.clock())?;
        Some(Caller { secret_id, address, grant: known.grant })
    }

    pub(super) fn of(parts: &Parts, console: &Console) -> Result<Self, Trouble> {
        let cookies = parts.headers.get_all(COOKIES).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let cookie = pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value);
        let session = cookie.and_then(|cookie| console.logins.session_of(cookie, console.app.clock()));
        let session = session.ok_or(Trouble::Stranger)?;
        Ok(Self { form: console.logins.form_token(&session, console.app.clock()), session })
    }
}

impl FromRequestParts<Console> for Visitor {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Trouble> {
        Self::of(parts, console)
    }
}

/// A form that a visitor sent from a page of the session's.
pub(super) struct Sent {
    pub(super) visitor: Visitor,
    pub(super) fields: Fields,
}

/// The fields of a form.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The fields in a body.
    pub(super) fn read(body: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(body);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// A field's value; empty where it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// All values of a field.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }
}

impl FromRequest<Console> for Sent {
    type Rejection = Trouble;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Trouble> {
        let (parts, body) = request.into_parts();
        let visitor = Visitor::of(&parts, console)?;
        let body = axum::body::to_bytes(body, super::FORM_BYTES).await.map_err(|_| Trouble::ForeignForm)?;
        let fields = Fields::read(&body);
        if !console.logins.is_form_of(&visitor.session, fields.get("form-token"), console.app.clock()) {
            return Err(Trouble::ForeignForm);
        }
        Ok(Self { visitor, fields })
    }
}
