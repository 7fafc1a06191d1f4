//! Why tasks do not run: one answer for JOB_BLOCKED and for whoever asks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::EnvId;
use crate::instance::{Asked, Stage};
use crate::job::Job;
use crate::node::NodeStage;
use crate::phase::Phase;
use crate::state::State;
use crate::task::{Intent, Task};
use crate::time::Timestamp;

/// Why those instances of a task that do not run do not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Why {
    /// Nothing is left to be run.
    Finished,
    /// It failed, and its nodes are kept for a look.
    Interrupted,
    /// What is left of it is being ended.
    Terminating,
    /// It waits for tasks before it, or will never start because of one.
    Dependence,
    /// Its environment is gone, or is going.
    ComputeEnvDeleted,
    /// Its failed instances are being made ready to run again.
    Retrying,
    /// As many instances run as its `MaxConcurrentNum` allows.
    Quota,
    /// The pause after a failed attempt is not over.
    RetryPause,
    /// No node of its environment is there to take instances.
    NoNode,
    /// Nodes of its environment could not be made.
    TypeUnavailable,
    /// All slots of its environment are taken.
    NodesBusy,
    /// A node has room; it gets its place with the next commit.
    Due,
    /// Nodes have its instances and are about to start them.
    Starting,
    /// All that is left of it runs.
    Running,
}

impl Why {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "Finished",
            Self::Interrupted => "Interrupted",
            Self::Terminating => "Terminating",
            Self::Dependence => "Dependence",
            Self::ComputeEnvDeleted => "ComputeEnvDeleted",
            Self::Retrying => "Retrying",
            Self::Quota => "Quota",
            Self::RetryPause => "RetryPause",
            Self::NoNode => "NoNode",
            Self::TypeUnavailable => "TypeUnavailable",
            Self::NodesBusy => "NodesBusy",
            Self::Due => "Due",
            Self::Starting => "Starting",
            Self::Running => "Running",
        }
    }

    /// Whether an instance seeks a place and there is none.
    #[must_use]
    pub fn lacks_place(self) -> bool {
        matches!(self, Self::NoNode | Self::TypeUnavailable | Self::NodesBusy)
    }
}

/// Why a task does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskWhy {
    /// Its position in the job.
    pub task: u32,
    /// Its name.
    pub name: String,
    /// Its state.
    pub phase: Phase,
    /// In a word.
    pub why: Why,
    /// In a sentence.
    pub detail: String,
    /// When that ends by itself, if that is known.
    pub until: Option<Timestamp>,
}

/// A job, and why its tasks do not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The job's state.
    pub phase: Phase,
    /// Why it is in it.
    pub reason: String,
    /// Whether it is being terminated.
    pub terminating: bool,
    /// Its tasks, in order.
    pub tasks: Vec<TaskWhy>,
}

/// Why the tasks of `job` do not run, as things stand at `now`.
#[must_use]
pub fn explain(state: &State, job: &Job, now: Timestamp) -> Explained {
    let mut places = BTreeMap::new();
    let tasks = state.tasks_of(job.id).filter_map(|task| {
        let spec = job.spec.tasks.get(task.key.task as usize)?;
        let mut found = of_task(state, job, task, now);
        if found.why == Why::Due {
            // The same for all tasks of an environment, and it may have many nodes.
            let env = || match state.env(spec.env) {
                None if spec.own.is_some() => (Why::NoNode, "its own nodes are yet to be made".to_owned(), None),
                _ => of_env(state, spec.env, now),
            };
            let (why, detail, until) = places.entry(spec.env).or_insert_with(env).clone();
            found = Found { why, detail: format!("{}; {detail}", waiting(task)), until };
        }
        let Found { why, detail, until } = found;
        Some(TaskWhy { task: task.key.task, name: spec.name.clone(), phase: task.phase, why, detail, until })
    });
    Explained { phase: job.phase, reason: job.reason.clone(), terminating: job.terminating, tasks: tasks.collect() }
}

struct Found {
    why: Why,
    detail: String,
    until: Option<Timestamp>,
}

/// What the task itself tells. [`Why::Due`]: it lacks nothing but a place.
fn of_task(state: &State, job: &Job, task: &Task, now: Timestamp) -> Found {
    let found = |why, detail: String| Found { why, detail, until: None };
    if task.phase.is_finished() {
        return found(Why::Finished, task.reason.clone());
    }
    if task.phase == Phase::FailedInterrupted {
        return found(Why::Interrupted, "the nodes of its failed instances are kept until it is terminated".into());
    }
    let open = task.instances.total() - task.instances.of(Phase::Succeed) - task.instances.of(Phase::Failed);
    match &task.intent {
        Some(Intent::Terminate) => return found(Why::Terminating, format!("{} left to be ended", count(open))),
        Some(Intent::DependenceUnmet { task }) => {
            return found(Why::Dependence, format!("task `{task}` ended in a way that keeps it from ever starting"));
        }
        Some(Intent::ComputeEnvDeleted) => {
            return found(Why::ComputeEnvDeleted, format!("{} left to fail", count(open)));
        }
        None => {}
    }
    if task.phase == Phase::Pending {
        return found(Why::Dependence, format!("waits for {}", predecessors(state, job, task)));
    }
    if task.instances.of(Phase::Runnable) == 0 {
        return active(state, task);
    }
    let spec = job.spec.tasks.get(task.key.task as usize);
    let most = spec.and_then(|spec| spec.max_concurrent);
    if let Some(most) = most.filter(|most| task.instances.active() >= *most) {
        return found(Why::Quota, format!("{}; MaxConcurrentNum is {most}", waiting(task)));
    }
    if state.next_waiting(task.key).is_some() {
        return found(Why::Due, String::new());
    }
    if let Some(redo) = task.redo {
        return found(Why::Retrying, format!("{} still to be made ready", count(redo.left)));
    }
    let until = state.index.pausing.iter().find(|(_, key)| key.task_key() == task.key).map(|(until, _)| *until);
    let detail = format!("{}; the pause after a failed attempt is not over", waiting(task));
    Found { why: Why::RetryPause, detail, until: until.filter(|until| *until > now) }
}

