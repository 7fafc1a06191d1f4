//! Who may come in, and what is written down of it.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, ensure};

/// `[audit]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// The topic that is told who had what done; made if it is missing. Default: none.
    pub topic: Option<String>,
}

impl Audit {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Some(topic) = &self.topic else { return Ok(()) };
        let right = crate::api::is_topic_name(topic);
        ensure(right, "audit.topic", topic, "a topic's name: a letter, then up to 63 letters, digits, `-` and `_`")
    }
}

/// `[tls]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Whether to speak TLS alone, with a certificate of the server's own making in `DATA/tls` unless files are given.
    /// Default: false.
    pub on: bool,
    /// The file of the certificate, and those up to its authority, in PEM form. Default: none.
    pub cert_file: Option<PathBuf>,
    /// The file of its private key, in PEM form. Default: none.
    pub key_file: Option<PathBuf>,
    /// Names and addresses that a certificate of the server's own making bears, beside `localhost`, this machine's name
    /// and the address that is listened on. Default: none.
    pub names: Vec<String>,
}

impl Tls {
    /// Whether TLS is spoken.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on || self.cert_file.is_some()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let told = |file: &Option<PathBuf>| file.as_ref().map_or("missing".into(), |path| path.display().to_string());
        let both = "given together with tls.cert_file, or neither";
        ensure(self.cert_file.is_some() == self.key_file.is_some(), "tls.key_file", told(&self.key_file), both)?;
        for (at, name) in self.names.iter().enumerate() {
            let right = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:*".contains(&b));
            ensure(right, &format!("tls.names.{at}"), name, "a name or address, such as herald.example")?;
        }
        Ok(())
    }
}

/// A secret text. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
