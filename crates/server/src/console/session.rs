//! Who is let in, and how that is remembered.
//!
//! A session is a cookie that says whose it is and until when, signed with a key made of the visitor's own secret key:
//! it outlives a restart of the server, and ends with its key. Each form bears a token signed in the same way. A
//! one-time address leads in once, soon after it was made, and is known to this process alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use kernel::time::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::data::draw_word;
use crate::keys::{Keys, Known};

/// The cookie's name.
pub(super) const COOKIE: &str = "herald_session";
/// How long a session lasts, in seconds.
pub(super) const SESSION_S: i64 = 12 * 3_600;
/// How long a one-time address leads in, in milliseconds.
const ADDRESS_MS: i64 = 15 * 60 * 1_000;
/// One-time addresses at once.
const ADDRESSES: usize = 64;
/// Characters of such an address's token.
const TOKEN_CHARS: usize = 40;

/// What is signed, so that one signature never stands for the other.
#[derive(Clone, Copy)]
enum Use {
    Session,
    Form,
}

/// A visitor's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    /// The key pair's public half.
    pub(super) secret_id: String,
    /// The cookie's value.
    cookie: String,
    /// Whether it is sent by TLS alone.
    is_secure: bool,
}

/// Lets visitors in.
#[derive(Debug)]
pub(crate) struct Logins {
    keys: Arc<Keys>,
    /// Whether the console is reached by TLS alone.
    is_secure: bool,
    /// One-time tokens, whose session each begins, and until when each is good.
    tokens: Mutex<BTreeMap<String, (String, Timestamp)>>,
}

impl Logins {
    /// Lets those in who have one of these key pairs; `is_secure`: the console is reached by TLS alone.
    pub(crate) fn new(keys: Arc<Keys>, is_secure: bool) -> Self {
        Self { keys, is_secure, tokens: Mutex::default() }
    }

    /// A key pair as it stands.
    pub(super) fn find(&self, secret_id: &str, now: Timestamp) -> Option<Known> {
        self.keys.find(secret_id, now)
    }

    /// A new one-time address, as a path; it begins a session of the key pair with this public half.
    ///
    /// # Errors
    /// The machine has no random numbers to give.
    pub(crate) fn address(&self, secret_id: &str, now: Timestamp) -> std::io::Result<String> {
        let token = draw_word(TOKEN_CHARS)?;
        let path = format!("/console/enter?token={token}");
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, (_, until)| *until > now);
        if tokens.len() >= ADDRESSES {
            let first = tokens.iter().min_by_key(|(_, (_, until))| *until).map(|(token, _)| token.clone());
            first.map(|token| tokens.remove(&token));
        }
        tokens.insert(token, (secret_id.to_owned(), Timestamp(now.0.saturating_add(ADDRESS_MS))));
        Ok(path)
    }

    /// The session of whoever has a one-time address; it leads in no second time.
    pub(super) fn enter(&self, token: &str, now: Timestamp) -> Option<Session> {
        let (secret_id, until) = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).remove(token)?;
        (until > now).then(|| self.session(&secret_id, now)).flatten()
    }

    /// The session of whoever has a key pair that may look at everything.
    pub(super) fn log_in(&self, secret_id: &str, secret_key: &str, now: Timestamp) -> Option<Session> {
        let right = self.keys.find(secret_id, now)?.has(secret_key);
        right.then(|| self.session(secret_id, now)).flatten()
    }

    fn session(&self, secret_id: &str, now: Timestamp) -> Option<Session> {
        let until = now.seconds() + SESSION_S;
        let said = format!("{until}.{}", BASE64.encode(secret_id));
        let cookie = format!("{said}.{}", self.signed(secret_id, Use::Session, &said, now)?);
        Some(Session { secret_id: secret_id.to_owned(), cookie, is_secure: self.is_secure })
    }

    /// The session that a cookie stands for.
    pub(super) fn session_of(&self, cookie: &str, now: Timestamp) -> Option<Session> {
        let (said, signature) = cookie.rsplit_once('.')?;
        let (until, id) = said.split_once('.')?;
        let secret_id = String::from_utf8(BASE64.decode(id).ok()?).ok()?;
        let right = self.signed(&secret_id, Use::Session, said, now)?;
        let is_right: bool = right.as_bytes().ct_eq(signature.as_bytes()).into();
        let lasts = until.parse::<i64>().is_ok_and(|until| until > now.seconds());
        (is_right && lasts).then(|| Session { secret_id, cookie: cookie.to_owned(), is_secure: self.is_secure })
    }

    /// The token of a session's forms.
    pub(super) fn form_token(&self, session: &Session, now: Timestamp) -> String {
        self.signed(&session.secret_id, Use::Form, &session.cookie, now).unwrap_or_default()
    }

    /// Whether a form is of this session.
    pub(super) fn is_form_of(&self, session: &Session, token: &str, now: Timestamp) -> bool {
        let right = self.form_token(session, now);
        !right.is_empty() && right.as_bytes().ct_eq(token.as_bytes()).into()
    }

    fn signed(&self, secret_id: &str, purpose: Use, said: &str, now: Timestamp) -> Option<String> {
        let key = self.keys.console_secret(secret_id, now)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
        mac.update(match purpose {
            Use::Session => b"herald console session\0",
            Use::Form => b"herald console form\0",
        });
        mac.update(said.as_bytes());
        Some(BASE64.encode(mac.finalize().into_bytes()))
    }
}

