//! The group of one run.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::controllers::{Bounds, Controller, Kind, cpu_us};
use super::{PROCS, kill, make};

/// Enters the groups that are named up to `--`, and becomes what is named behind it. A shell's own process is named
/// by 0.
const ENTER: &str = "while [ \"$1\" != -- ]; do echo 0 > \"$1\" || exit 125; shift; done; shift; exec \"$@\"";

/// The group of a run, in each hierarchy that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunGroup {
    number: u32,
    /// Where its processes are found.
    tracking: PathBuf,
    /// Where it is bounded.
    controlled: Vec<(Controller, PathBuf)>,
    share: Bounds,
    /// How often memory had run out here before.
    out_of_memory: u64,
    /// Processor time that was used here before, in microseconds.
    cpu_before_us: u64,
}

impl RunGroup {
    /// A new group, with its bounds.
    pub(super) fn make(number: u32, node: &Path, controllers: &[Controller], share: &Bounds) -> io::Result<Self> {
        let group = Self::again(number, node, controllers, share);
        let made = group.folders().into_iter().try_for_each(make).and_then(|()| {
            group.controlled.iter().try_for_each(|(controller, folder)| controller.limit(folder, share))
        });
        if made.is_err() {
            group.remove();
        }
        made.map(|()| group)
    }

    /// A group that is there.
    pub(super) fn again(number: u32, node: &Path, controllers: &[Controller], share: &Bounds) -> Self {
        let name = format!("run-{number}");
        let controlled = controllers.iter().map(|one| (one.clone(), one.base().join(&name))).collect();
        let tracking = node.join(&name);
        let cpu_before_us = cpu_us(&tracking).unwrap_or(0);
        let mut group = Self { number, tracking, controlled, share: *share, out_of_memory: 0, cpu_before_us };
        group.out_of_memory = group.times_out_of_memory();
        group
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Its folders, each once.
    fn folders(&self) -> Vec<&Path> {
        let mut folders = vec![self.tracking.as_path()];
        for (_, folder) in &self.controlled {
            if !folders.contains(&folder.as_path()) {
                folders.push(folder);
            }
        }
        folders
    }

    /// A command that enters the group before it becomes `program`.
    pub(crate) fn wrap(&self, shell: &str, program: &Path, args: impl IntoIterator<Item = OsString>) -> Command {
        let mut command = Command::new(shell);
        command.args(["-c", ENTER, shell]).args(self.folders().into_iter().map(|folder| folder.join(PROCS)));
        command.arg("--").arg(program).args(args);
        command
    }

    fn memory(&self) -> Option<(&Controller, &Path)> {
        let memory = self.controlled.iter().find(|(controller, _)| controller.kind() == Kind::Memory);
        memory.map(|(controller, folder)| (controller, folder.as_path()))
    }

    fn times_out_of_memory(&self) -> u64 {
        self.memory().map_or(0, |(controller, folder)| controller.times_out_of_memory(folder))
    }

    /// Whether a process of the run was ended because the memory of its group ran out.
    pub(super) fn ran_out_of_memory(&self) -> bool {
        self.times_out_of_memory() > self.out_of_memory
    }

    /// Bytes of memory that the run may use.
    pub(crate) fn memory_limit(&self) -> u64 {
        self.share.memory_bytes
    }

    /// The run's share as options of `docker run`: a container is in a group of its own, made by who runs it.
    pub(crate) fn container_options(&self) -> Vec<String> {
        self.controlled.iter().map(|(controller, _)| self.share.container_option(controller.kind())).collect()
    }

    /// Processor time that is the run's in each second, in microseconds; `None` when that is not bounded.
    pub(crate) fn cpu_us_per_s(&self) -> Option<u64> {
        let bounded = self.controlled.iter().any(|(controller, _)| controller.kind() == Kind::Cpu);
        bounded.then(|| self.share.cpu_us_per_s())
    }

    /// Processor time that the run has used so far, in microseconds; `None` when that is not counted.
    pub(crate) fn cpu_us(&self) -> Option<u64> {
        cpu_us(&self.tracking).map(|used| used.saturating_sub(self.cpu_before_us))
    }

    /// Memory that the group uses and cannot easily do without, in bytes; `None` when that is not known.
    pub(crate) fn memory_bytes(&self) -> Option<u64> {
        self.memory().and_then(|(controller, folder)| controller.memory_bytes(folder))
    }

    /// Kills what is in the group, and waits until it is gone. Whether the group can be used again.
    pub(super) fn end(&self, time: Duration) -> bool {
        match kill::end(&self.tracking, Instant::now() + time) {
            Ok(ended) => ended.rounds <= 2,
            Err(error) => {
                tracing::warn!(%error, group = %self.tracking.display(), "failed to end what a run left behind");
                false
            }
        }
    }

    /// Removes the group, if nothing is in it.
    pub(super) fn remove(&self) {
        self.folders().into_iter().for_each(kill::remove);
    }
}
