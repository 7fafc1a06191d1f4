//! The master key, under which secrets of key pairs lie in the database: the database alone gives no access.
//!
//! ChaCha20-Poly1305 with a nonce drawn for each secret. What is sealed is bound to the secret id it belongs to, so a
//! row copied over another opens nothing.

use std::fmt;
use std::io;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use rand::TryRng;
use rand::rngs::SysRng;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// Bytes of a master key.
pub(crate) const MASTER_KEY_BYTES: usize = 32;
/// What stands before a sealed text: how it was sealed.
const KIND: &str = "v1:";

/// Seals secrets and opens them again. Never shown by `Debug`.
pub(crate) struct MasterKey(LessSafeKey);

impl MasterKey {
    /// The key with these bytes.
    pub(crate) fn new(bytes: &[u8; MASTER_KEY_BYTES]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes).expect("the algorithm's keys have that length");
        Self(LessSafeKey::new(key))
    }

    /// A key as text: 64 hexadecimal digits. `None`: the text is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().as_bytes();
        if digits.len() != 2 * MASTER_KEY_BYTES {
            return None;
        }
        let mut bytes = [0; MASTER_KEY_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self::new(&bytes))
    }

    /// The text of a new key.
    pub(crate) fn draw() -> io::Result<String> {
        let mut bytes = [0; MASTER_KEY_BYTES];
        SysRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Seals the secret of a secret id.
    pub(crate) fn seal(&self, secret_id: &str, secret: &str) -> io::Result<String> {
        let mut nonce = [0; NONCE_LEN];
        SysRng.try_fill_bytes(&mut nonce).map_err(io::Error::other)?;
        let mut sealed = secret.as_bytes().to_vec();
        let with = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_append_tag(with, Aad::from(secret_id.as_bytes()), &mut sealed)
            .map_err(|_| io::Error::other("the secret is too long to be sealed"))?;
        Ok(format!("{KIND}{}", BASE64.encode([&nonce[..], &sealed].concat())))
    }

    /// Opens what was sealed for a secret id. `None`: it was sealed with another key, for another id, or is damaged.
    pub(crate) fn open(&self, secret_id: &str, sealed: &str) -> Option<String> {
        let mut bytes = BASE64.decode(sealed.strip_prefix(KIND)?).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(bytes.get(..NONCE_LEN)?).ok()?;
        let opened = self.0.open_within(nonce, Aad::from(secret_id.as_bytes()), &mut bytes, NONCE_LEN..).ok()?.to_vec();
        String::from_utf8(opened).ok()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_for_its_id_alone() {
        let text = MasterKey::draw().unwrap();
        let key = MasterKey::parse(&format!("{text}\n")).unwrap();
        let sealed = key.seal("AKIDone", "word").unwrap();
        assert!(!sealed.contains("word"));
        assert_eq!(key.open("AKIDone", &sealed).as_deref(), Some("word"));
        assert_eq!(key.open("AKIDtwo", &sealed), None, "a row copied over another");
        assert_eq!(MasterKey::new(&[7; MASTER_KEY_BYTES]).open("AKIDone", &sealed), None);
        assert_ne!(key.seal("AKIDone", "word").unwrap(), sealed, "nonces are drawn");
        for broken in ["", "v1:", "v2:AAAA", &sealed[..sealed.len() - 4], &sealed.replace("v1:", "v1:A")] {
            assert_eq!(key.open("AKIDone", broken), None, "{broken}");
        }
    }

    #[test]
    fn a_master_key_is_64_hexadecimal_digits() {
        let right = "0123456789abcdefABCDEF0123456789".repeat(2);
        assert!(MasterKey::parse(&right).is_some());
        for wrong in ["", "00", &right[1..], &format!("{right}0"), &right.replace('a', "g")] {
            assert!(MasterKey::parse(wrong).is_none(), "{wrong}");
        }
    }
}