impl Session {
    /// The header that has a browser keep it.
    pub(super) fn set_cookie(&self) -> String {
        let secure = if self.is_secure { "; Secure" } else { "" };
        format!("{COOKIE}={}; Path=/console/; HttpOnly; SameSite=Strict; Max-Age={SESSION_S}{secure}", self.cookie)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logins(id: &str, key: &str) -> Logins {
        Logins::new(Arc::new(Keys::of(id, key)), false)
    }

    const NOW: Timestamp = Timestamp(1_000_000);

    #[test]
    fn a_key_pair_leads_in_and_nothing_like_it() {
        let logins = logins("id", "word");
        assert_eq!(logins.log_in("id", "word", NOW).unwrap().secret_id, "id");
        for (id, key) in [("id", "else"), ("id", ""), ("id", "word "), ("none", "word"), ("", "")] {
            assert_eq!(logins.log_in(id, key, NOW), None, "{id} {key}");
        }
    }

    #[test]
    fn a_session_ends_with_its_time_and_its_key_and_cannot_be_made_up() {
        let logins = logins("id", "word");
        let session = logins.log_in("id", "word", NOW).unwrap();
        let cookie = session.cookie.clone();
        assert_eq!(logins.session_of(&cookie, NOW), Some(session.clone()));
        let end = Timestamp(NOW.0 + SESSION_S * 1_000);
        assert!(logins.session_of(&cookie, Timestamp(end.0 - 1_000)).is_some());
        assert_eq!(logins.session_of(&cookie, end), None);
        let (said, signature) = cookie.rsplit_once('.').unwrap();
        let longer = format!("9{said}.{signature}");
        let others = format!("{}.{}.{signature}", said.split_once('.').unwrap().0, BASE64.encode("other"));
        let form = format!("{said}.{}", logins.form_token(&session, NOW));
        for forged in [longer, others, form, said.to_owned(), format!("{said}."), String::new(), "..".into()] {
            assert_eq!(logins.session_of(&forged, NOW), None, "{forged}");
        }
        let rotated = self::logins("id", "another");
        assert_eq!(rotated.session_of(&cookie, NOW), None);
    }

    #[test]
    fn a_form_is_of_one_session() {
        let logins = logins("id", "word");
        let one = logins.log_in("id", "word", NOW).unwrap();
        let other = logins.log_in("id", "word", Timestamp(NOW.0 + 5_000)).unwrap();
        assert!(logins.is_form_of(&one, &logins.form_token(&one, NOW), NOW));
        assert!(!logins.is_form_of(&one, &logins.form_token(&other, NOW), NOW));
        assert!(!logins.is_form_of(&one, "", NOW));
    }

    #[test]
    fn a_one_time_address_leads_in_once_and_soon() {
        let logins = logins("id", "word");
        let token = |path: String| path.split_once('=').unwrap().1.to_owned();
        let first = token(logins.address("id", NOW).unwrap());
        assert!(logins.enter(&first, NOW).is_some());
        assert_eq!(logins.enter(&first, NOW), None);
        let second = token(logins.address("id", NOW).unwrap());
        assert_eq!(logins.enter(&second, Timestamp(NOW.0 + ADDRESS_MS)), None);
        let kept: Vec<String> =
            (0..=ADDRESSES).map(|at| token(logins.address("id", Timestamp(at as i64)).unwrap())).collect();
        assert_eq!(logins.enter(&kept[0], Timestamp(1)), None, "the first gives way");
        assert!(logins.enter(&kept[ADDRESSES], Timestamp(1)).is_some());
    }
}
