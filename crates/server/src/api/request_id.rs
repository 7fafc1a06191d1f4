//! Ids of requests, as replies tell them: for people to compare with, not for anything to be found by.

use std::sync::{LazyLock, Mutex, PoisonError};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};
use uuid::Builder;

static CHANCE: LazyLock<Mutex<StdRng>> = LazyLock::new(|| {
    let seeded = StdRng::try_from_rng(&mut SysRng);
    Mutex::new(seeded.expect("the ledger, which began before, has drawn from the system too"))
});

fn draw(bytes: &mut [u8]) {
    CHANCE.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
}

/// An id as API 3.0 tells it: a UUID, version 4.
pub(super) fn api3() -> String {
    let mut bytes = [0; 16];
    draw(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// An id as CMQ v2 tells it, in digits.
pub(super) fn v2() -> u64 {
    let mut bytes = [0; 8];
    draw(&mut bytes);
    // Clients that read numbers as floating point keep this many bits.
    u64::from_le_bytes(bytes) >> 11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_their_form_and_differ() {
        let id = api3();
        assert_eq!((id.len(), &id[14..15]), (36, "4"));
        assert_ne!(id, api3());
        assert_ne!(v2(), v2());
    }
}
