//! Names of things: `job-`, `env-`, `node-`, `ins-` and their like, each a prefix and eight characters of
//! `[0-9a-z]` as Tencent Batch writes them.
//!
//! Inside, an id is the number that the eight characters spell in base 36, so it is small, ordered and `Copy`.

use std::fmt;
use std::str::FromStr;

use rand::{Rng, RngExt};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Characters after the prefix of an id.
pub const ID_CHARS: usize = 8;
/// How many different ids there are: 36 to the power of [`ID_CHARS`].
const ID_SPACE: u64 = 36u64.pow(ID_CHARS as u32);
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form `{prefix}` and {ID_CHARS} characters of 0-9a-z")]
pub struct MalformedId {
    /// What was given.
    pub text: String,
    /// What it should begin with.
    pub prefix: &'static str,
}

fn write_id(f: &mut fmt::Formatter<'_>, prefix: &str, number: u64) -> fmt::Result {
    let mut text = [b'0'; ID_CHARS];
    let mut rest = number;
    for slot in text.iter_mut().rev() {
        *slot = DIGITS[usize::try_from(rest % 36).expect("less than 36")];
        rest /= 36;
    }
    f.write_str(prefix)?;
    f.write_str(std::str::from_utf8(&text).expect("digits are ASCII"))
}

fn parse_id(text: &str, prefix: &'static str) -> Result<u64, MalformedId> {
    let malformed = || MalformedId { text: text.chars().take(64).collect(), prefix };
    let digits = text.strip_prefix(prefix).ok_or_else(malformed)?;
    if digits.len() != ID_CHARS {
        return Err(malformed());
    }
    digits.bytes().try_fold(0u64, |number, byte| {
        let digit = DIGITS.iter().position(|digit| *digit == byte).ok_or_else(malformed)?;
        Ok(number * 36 + digit as u64)
    })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The least id.
            pub const FIRST: Self = Self(0);
            /// The greatest id.
            pub const LAST: Self = Self(ID_SPACE - 1);
            /// What the text form begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Draws a new id.
            pub fn draw(rng: &mut dyn Rng) -> Self {
                Self(rng.random_range(0..ID_SPACE))
            }

            /// The id as a number, as the store keeps it.
            #[must_use]
            pub fn number(self) -> u64 {
                self.0
            }

            /// The id with this number; `None` when no id has it.
            #[must_use]
            pub fn from_number(number: u64) -> Option<Self> {
                (number < ID_SPACE).then_some(Self(number))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_id(f, $prefix, self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;
            fn from_str(text: &str) -> Result<Self, MalformedId> {
                parse_id(text, $prefix).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A job.
    JobId = "job-";
    /// A task template.
    TemplateId = "task-tmpl-";
    /// A compute environment.
    EnvId = "env-";
    /// A compute node.
    NodeId = "node-";
    /// The making or the end of a node.
    ActivityId = "act-";
    /// The machine under a compute node: what Tencent Batch calls its CVM instance.
    MachineId = "ins-";
    /// A topic, as API v2 names it.
    TopicId = "topic-";
    /// A queue, as API v2 names it.
    QueueId = "queue-";
    /// A subscription.
    SubscriptionId = "subsc-";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        for number in [0, 1, 35, 36, 123_456_789_012, ID_SPACE - 1] {
            let id = JobId::from_number(number).unwrap();
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert_eq!(JobId::from_number(35).unwrap().to_string(), "job-0000000z");
        assert_eq!(JobId::from_number(ID_SPACE), None);
    }

    #[test]
    fn a_malformed_id_is_refused() {
        for text in ["", "job-", "job-1234567", "job-123456789", "job-1234567A", "env-12345678", "job-12345é7"] {
            assert!(text.parse::<JobId>().is_err(), "{text}");
        }
    }
}
