//! Key pairs: who may call, and what each may do.
//!
//! The first pair is the installation's own, given in variables or kept in the data folder; it may do everything. The
//! others are rows, made by `CreateAccessKey`, whose secrets are sealed under the master key.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use kernel::access::{AccessKey, Grant};
use kernel::state::State;
use kernel::time::Timestamp;
use subtle::ConstantTimeEq;

use crate::app::StateCell;
use crate::seal::MasterKey;

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

/// A key pair as it stands. Never shown by `Debug`.
pub(crate) struct Known {
    /// Its secret, and for a time after a rotation the one before.
    pub(crate) secrets: Vec<String>,
    /// What it may do.
    pub(crate) grant: Arc<Grant>,
    /// Whether it may do nothing for now.
    pub(crate) disabled: bool,
}

impl Known {
    /// Whether this is one of its secrets, compared in a time that does not tell where the first difference is.
    pub(crate) fn has(&self, secret: &str) -> bool {
        self.secrets.iter().any(|known| known.as_bytes().ct_eq(secret.as_bytes()).into())
    }
}

/// The key pairs of an installation.
pub struct Keys {
    own: KeyPair,
    everything: Arc<Grant>,
    state: Arc<StateCell>,
    master: MasterKey,
    /// How often each bounded key pair has called, by its secret id and its bound.
    rates: Mutex<BTreeMap<(String, u32), Arc<DefaultDirectRateLimiter>>>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("own", &self.own).finish_non_exhaustive()
    }
}

impl Keys {
    /// The installation's own pair, and those in its state.
    pub(crate) fn new(own: KeyPair, state: Arc<StateCell>, master: MasterKey) -> Self {
        Self { own, everything: Arc::new(Grant::everything()), state, master, rates: Mutex::default() }
    }

    /// The public half of the installation's own pair.
    pub(crate) fn own(&self) -> &str {
        &self.own.secret_id
    }

    /// The pair with this secret id.
    pub(crate) fn find(&self, secret_id: &str, now: Timestamp) -> Option<Known> {
        if secret_id == self.own.secret_id {
            let (secrets, grant) = (vec![self.own.secret_key.clone()], self.everything.clone());
            return Some(Known { secrets, grant, disabled: false });
        }
        let key = self.state.get().access_key(secret_id).cloned()?;
        let open = |sealed: &str| self.master.open(secret_id, sealed);
        let mut secrets: Vec<String> = open(&key.sealed).into_iter().collect();
        secrets.extend(key.earlier.as_ref().filter(|earlier| earlier.until > now).and_then(|it| open(&it.sealed)));
        Some(Known { secrets, grant: Arc::new(key.grant.clone()), disabled: key.disabled })
    }

    /// What is signed with by a pair that may look at the whole installation and change what its roles allow: only
    /// such a pair leads into the console.
    pub(crate) fn console_secret(&self, secret_id: &str, now: Timestamp) -> Option<String> {
        let known = self.find(secret_id, now)?;
        let may = !known.disabled && known.grant.has(kernel::access::Role::Read) && known.grant.scope.is_everything();
        if may { known.secrets.into_iter().next() } else { None }
    }

    /// Seals the secret of a new or rotated pair.
    ///
    /// # Errors
    /// The machine has no random numbers to give.
    pub(crate) fn seal(&self, secret_id: &str, secret: &str) -> std::io::Result<String> {
        self.master.seal(secret_id, secret)
    }

    /// Whether a pair may call once more now, as far as the bound of its grant goes.
    pub(crate) fn may_call_now(&self, secret_id: &str, grant: &Grant) -> bool {
        let Some(bound) = grant.calls_per_s.and_then(NonZeroU32::new) else { return true };
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (secret_id.to_owned(), bound.get());
        let limiter = rates.entry(key).or_insert_with(|| {
            let limiter = RateLimiter::direct(Quota::per_second(bound));
            Arc::new(limiter)
        });
        let limiter = limiter.clone();
        if rates.len() > 2 * kernel::limits::ACCESS_KEYS {
            rates.clear();
        }
        drop(rates);
        limiter.check().is_ok()
    }
}

/// The first key pair of a state whose secret the master key does not open.
pub(crate) fn first_shut<'a>(state: &'a State, master: &MasterKey) -> Option<&'a Arc<AccessKey>> {
    state.access_keys().find(|key| master.open(&key.secret_id, &key.sealed).is_none())
}

#[cfg(test)]
impl Keys {
    /// A pair alone, for tests.
    pub(crate) fn of(secret_id: &str, secret_key: &str) -> Self {
        let own = KeyPair { secret_id: secret_id.into(), secret_key: secret_key.into() };
        Self::new(own, Arc::default(), MasterKey::new(&[7; crate::seal::MASTER_KEY_BYTES]))
    }

    /// The same beside the pairs in an app's state.
    pub(crate) fn beside(self, app: &crate::App) -> Self {
        Self { state: app.state.clone(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_kept_for_each_pair_by_itself() {
        let keys = Keys::of("own", "word");
        let grant = Grant { calls_per_s: Some(3), ..Grant::default() };
        let calls = |id: &str| (0..10).filter(|_| keys.may_call_now(id, &grant)).count();
        assert!((3..10).contains(&calls("a")));
        assert!((3..10).contains(&calls("b")));
        assert!((0..10_000).all(|_| keys.may_call_now("a", &Grant::default())), "no bound");
    }

    #[test]
    fn nothing_shows_a_secret() {
        let keys = Keys::of("own", "s3cret");
        assert!(!format!("{keys:?}").contains("s3cret"));
        let known = keys.find("own", Timestamp(0)).unwrap();
        assert!(known.has("s3cret") && !known.has("s3cre") && !known.has(""));
    }
}
