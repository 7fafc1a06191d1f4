//! Key pairs: who may call.

use std::fmt;

/// A secret id and its secret key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// What a caller names itself by.
    pub secret_id: String,
    /// What it signs with. Never shown by `Debug`.
    pub secret_key: String,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("secret_id", &self.secret_id).finish_non_exhaustive()
    }
}

/// The key pairs of an installation.
#[derive(Debug, Clone)]
pub struct Keys {
    pairs: Vec<KeyPair>,
}

impl Keys {
    /// Keys with these pairs.
    #[must_use]
    pub fn new(pairs: Vec<KeyPair>) -> Self {
        Self { pairs }
    }

    /// The public half of the first pair, that of whoever runs the server.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.pairs.first().map(|pair| pair.secret_id.as_str())
    }

    /// The secret key that belongs to a secret id.
    #[must_use]
    pub fn secret_key(&self, secret_id: &str) -> Option<&str> {
        self.pairs.iter().find(|pair| pair.secret_id == secret_id).map(|pair| pair.secret_key.as_str())
    }
}
