//! A job: a graph of tasks, and what became of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::environment::NodeType;
use crate::event::{EventName, Notification, Outlets};
use crate::explain::Why;
use crate::id::{EnvId, JobId};
use crate::phase::{Counts, Phase};
use crate::setup::Setup;
use crate::time::Timestamp;

/// What was submitted, checked: names are unique, edges name tasks and make no cycle, topics exist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Its name; may be empty.
    pub name: String,
    /// Its description; may be empty.
    pub description: String,
    /// 0 to 100; higher goes first.
    pub priority: u64,
    /// The tasks, in the order given. A task's position is its number.
    pub tasks: Vec<TaskSpec>,
    /// Edges (first, then): the second task waits for the first.
    pub dependences: Vec<(u32, u32)>,
    /// When an edge is satisfied.
    pub depend_on: DependOn,
    /// What becomes of the instances of tasks with nodes of their own for which a node cannot be made.
    pub if_not_created: IfNotCreated,
    /// Which events go to which topics.
    pub notifications: Vec<Notification>,
    /// Tags, as pairs of key and value.
    pub tags: Vec<(String, String)>,
    /// The zone it was submitted to.
    pub zone: String,
    /// The request as it was sent, as JSON text, for those who ask for it again.
    pub document: String,
}

/// When the edge from one task to another is satisfied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DependOn {
    /// The first task has succeeded.
    #[default]
    PreTaskSucceed,
    /// The first task has ended, and one of its instances succeeded.
    PreTaskAtLeastPartlySucceed,
    /// The first task has ended.
    PreTaskFinished,
}

impl DependOn {
    /// Whether a predecessor that has ended with these counts satisfies the edge.
    #[must_use]
    pub fn satisfied(self, ended: &Counts) -> bool {
        match self {
            Self::PreTaskSucceed => ended.of(Phase::Succeed) == ended.total(),
            Self::PreTaskAtLeastPartlySucceed => ended.of(Phase::Succeed) > 0,
            Self::PreTaskFinished => true,
        }
    }
}

/// What a task is to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// Unique in its job.
    pub name: String,
    /// The command line, for `/bin/sh -c`.
    pub command: String,
    /// The environment it runs on; of a task with nodes of its own, the one that is made for it, drawn by `decide`.
    pub env: EnvId,
    /// What its own nodes are to be; `None`: it runs on an environment that somebody made.
    pub own: Option<OwnNodes>,
    /// Whether a node is restarted after each of its runs. Only on an environment that somebody made.
    pub restart_node: bool,
    /// How many instances; at least 1.
    pub instances: u32,
    /// How many more runs a failing instance gets.
    pub retries: u64,
    /// Longest run, in seconds.
    pub timeout_s: u64,
    /// Most instances at once; `None`: no bound.
    pub max_concurrent: Option<u64>,
    /// Environment variables, in order.
    pub env_vars: Vec<(String, String)>,
    /// What surrounds the command.
    #[serde(default, skip_serializing_if = "Setup::is_empty")]
    pub setup: Setup,
}

/// Nodes that are made for a task, and gone after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnNodes {
    /// Instance types, in the order they are tried.
    pub instance_types: Vec<NodeType>,
    /// What becomes of a node on which a run failed.
    pub failed_action: FailedAction,
    /// How often the making of a node is tried again before that counts as a failed run.
    pub creation_retries: u64,
}

/// What becomes of a node of a task's own on which a run failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailedAction {
    /// It is destroyed; the next attempt gets another one.
    #[default]
    Terminate,
    /// The same, but the last attempt's is kept.
    Interrupt,
    /// It is kept, and no attempt follows.
    FastInterrupt,
}

/// What becomes of an instance for which no node can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IfNotCreated {
    /// A run of it has failed.
    #[default]
    Failed,
    /// It waits on.
    Runnable,
}

/// A job as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What was submitted.
    pub spec: Arc<JobSpec>,
    /// Its state.
    pub phase: Phase,
    /// When it was submitted.
    pub created: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why it is in its state; empty when there is nothing to say.
    pub reason: String,
    /// Whether its termination has been ordered: NextAction is TERMINATING until it ends.
    pub terminating: bool,
    /// Whether one of its tasks has been RUNNING.
    pub has_run: bool,
    /// Its tasks by state.
    pub tasks: Counts,
    /// Its instances by state.
    pub instances: Counts,
    /// Why nothing of it runs, as JOB_BLOCKED told it last: tasks and reasons. Empty again once something runs.
    pub blocked: Vec<(u32, Why)>,
    /// How many events each topic has had of it.
    pub outlets: Outlets,
}

impl JobSpec {
    /// Whether somebody is to be told of such events.
    #[must_use]
    pub fn asks_for(&self, name: EventName) -> bool {
        self.notifications.iter().any(|one| one.events.iter().any(|config| config.name == name))
    }
}

impl Job {
    /// Numbers of the tasks that wait for `task`.
    pub fn successors(&self, task: u32) -> impl Iterator<Item = u32> + '_ {
        self.spec.dependences.iter().filter(move |(first, _)| *first == task).map(|(_, then)| *then)
    }

    /// Numbers of the tasks that `task` waits for.
    pub fn predecessors(&self, task: u32) -> impl Iterator<Item = u32> + '_ {
        self.spec.dependences.iter().filter(move |(_, then)| *then == task).map(|(first, _)| *first)
    }
}
