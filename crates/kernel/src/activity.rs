//! An activity: the making or the end of a node of an environment, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{ActivityId, EnvId, MachineId, NodeId};
use crate::time::Timestamp;

/// Which activity: a node is made once and ends once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActivityKey {
    /// The node.
    pub node: NodeId,
    /// What happens to it.
    pub kind: ActivityKind,
}

/// What happens to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActivityKind {
    /// It is made.
    CreateComputeNode,
    /// It is destroyed, or given back to whom it belongs.
    TerminateComputeNode,
}

impl ActivityKind {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreateComputeNode => "CREATE_COMPUTE_NODE",
            Self::TerminateComputeNode => "TERMINATE_COMPUTE_NODE",
        }
    }
}

/// How far an activity has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActivityState {
    /// Ordered.
    Submitted,
    /// Under way.
    Processing,
    /// Done.
    Succeed,
    /// Not done, and it will not be.
    Failed,
}

impl ActivityState {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Processing => "PROCESSING",
            Self::Succeed => "SUCCEED",
            Self::Failed => "FAILED",
        }
    }

    /// Whether nothing follows.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Succeed | Self::Failed)
    }
}

/// An activity as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its id.
    pub id: ActivityId,
    /// Which one.
    pub key: ActivityKey,
    /// The node's environment.
    pub env: EnvId,
    /// The machine under the node.
    pub machine: MachineId,
    /// Why it was begun.
    pub cause: String,
    /// How far it has come.
    pub state: ActivityState,
    /// Why it failed; empty otherwise.
    pub reason: String,
    /// When it was begun.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// What makes nodes come and go: the command that is being decided, as activities tell it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Cause {
    /// An environment was made with so many nodes.
    CreateEnv(u64),
    /// An environment got another number of nodes: from, to.
    ModifyEnv(u64, u64),
    /// An environment was deleted.
    DeleteEnv,
    /// Somebody ended nodes.
    TerminateNodes,
    /// Machines were attached.
    Attach,
    /// Machines were detached.
    Detach,
    /// This node failed and is made anew.
    Recreate(NodeId),
    /// Something else.
    #[default]
    Other,
}

impl Cause {
    /// The text of an activity of this kind.
    pub(crate) fn text(&self, key: ActivityKey) -> String {
        let ActivityKey { node, kind } = key;
        let create = kind == ActivityKind::CreateComputeNode;
        match self {
            Self::CreateEnv(desired) => format!("CreateComputeEnv: the capacity is {desired}"),
            Self::ModifyEnv(from, to) => {
                let way = if to > from { "increase" } else { "decrease" };
                format!("ModifyComputeEnv: {way} the capacity from {from} to {to}")
            }
            Self::Attach => format!("AttachInstances {node}"),
            Self::Detach => format!("DetachInstances {node}"),
            Self::DeleteEnv => "DeleteComputeEnv".to_owned(),
            Self::TerminateNodes if !create => format!("TerminateComputeNodes {node}"),
            Self::Recreate(failed) => format!("RecreateComputeNode {failed}"),
            Self::TerminateNodes | Self::Other if create => format!("CreateComputeNode {node}"),
            _ => format!("TerminateComputeNode {node}"),
        }
    }
}

impl fmt::Display for ActivityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
