//! A task: many instances of one command.

use serde::{Deserialize, Serialize};

use crate::id::JobId;
use crate::phase::{Counts, Phase};
use crate::ranges::Ranges;
use crate::time::Timestamp;

/// Which task: its job and its position in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskKey {
    /// The job.
    pub job: JobId,
    /// Position in the job's list of tasks.
    pub task: u32,
}

/// A task as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Which one.
    pub key: TaskKey,
    /// Its state.
    pub phase: Phase,
    /// When its job was submitted.
    pub created: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why it is in its state; empty when there is nothing to say.
    pub reason: String,
    /// Whether one of its instances has been RUNNING.
    pub has_run: bool,
    /// Its instances by state, with those that have no row of their own.
    pub instances: Counts,
    /// Instances that have not left the state they all began in, and have no rows: PENDING before the task is
    /// ready, RUNNABLE after.
    pub bulk: Ranges,
    /// What is to be done to all its unfinished instances; a loop carries it out in chunks.
    pub intent: Option<Intent>,
    /// Failed instances that are to go back into `bulk`, after somebody retried the job; a loop carries it out in
    /// chunks.
    pub redo: Option<Redo>,
    /// The highest number of an attempt among the instances that went back into `bulk`: later attempts get higher
    /// ones, so that none is given twice.
    pub attempts: u32,
}

impl Task {
    /// The state of the instances in `bulk`.
    #[must_use]
    pub fn bulk_phase(&self) -> Phase {
        if self.phase == Phase::Pending { Phase::Pending } else { Phase::Runnable }
    }

    /// Whether a row of an instance in this state, with this index, waits for its turn to be run again.
    #[must_use]
    pub fn redoes(&self, index: u32, phase: Phase) -> bool {
        phase == Phase::Failed && self.redo.is_some_and(|redo| index >= redo.from)
    }
}

/// Failed instances that are to be run again as if they never had been. They are counted by the state they go to
/// already; their rows say FAILED until their turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redo {
    /// Those from this index on have not had their turn.
    pub from: u32,
    /// How many they are.
    pub left: u64,
}

/// What is to be done to all unfinished instances of a task: they fail, for this reason. Running ones are ended
/// first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Intent {
    /// Somebody terminated the job.
    Terminate,
    /// A task before it ended in a way that keeps this one from ever starting.
    DependenceUnmet {
        /// The name of that task.
        task: String,
    },
    /// Its environment was deleted.
    ComputeEnvDeleted,
}

impl Intent {
    /// The StateReason of what it ends.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Terminate => "Terminated".to_owned(),
            Self::DependenceUnmet { task } => format!("DependenceUnmet: {task}"),
            Self::ComputeEnvDeleted => "ComputeEnvDeleted".to_owned(),
        }
    }
}
