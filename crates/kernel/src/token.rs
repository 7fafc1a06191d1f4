//! Client tokens: a request repeated with its token gives the first answer again.

use crate::time::Timestamp;

/// A token that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientToken {
    /// The action and the token, joined by a blank.
    pub key: String,
    /// Digest of the request's body.
    pub digest: String,
    /// The id that was answered.
    pub answer: String,
    /// When it was used.
    pub used: Timestamp,
}
