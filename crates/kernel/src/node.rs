//! A compute node: a process on some machine that runs instances.

use imbl::OrdSet;
use serde::{Deserialize, Serialize};

use crate::id::{EnvId, MachineId, NodeId};
use crate::instance::InstanceKey;
use crate::limits;
use crate::time::Timestamp;

/// A node as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// The machine under it.
    pub machine: MachineId,
    /// Whether that machine was attached to the environment: it is nobody's here to make or destroy.
    pub attached: bool,
    /// The environment it belongs to.
    pub env: EnvId,
    /// Its state.
    pub stage: NodeStage,
    /// Its instance type's name.
    pub kind: String,
    /// Instances it runs at once.
    pub slots: u32,
    /// Cores.
    pub cpu: u32,
    /// Memory in GiB.
    pub mem_gb: u32,
    /// When it was asked for.
    pub created: Timestamp,
    /// When its machine was there.
    pub resource_created: Option<Timestamp>,
    /// When it last became RUNNING.
    pub running: Option<Timestamp>,
    /// How often this node's place has been filled anew.
    pub recreations: u64,
    /// Version of its agent; empty before it reports.
    pub agent_version: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// How its runs are bounded and ended, in a line for people; empty before its agent reports.
    pub limits: String,
    /// Why it is in its state; empty when there is nothing to say.
    pub reason: String,
    /// Whether somebody has asked that it be given no instances. It keeps those that have begun.
    pub drained: bool,
    /// What is done to it once it holds no instance; until then it is given none.
    pub then: Option<Then>,
    /// Instances it holds. Rebuilt from the instances' rows when state is loaded.
    pub held: OrdSet<InstanceKey>,
    /// Instances that failed on it and for which it is kept: FAILED_INTERRUPTED. Rebuilt as well.
    pub kept: OrdSet<InstanceKey>,
    /// How long its runs take, a moving mean in milliseconds; `None` before the first ended. Not stored.
    pub run_ms: Option<u64>,
}

/// What is done to a node once it holds no instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It is destroyed.
    Destroy,
    /// Its agent is started anew.
    Restart,
}

/// State of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum NodeStage {
    /// Wanted, not before this time.
    Submitted {
        /// End of the pause before it is made anew.
        not_before: Timestamp,
    },
    /// Its provider is making it.
    Creating,
    /// Made; its agent has not reported yet.
    Created,
    /// Could not be made.
    CreationFailed,
    /// Its agent reports.
    Running,
    /// Its agent is being ended, to be started anew.
    Restarting,
    /// Its agent is gone or silent.
    Abnormal,
    /// Being destroyed.
    Deleting,
}

impl NodeStage {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted { .. } => "SUBMITTED",
            Self::Creating => "CREATING",
            // As one whose agent has not reported yet; Tencent has no word of its own for it.
            Self::Created | Self::Restarting => "CREATED",
            Self::CreationFailed => "CREATION_FAILED",
            Self::Running => "RUNNING",
            Self::Abnormal => "ABNORMAL",
            Self::Deleting => "DELETING",
        }
    }
}

impl Node {
    /// Whether it may be given instances.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.stage == NodeStage::Running && self.then.is_none() && !self.drained && self.kept.is_empty()
    }

    /// Slots without an instance. 0 unless it may be given some.
    #[must_use]
    pub fn free_slots(&self) -> usize {
        if self.is_open() { (self.slots as usize).saturating_sub(self.held.len()) } else { 0 }
    }

    /// How many more instances it may be given, with those ahead of its slots. Only a node whose runs are short is
    /// given work ahead, and only so much that what waits there starts within [`limits::NODE_AHEAD_MS`].
    #[must_use]
    pub fn room(&self) -> usize {
        if !self.is_open() {
            return 0;
        }
        let slots = self.slots as usize;
        let ahead = self.run_ms.map_or(0, |run_ms| {
            let fits = limits::NODE_AHEAD_MS * u64::from(self.slots) / run_ms.max(1);
            usize::try_from(fits).unwrap_or(usize::MAX).min(limits::NODE_AHEAD)
        });
        (slots + ahead).saturating_sub(self.held.len())
    }

    /// Takes the length of a run into the mean.
    pub fn learn_run(&mut self, run_ms: u64) {
        self.run_ms = Some(self.run_ms.map_or(run_ms, |mean| mean.saturating_mul(3).saturating_add(run_ms) / 4));
    }
}
