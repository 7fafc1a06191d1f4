//! The audit trail: who had what done.
//!
//! What a caller has done is told to one topic of the installation, in the same commit.

use crate::event::EventId;
use crate::time::Timestamp;

/// A call by which something is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The public half of the caller's key pair.
    pub secret_id: String,
    /// Where it came from, as far as that is known.
    pub address: String,
    /// The product of the API, such as `batch`.
    pub product: &'static str,
    /// The action.
    pub action: &'static str,
    /// What it names: `topic jobs`, `environment env-00000001`.
    pub targets: Vec<String>,
}

/// A call that has changed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// The event's id.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What was called, and by whom.
    pub call: Call,
    /// The id of what the call made, if it made anything.
    pub made: Option<String>,
}
