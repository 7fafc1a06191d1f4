//! Control groups: what bounds the runs of a node, and what finds every process of a run again, whatever it did to its
//! process group and its session.
//!
//! A node has one group of its own in each hierarchy that it uses, `herald.<process id>.<start time>` of its agent.
//! *Where its type has limits*, the node's group bears them, and below it each run has a group `run-<n>` with its
//! share, one slot's part. The run's own first line of shell enters it ([`RunGroup::wrap`]): what enters later could
//! have left children outside. Groups are used again, since making them costs more than a short run does.
//! *Where it has none*, as on the machine itself, the agent puts itself into the node's group, and all runs are born
//! there, which costs a run next to nothing; what a run left behind is told apart by what else is known of it ([`strays`]).
//!
//! Version 2 has one hierarchy for everything; in version 1 each controller may have its own. A machine may have both,
//! and then processes are tracked in version 2, where a group can be killed as a whole, and bounded in version 1.

mod controllers;
mod group;
mod hierarchies;
mod kill;
mod strays;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::config::NodeLimits;
use crate::limits::KILLED_GONE;
use controllers::{Bounds, Controller, Kind};
use hierarchies::Hierarchies;
use strays::Watched;

pub(crate) use group::RunGroup;
pub(crate) use strays::{Answers, Known};

/// The groups of a node.
#[derive(Debug)]
pub(crate) struct Groups {
    /// The node's group in each hierarchy that is used; the first is where processes are tracked.
    node: Vec<PathBuf>,
    mode: Mode,
    facts: String,
}

#[derive(Debug)]
enum Mode {
    /// There is nothing but process groups.
    None,
    /// Runs are born where the agent is; before, it was there.
    Born { before: PathBuf, watched: Watched },
    /// Each run has a group with its share.
    Shared(Shares),
}

/// What a run gets, and the groups for it.
#[derive(Debug)]
struct Shares {
    controllers: Vec<Controller>,
    share: Bounds,
    names: Mutex<Names>,
}

/// Names of runs' groups.
#[derive(Debug, Default)]
struct Names {
    /// Groups that are there and that no run uses.
    free: Vec<u32>,
    last: u32,
}

impl Groups {
    /// The groups of the node that this process, with this id and start time, is the agent of. Whatever cannot be had
    /// is said, here and in [`Groups::facts`].
    pub(crate) fn open(pid: i32, started: u64, limits: Option<&NodeLimits>, slots: u32) -> Self {
        let groups = Hierarchies::find().map(|found| {
            kill::remove_abandoned(found.all());
            Self::open_in(&found, &format!("herald.{pid}.{started}"), limits, slots)
        });
        let groups = groups.unwrap_or_else(|error| Self::none(&format!("the groups cannot be found: {error}"), limits));
        if limits.is_some() && groups.bounded().len() < Kind::ALL.len() {
            tracing::warn!(limits = groups.facts, "not all limits of the instance type hold on this machine");
        } else {
            tracing::info!(limits = groups.facts, "how the runs of this node are bounded and ended");
        }
        groups
    }

    fn open_in(found: &Hierarchies, name: &str, limits: Option<&NodeLimits>, slots: u32) -> Self {
        let opened = match limits {
            Some(limits) => Self::open_shared(found, name, limits, slots),
            None => Self::open_born(found, name),
        };
        opened.unwrap_or_else(|error| Self::none(&error.to_string(), limits))
    }

    fn open_born(found: &Hierarchies, name: &str) -> io::Result<Self> {
        let before = found.tracking().ok_or_else(none_there)?.to_owned();
        let node = before.join(name);
        make(&node)?;
        if let Err(error) = enter(&node) {
            let _ = fs::remove_dir(&node);
            return Err(error);
        }
        let watched = Watched::open(&node)?;
        let facts = format!("no limits; what a run leaves behind is found by its cgroup ({})", found.version(&node));
        Ok(Self { node: vec![node], mode: Mode::Born { before, watched }, facts })
    }

    fn open_shared(found: &Hierarchies, name: &str, limits: &NodeLimits, slots: u32) -> io::Result<Self> {
        let (base, controllers) = controllers::find(found);
        let tracking = if controllers.iter().any(|one| one.is_v2()) { base } else { found.tracking().map(Into::into) };
        let mut node: Vec<PathBuf> = tracking.iter().map(|folder: &PathBuf| folder.join(name)).collect();
        for controller in &controllers {
            let folder = controller.base().join(name);
            if !node.contains(&folder) {
                node.push(folder);
            }
        }
        let controllers: Vec<Controller> = controllers.into_iter().map(|one| one.below(name)).collect();
        let first = node.first().ok_or_else(none_there)?;
        let facts = facts(&controllers, found.version(first));
        let made = node.iter().try_for_each(|folder| make(folder)).and_then(|()| {
            controllers::pass_on(&controllers)?;
            let whole = Bounds::of(limits);
            controllers.iter().try_for_each(|controller| controller.limit(controller.base(), &whole))
        });
        if let Err(error) = made {
            node.iter().for_each(|folder| kill::remove(folder));
            return Err(error);
        }
        let share = Bounds::of(limits).share(slots);
        Ok(Self { node, mode: Mode::Shared(Shares { controllers, share, names: Mutex::default() }), facts })
    }

