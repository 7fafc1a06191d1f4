//! What a subscription's posts are signed with: a secret that the receiver knows too, and during a rotation two.

use std::fmt;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::time::Timestamp;

/// A secret. It shows itself only to who asks for its bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The secret with these bytes; `None` if there are too few or too many.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        limits::SECRET_BYTES.contains(&bytes.len()).then_some(Self(bytes))
    }

    /// Draws a new one.
    pub fn draw(rng: &mut dyn Rng) -> Self {
        let mut bytes = vec![0; limits::SECRET_DRAWN_BYTES];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The secrets of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// The one that counts.
    pub current: Secret,
    /// The one before it, and until when posts bear its signature too.
    pub previous: Option<(Secret, Timestamp)>,
}

impl Secrets {
    /// The secrets that a post at `now` is signed with, the current one first.
    pub fn valid(&self, now: Timestamp) -> impl Iterator<Item = &Secret> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        std::iter::once(&self.current).chain(previous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_secrets_are_valid_until_the_rotation_ends() {
        let (old, new) = (Secret::new(vec![1; 24]).unwrap(), Secret::new(vec![2; 24]).unwrap());
        let secrets = Secrets { current: new.clone(), previous: Some((old.clone(), Timestamp(10))) };
        assert_eq!(secrets.valid(Timestamp(9)).collect::<Vec<_>>(), [&new, &old]);
        assert_eq!(secrets.valid(Timestamp(10)).collect::<Vec<_>>(), [&new]);
    }

    #[test]
    fn a_secret_has_24_to_64_bytes_and_does_not_show_itself() {
        for (bytes, good) in [(23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(Secret::new(vec![7; bytes]).is_some(), good, "{bytes}");
        }
        let drawn = Secret::draw(&mut crate::testing::rng(1));
        assert_eq!((drawn.bytes().len(), format!("{drawn:?}").as_str()), (32, "Secret(..)"));
    }
}
