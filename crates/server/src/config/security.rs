//! Who may come in, and what is written down of it.

use std::fmt;

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

/// A secret text. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