/// A task whose unfinished instances all have a place.
fn active(state: &State, task: &Task) -> Found {
    let (starting, running) = (task.instances.of(Phase::Starting), task.instances.of(Phase::Running));
    if starting == 0 {
        return Found { why: Why::Running, detail: format!("{} run", count(running)), until: None };
    }
    let asked = |wanted| {
        let rows = state.instances_of(task.key);
        rows.filter(|row| matches!(row.stage, Stage::Held { started: false, asked, .. } if asked == wanted)).count()
    };
    let mut detail = format!("nodes have {}, behind instances that run or about to start", count(starting));
    for (wanted, what) in [(Asked::Return, "asked back for an idle node"), (Asked::Kill, "to be ended")] {
        let asked = asked(wanted);
        if asked > 0 {
            detail = format!("{detail}; {asked} of them {what}");
        }
    }
    Found { why: Why::Starting, detail, until: None }
}

fn predecessors(state: &State, job: &Job, task: &Task) -> String {
    let before: Vec<String> = job
        .predecessors(task.key.task)
        .filter_map(|number| {
            let key = crate::task::TaskKey { job: job.id, task: number };
            let before = state.task(key).filter(|before| !before.phase.is_finished())?;
            Some(format!("`{}` ({})", job.spec.tasks.get(number as usize)?.name, before.phase))
        })
        .collect();
    let shown = before.iter().take(SHOWN_TASKS).map(String::as_str).collect::<Vec<_>>().join(", ");
    if before.len() > SHOWN_TASKS { format!("{shown} and {} more", before.len() - SHOWN_TASKS) } else { shown }
}

/// Tasks before one that a detail names.
const SHOWN_TASKS: usize = 8;

/// Why an environment has no place.
fn of_env(state: &State, id: EnvId, now: Timestamp) -> (Why, String, Option<Timestamp>) {
    let Some(env) = state.env(id).filter(|env| !env.deleting) else {
        return (Why::ComputeEnvDeleted, format!("compute environment {id} is gone or is being deleted"), None);
    };
    let whose = match env.owner {
        None => format!("compute environment {id}"),
        Some(_) => "the task's own".to_owned(),
    };
    let (mut slots, mut held, mut room) = (0, 0, false);
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut failure, mut next) = (None, None);
    for node in state.nodes_of(id) {
        match node.stage {
            NodeStage::Running if !node.kept.is_empty() => {
                *others.entry("kept for what failed there").or_default() += 1;
                continue;
            }
            NodeStage::Running if node.drained => {
                *others.entry("drained").or_default() += 1;
                continue;
            }
            NodeStage::Running => {
                (slots, held) = (slots + node.slots as usize, held + node.held.len());
                room |= node.room() > 0;
                continue;
            }
            NodeStage::CreationFailed => failure = Some(node.reason.clone()),
            NodeStage::Submitted { not_before } if not_before > now => {
                next = Some(next.map_or(not_before, |next: Timestamp| next.min(not_before)));
            }
            _ => {}
        }
        *others.entry(node.stage.as_str()).or_default() += 1;
    }
    if room {
        return (Why::Due, format!("{whose} has a place"), None);
    }
    if slots > 0 {
        return (Why::NodesBusy, format!("nodes of {whose} hold {held} with {slots} slots"), None);
    }
    if let Some(failure) = failure {
        return (Why::TypeUnavailable, format!("a node of {whose} could not be made: {failure}"), next);
    }
    let others: Vec<String> = others.iter().map(|(stage, count)| format!("{count} {stage}")).collect();
    let detail = if others.is_empty() && env.owner.is_some() {
        "no place is free for a node of the task's own".to_owned()
    } else if others.is_empty() {
        format!("compute environment {id} is to have {} nodes and has none", env.desired)
    } else {
        format!("no node of {whose} is RUNNING and takes instances: {}", others.join(", "))
    };
    (Why::NoNode, detail, next)
}

fn waiting(task: &Task) -> String {
    format!(
        "{} for a place",
        match task.instances.of(Phase::Runnable) {
            1 => "1 instance waits".to_owned(),
            many => format!("{many} instances wait"),
        }
    )
}

fn count(instances: u64) -> String {
    if instances == 1 { "1 instance".to_owned() } else { format!("{instances} instances") }
}
