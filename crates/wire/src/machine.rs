//! What the server and a machine that joined say to one another, version 2.
//!
//! Frames are JSON texts over a WebSocket at `ws://HOST:PORT/machine/v1`, which the machine opens. A new machine says
//! [`FromMachine::Join`] with a token that lets one machine join, and a credential that it has drawn for itself, and is
//! given an id; with these it says [`FromMachine::Hello`] on every later connection. From then on the server asks for deeds, each with
//! a number, and the machine answers each by that number, one after another. What a node's agent says of its runs
//! goes its own way ([`crate::node`]).

use std::fmt;

use kernel::id::{MachineId, NodeId};
use kernel::instance::RunId;
use kernel::machine::MachineFacts;
use serde::{Deserialize, Serialize};

use crate::node::{Frame, FrameError};

/// The version this module speaks.
pub const VERSION: u32 = 2;
/// Where the server takes the connection.
pub const PATH: &str = "/machine/v1";
/// How often a machine says that it is there, in milliseconds.
pub const BEAT_MS: u64 = 2_000;

/// What a machine says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromMachine {
    /// It is new.
    Join {
        /// The version it speaks.
        version: u32,
        /// The token. Never shown by `Debug`.
        token: String,
        /// The secret that shows who it is from now on. Never shown by `Debug`.
        credential: String,
        /// What it is.
        facts: MachineFacts,
    },
    /// It is back.
    Hello {
        /// The version it speaks.
        version: u32,
        /// Who it is.
        machine: MachineId,
        /// The secret that shows it. Never shown by `Debug`.
        credential: String,
        /// What it is.
        facts: MachineFacts,
        /// The nodes that there are on it.
        nodes: Vec<NodeId>,
    },
    /// A deed is done.
    Done {
        /// Its number.
        number: u64,
        /// Which runs of the node had begun, where the deed ended its agent.
        begun: Vec<RunId>,
        /// Whether the node's agent lives.
        lives: bool,
    },
    /// A deed could not be done.
    Failed {
        /// Its number.
        number: u64,
        /// Why.
        reason: String,
    },
    /// It is there.
    Beat,
}

/// What the server says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToMachine {
    /// The answer to a Join. The server closes the connection after it.
    Joined {
        /// Who the machine is from now on.
        machine: MachineId,
    },
    /// The answer to a Hello.
    Welcome,
    /// The other answer to either.
    Refused {
        /// Why.
        reason: String,
    },
    /// A deed is asked for.
    Do {
        /// Its number.
        number: u64,
        /// The node that it is about.
        node: NodeId,
        /// What.
        deed: Deed,
    },
}

/// What a machine does to a node on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Deed {
    /// Start its agent, if it does not live.
    Create {
        /// Instances at once.
        slots: u32,
    },
    /// Kill its agent and all that it runs.
    End,
    /// The same, after its agent had time to end by itself.
    Stop,
    /// The same, and remove what there is of it.
    Destroy,
    /// Tell whether its agent lives.
    Look,
}

impl Frame for FromMachine {
    fn check(&self) -> Result<(), FrameError> {
        Ok(())
    }
}

impl Frame for ToMachine {
    fn check(&self) -> Result<(), FrameError> {
        Ok(())
    }
}

impl fmt::Debug for FromMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Join { version, facts, .. } => {
                f.debug_struct("Join").field("version", version).field("facts", facts).finish_non_exhaustive()
            }
            Self::Hello { version, machine, facts, nodes, .. } => f
                .debug_struct("Hello")
                .field("version", version)
                .field("machine", machine)
                .field("facts", facts)
                .field("nodes", nodes)
                .finish_non_exhaustive(),
            Self::Done { number, .. } => f.debug_struct("Done").field("number", number).finish_non_exhaustive(),
            Self::Failed { number, reason } => {
                f.debug_struct("Failed").field("number", number).field("reason", reason).finish()
            }
            Self::Beat => f.write_str("Beat"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{decode, encode};

    #[test]
    fn frames_read_back_and_hide_secrets() {
        let facts = MachineFacts { name: "far".into(), cpu: 4, mem_gb: 8, slots: 2 };
        let (token, credential) = ("s3cret".to_owned(), "s3cret".to_owned());
        let frames = [
            FromMachine::Join { version: VERSION, token, credential: credential.clone(), facts: facts.clone() },
            FromMachine::Hello { version: VERSION, machine: MachineId::FIRST, credential, facts, nodes: vec![] },
            FromMachine::Failed { number: 7, reason: "no".into() },
            FromMachine::Beat,
        ];
        for frame in frames {
            assert!(!format!("{frame:?}").contains("s3cret"));
            assert_eq!(decode::<FromMachine>(&encode(&frame).unwrap()).unwrap(), frame);
        }
        let ask = ToMachine::Do { number: 1, node: NodeId::FIRST, deed: Deed::Create { slots: 2 } };
        assert!(decode::<ToMachine>(&encode(&ask).unwrap()).is_ok_and(|read| read == ask));
    }
}
