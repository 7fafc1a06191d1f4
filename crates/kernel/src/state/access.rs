//! Key pairs, and tokens to join with.

use std::sync::Arc;

use super::State;
use crate::access::{AccessKey, JoinToken};

impl State {
    /// A key pair, by its public half.
    #[must_use]
    pub fn access_key(&self, secret_id: &str) -> Option<&Arc<AccessKey>> {
        self.access_keys.get(&secret_id.to_owned())
    }

    /// All key pairs beside the installation's own.
    pub fn access_keys(&self) -> impl Iterator<Item = &Arc<AccessKey>> {
        self.access_keys.iter().map(|(_, key)| key)
    }

    /// All tokens that no machine has joined with.
    pub fn join_tokens(&self) -> impl Iterator<Item = &Arc<JoinToken>> {
        self.join_tokens.iter().map(|(_, token)| token)
    }
}
