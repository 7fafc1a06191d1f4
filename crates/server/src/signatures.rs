//! Signatures that were seen: what stands between a request that was overheard and its repetition.
//!
//! A signature that covers a nonce belongs to one request. It is remembered for longer than its time is accepted; a
//! server that was started since has forgotten it.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use kernel::time::Timestamp;
use wire::limits::{CLOCK_SKEW_S, REMEMBERED_SIGNATURES};

/// How long one generation gathers, in milliseconds: a call may be signed so long before now or after it.
const GENERATION_MS: u64 = 2 * CLOCK_SKEW_S.unsigned_abs() * 1_000;

/// The signatures of the last ten minutes at least.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    seen: Mutex<Seen>,
    /// Seeded by chance, so that nobody can make two signatures look the same.
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Seen {
    began: Timestamp,
    now: HashSet<u64>,
    before: HashSet<u64>,
}

impl Signatures {
    /// Whether a signature has not been seen; from now on it has. Where too many were seen to remember this one, it
    /// counts as seen: nothing is taken twice.
    pub(crate) fn is_new(&self, signature: &str, now: Timestamp) -> bool {
        let mark = self.hasher.hash_one(signature);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since_ms(seen.began) >= GENERATION_MS {
            seen.before = std::mem::take(&mut seen.now);
            seen.began = now;
        }
        seen.now.len() < REMEMBERED_SIGNATURES && !seen.before.contains(&mark) && seen.now.insert(mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_new_once_for_as_long_as_its_time_could_be_accepted() {
        let signatures = Signatures::default();
        let at = |ms: u64| Timestamp(1_800_000_000_000).plus_ms(ms);
        assert!(signatures.is_new("a", at(0)));
        assert!(!signatures.is_new("a", at(0)));
        assert!(signatures.is_new("b", at(GENERATION_MS - 1)));
        assert!(!signatures.is_new("a", at(GENERATION_MS)), "of the generation before");
        assert!(!signatures.is_new("b", at(2 * GENERATION_MS - 2)));
        assert!(signatures.is_new("a", at(3 * GENERATION_MS)), "its time is long over");
    }
}