    fn none(why: &str, limits: Option<&NodeLimits>) -> Self {
        let what = if limits.is_some() { "the instance type's limits do not hold" } else { "no limits" };
        let facts = format!("{what}; no cgroup ({why}): runs are ended by process group, and measured by process");
        Self { node: Vec::new(), mode: Mode::None, facts }
    }

    /// What there is, in a line for people.
    pub(crate) fn facts(&self) -> &str {
        &self.facts
    }

    /// The node's groups: whoever finds the agent dead kills what is in them.
    pub(crate) fn node(&self) -> &[PathBuf] {
        &self.node
    }

    fn bounded(&self) -> Vec<Kind> {
        match &self.mode {
            Mode::Shared(shares) => shares.controllers.iter().map(Controller::kind).collect(),
            Mode::None | Mode::Born { .. } => Vec::new(),
        }
    }

    /// A group for a run that begins; `None` where runs have none of their own.
    pub(crate) fn claim(&self) -> io::Result<Option<RunGroup>> {
        let Mode::Shared(shares) = &self.mode else { return Ok(None) };
        let tracking = self.node.first().expect("a node with shares has a group");
        let free = shares.names.lock().expect("no panic while held").free.pop();
        if let Some(number) = free {
            return Ok(Some(RunGroup::again(number, tracking, &shares.controllers, &shares.share)));
        }
        let number = {
            let mut names = shares.names.lock().expect("no panic while held");
            names.last += 1;
            names.last
        };
        RunGroup::make(number, tracking, &shares.controllers, &shares.share).map(Some)
    }

    /// A run is over: kills what is left of it, and returns when that is gone. Whether memory ran out in its group.
    pub(crate) fn settle(&self, group: Option<&RunGroup>, answers: &impl Answers) -> bool {
        match (&self.mode, group) {
            (Mode::Shared(_), Some(group)) => {
                let ran_out = group.ran_out_of_memory();
                let clean = group.end(KILLED_GONE);
                self.give_back(group, clean);
                ran_out
            }
            (Mode::Born { watched, .. }, _) => {
                let until = Instant::now() + KILLED_GONE;
                if let Err(error) = strays::end(watched, answers, until) {
                    tracing::warn!(%error, "failed to end what a run left behind");
                }
                false
            }
            (Mode::None | Mode::Shared(_), _) => false,
        }
    }

    /// Takes back the group of a run that is over, or that never began.
    pub(crate) fn give_back(&self, group: &RunGroup, clean: bool) {
        let Mode::Shared(shares) = &self.mode else { return };
        if clean {
            shares.names.lock().expect("no panic while held").free.push(group.number());
        } else {
            // Its name is not used again, should it not go.
            group.remove();
        }
    }

    /// The node ends: removes its groups, if nothing is in them any more.
    pub(crate) fn close(&self) {
        if let Mode::Born { before, .. } = &self.mode
            && let Err(error) = enter(before)
        {
            tracing::debug!(%error, "stays in the node's group");
        }
        self.node.iter().for_each(|folder| kill::remove(folder));
    }
}

/// What a node with limits would find here: whether all of them would hold, and what there is, in a line for people.
pub(crate) fn survey() -> (bool, String) {
    let surveyed = Hierarchies::find().and_then(|found| {
        let (base, controllers) = controllers::find(&found);
        let tracking = base.as_deref().or(found.tracking()).ok_or_else(none_there)?;
        Ok((controllers.len() == Kind::ALL.len(), facts(&controllers, found.version(tracking))))
    });
    surveyed.unwrap_or_else(|error| (false, format!("no cgroups: {error}")))
}

/// Puts this process into a group.
fn enter(group: &Path) -> io::Result<()> {
    fs::write(group.join(PROCS), "0")
}

/// The file that lists a group's processes, and takes further ones.
const PROCS: &str = "cgroup.procs";

fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

fn none_there() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "no hierarchy of cgroups is mounted")
}

fn facts(controllers: &[Controller], tracking: &str) -> String {
    let word = |kind: &Kind| {
        let controller = controllers.iter().find(|one| one.kind() == *kind);
        let version = match controller {
            Some(one) if one.is_v2() => "cgroup v2",
            Some(_) => "cgroup v1",
            None => "NOT LIMITED HERE",
        };
        format!("{} ({version})", kind.as_str())
    };
    let words: Vec<String> = Kind::ALL.iter().map(word).collect();
    format!("{}; what a run leaves behind is found by its cgroup ({tracking})", words.join(", "))
}

/// Ends all processes in the groups of a dead agent's node, and removes the groups. How many there were.
pub(crate) fn end_node(groups: &[PathBuf], time: Duration) -> io::Result<usize> {
    let until = Instant::now() + time;
    let mut killed = 0;
    for group in groups {
        killed += kill::end(group, until)?.killed;
        kill::remove(group);
    }
    Ok(killed)
}

#[cfg(test)]
mod tests;
