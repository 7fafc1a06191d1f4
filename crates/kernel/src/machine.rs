//! A machine that joined: somebody runs an agent on it, and it can be attached to an environment as a node.

use serde::{Deserialize, Serialize};

use crate::id::MachineId;
use crate::time::Timestamp;

/// The type of a node that is an attached machine.
pub const ATTACHED_KIND: &str = "attached";

/// A machine as it is known. Which node it is, the nodes tell ([`State::node_on`](crate::state::State::node_on)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its id.
    pub id: MachineId,
    /// Digest of the secret that its agent shows.
    pub credential: String,
    /// What it says of itself.
    pub facts: MachineFacts,
    /// When it joined.
    pub joined: Timestamp,
    /// When it last connected.
    pub seen: Timestamp,
}

/// What a machine says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineFacts {
    /// Its name.
    pub name: String,
    /// Cores.
    pub cpu: u32,
    /// Memory in GiB.
    pub mem_gb: u32,
    /// Instances at once.
    pub slots: u32,
}
