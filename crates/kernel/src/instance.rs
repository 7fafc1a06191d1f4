//! A task instance: one of the runs a task is made of, with its attempts.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{EnvId, JobId, MachineId, NodeId};
use crate::phase::Phase;
use crate::task::TaskKey;
use crate::time::Timestamp;

/// Which instance: its task and its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceKey {
    /// The job.
    pub job: JobId,
    /// Position of the task in the job.
    pub task: u32,
    /// Index in the task, from 0.
    pub index: u32,
}

impl InstanceKey {
    /// The least key.
    pub const FIRST: Self = Self { job: JobId::FIRST, task: 0, index: 0 };
    /// The greatest key.
    pub const LAST: Self = Self { job: JobId::LAST, task: u32::MAX, index: u32::MAX };

    /// The task it belongs to.
    #[must_use]
    pub fn task_key(self) -> TaskKey {
        TaskKey { job: self.job, task: self.task }
    }
}

/// One attempt of an instance, as servers and nodes name it to each other. A report of an attempt that is no longer
/// the current one is refused, not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId {
    /// The job.
    pub job: JobId,
    /// Position of the task in the job.
    pub task: u32,
    /// Index in the task, from 0.
    pub index: u32,
    /// From 1.
    pub attempt: u32,
}

impl RunId {
    /// The instance it is an attempt of.
    #[must_use]
    pub fn instance(self) -> InstanceKey {
        InstanceKey { job: self.job, task: self.task, index: self.index }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.job, self.task, self.index, self.attempt)
    }
}

/// An instance that has left its task's bulk state.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Which one.
    pub key: InstanceKey,
    /// Where it stands, with what that state knows.
    pub stage: Stage,
    /// Number of the current or last attempt, from 1; 0 when it ended without one. An attempt that a node gave back
    /// before it began keeps its number, so it may be more than the failures and one.
    pub attempt: u32,
    /// How many attempts have failed.
    pub failures: u32,
    /// When its job was submitted.
    pub created: Timestamp,
    /// When the current or last attempt was given to a node.
    pub launched: Option<Timestamp>,
    /// When its command started.
    pub running: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Exit code of the last run: 128 and the signal's number when a signal ended it.
    pub exit_code: Option<i32>,
    /// Why it is in its state; empty when there is nothing to say.
    pub reason: String,
    /// The node of the current or last attempt.
    pub node: Option<NodeId>,
    /// The machine under that node.
    pub machine: Option<MachineId>,
    /// The environment of that node.
    pub env: Option<EnvId>,
}

/// Where an instance stands. A waiting one is RUNNABLE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// Waits for a place, not before this time.
    Waiting {
        /// End of the pause after a failed attempt.
        not_before: Timestamp,
    },
    /// A node has it.
    Held {
        /// The node.
        node: NodeId,
        /// Whether its command has started.
        started: bool,
        /// What the node has been asked to do with it.
        asked: Asked,
    },
    /// Ended well.
    Succeed,
    /// Ended otherwise.
    Failed,
    /// Ended otherwise, and its node is kept.
    FailedInterrupted,
}

/// What a node has been asked to do with an instance it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// To run it.
    Run,
    /// To give it back if it has not started.
    Return,
    /// To end it.
    Kill,
}

impl Instance {
    /// Its state word.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.stage {
            Stage::Waiting { .. } => Phase::Runnable,
            Stage::Held { started: false, .. } => Phase::Starting,
            Stage::Held { started: true, .. } => Phase::Running,
            Stage::Succeed => Phase::Succeed,
            Stage::Failed => Phase::Failed,
            Stage::FailedInterrupted => Phase::FailedInterrupted,
        }
    }

    /// Its current attempt, as nodes know it.
    #[must_use]
    pub fn run(&self) -> RunId {
        RunId { job: self.key.job, task: self.key.task, index: self.key.index, attempt: self.attempt }
    }

    /// The node that holds it.
    #[must_use]
    pub fn holder(&self) -> Option<NodeId> {
        match self.stage {
            Stage::Held { node, .. } => Some(node),
            _ => None,
        }
    }
}
