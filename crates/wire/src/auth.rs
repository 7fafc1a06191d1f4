//! Signatures: who calls, and that nothing was changed on the way.
//!
//! Three kinds come in, all keyed with a secret that client and server share: TC3-HMAC-SHA256 in a header
//! ([`api3`]), and HmacSHA1 or HmacSHA256 in a parameter, for API 3.0 ([`api3`]) and for CMQ ([`v2`]). The
//! official clients differ in what they sign: some leave the port out of the host, some keep a scheme in
//! it, one signs another path than it requests. A signature is accepted when it fits one of those forms.
//!
//! The server looks up the secret of the call's `secret_id`; for one it does not know it answers
//! [`AuthError::unknown`].

pub mod api3;
pub(crate) mod text;
pub mod v2;

use crate::api3::ApiError;
use crate::limits::CLOCK_SKEW_S;
use crate::v2::{V2Code, V2Error};

pub(crate) use text::{FormText, Tc3Text};

/// Why a call is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The `Authorization` header is not of the documented form; the text says what is amiss.
    #[error("Authorization: {0}")]
    Malformed(String),
    /// Nobody has this secret id.
    #[error("the secret id is not known here")]
    UnknownSecretId {
        /// Whether it at least looks like one, beginning with `AKID`.
        akid: bool,
    },
    /// The call was signed too long ago, or its signer's clock is wrong.
    #[error("Timestamp: {timestamp} is more than {CLOCK_SKEW_S} s from the server's time, {now}")]
    Expired {
        /// The call's time, in unix seconds.
        timestamp: i64,
        /// The server's time, in unix seconds.
        now: i64,
    },
    /// The day of the credential scope is not that of the call's time.
    #[error("Authorization: Credential names the day {given}, but Timestamp is on {right} (UTC)")]
    WrongDay {
        /// The day in the credential scope.
        given: String,
        /// The day that belongs there.
        right: String,
    },
    /// The call was made already.
    #[error("this very request was made before; each bears a Nonce of its own")]
    Repeated,
    /// The key pair may do nothing for now.
    #[error("the key pair is disabled")]
    Disabled,
    /// The signature fits neither what was sent nor this key.
    #[error(
        "the signature does not match; check the secret key, and that host, body and parameters are signed as sent"
    )]
    Mismatch,
}

impl AuthError {
    /// The error for a secret id that the server does not know.
    #[must_use]
    pub fn unknown(secret_id: &str) -> Self {
        Self::UnknownSecretId { akid: secret_id.starts_with("AKID") }
    }

    /// As API 3.0 reports it.
    #[must_use]
    pub fn api3(&self) -> ApiError {
        let code = match self {
            Self::Malformed(_) => "AuthFailure.InvalidAuthorization",
            Self::UnknownSecretId { .. } | Self::Disabled => "AuthFailure.SecretIdNotFound",
            Self::Expired { .. } | Self::WrongDay { .. } => "AuthFailure.SignatureExpire",
            Self::Mismatch | Self::Repeated => "AuthFailure.SignatureFailure",
        };
        ApiError::new(code, self.to_string())
    }

    /// As CMQ v2 reports it.
    #[must_use]
    pub fn v2(&self) -> V2Error {
        match self {
            Self::UnknownSecretId { akid: true } => V2Code::SecretIdUnknown.error(),
            Self::UnknownSecretId { akid: false } => V2Code::SecretIdForm.error(),
            Self::Mismatch => V2Code::Unauthenticated.error(),
            Self::Disabled => V2Code::SecretIdStatus.error(),
            Self::Malformed(_) | Self::Repeated | Self::Expired { .. } | Self::WrongDay { .. } => {
                V2Code::Unauthenticated.error().because(self)
            }
        }
    }
}

/// Refuses a call that was not signed about now.
fn check_time(timestamp: i64, now: i64) -> Result<(), AuthError> {
    if timestamp.abs_diff(now) > CLOCK_SKEW_S.unsigned_abs() {
        return Err(AuthError::Expired { timestamp, now });
    }
    Ok(())
}

/// The host header, and without its port where it has one (the Node.js SDK signs it so).
fn hosts(host: &str) -> Vec<&str> {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            vec![host, name]
        }
        _ => vec![host],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_left_out_where_there_is_one() {
        assert_eq!(hosts("127.0.0.1:7400"), ["127.0.0.1:7400", "127.0.0.1"]);
        assert_eq!(hosts("http://127.0.0.1:7400"), ["http://127.0.0.1:7400", "http://127.0.0.1"]);
        assert_eq!(hosts("[::1]:7400"), ["[::1]:7400", "[::1]"]);
        for whole in ["localhost", "[::1]", "http://127.0.0.1:7400/", "host:", ""] {
            assert_eq!(hosts(whole), [whole]);
        }
    }

    #[test]
    fn the_clock_may_be_five_minutes_off() {
        for (timestamp, now, near) in [(1000, 1300, true), (1300, 1000, true), (1000, 1301, false), (1301, 1000, false)]
        {
            assert_eq!(check_time(timestamp, now).is_ok(), near, "{timestamp} {now}");
        }
        assert!(check_time(i64::MIN, i64::MAX).is_err());
    }

    #[test]
    fn each_error_has_the_documented_code() {
        let expired = AuthError::Expired { timestamp: 1, now: 999 };
        let day = AuthError::WrongDay { given: "2026-01-01".into(), right: "2026-01-02".into() };
        for (error, api3, v2) in [
            (AuthError::Malformed("x".into()), "InvalidAuthorization", (4100, 10030)),
            (AuthError::unknown("AKID1"), "SecretIdNotFound", (4100, 10270)),
            (AuthError::unknown("me"), "SecretIdNotFound", (4000, 10450)),
            (expired, "SignatureExpire", (4100, 10030)),
            (day, "SignatureExpire", (4100, 10030)),
            (AuthError::Mismatch, "SignatureFailure", (4100, 10030)),
            (AuthError::Repeated, "SignatureFailure", (4100, 10030)),
            (AuthError::Disabled, "SecretIdNotFound", (4100, 10080)),
        ] {
            assert_eq!(error.api3().code.strip_prefix("AuthFailure."), Some(api3));
            assert_eq!((error.v2().code, error.v2().module), v2);
        }
        assert_eq!(AuthError::Mismatch.v2().to_string(), "(10030)authentication failed");
    }
}
