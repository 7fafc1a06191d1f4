//! What the kernel's own tests share.

use rand::SeedableRng;

/// A random source with a seed.
pub(crate) fn rng(seed: u64) -> rand::rngs::StdRng {
    rand::rngs::StdRng::seed_from_u64(seed)
}
