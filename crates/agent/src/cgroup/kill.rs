//! Ending all that is in a group, and removing groups.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Instant;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::PROCS;
use crate::limits::KILLED_LOOK;
use crate::procfs;

/// Kills a group as a whole, in version 2.
const KILL: &str = "cgroup.kill";

/// What came of ending a group.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Processes that were found at first.
    pub(crate) killed: usize,
    /// How often it was looked at until nothing was left.
    pub(crate) rounds: usize,
}

/// Kills every process of a group and of those below it, and waits until they are gone. A group that is not there has
/// none.
pub(crate) fn end(group: &Path, until: Instant) -> io::Result<Ended> {
    let mut ended = Ended::default();
    loop {
        ended.rounds += 1;
        let found = processes(group)?;
        if ended.rounds == 1 {
            ended.killed = found.len();
        }
        if found.is_empty() {
            return Ok(ended);
        }
        if found.iter().any(|pid| *pid == me()) {
            return Err(io::Error::other("this process itself is in the group"));
        }
        if Instant::now() > until {
            let message = format!("processes {found:?} do not die");
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        kill_all(group, &found)?;
        thread::sleep(KILLED_LOOK);
    }
}

fn kill_all(group: &Path, found: &[i32]) -> io::Result<()> {
    let whole = group.join(KILL);
    if whole.exists() {
        return fs::write(whole, "1");
    }
    found.iter().try_for_each(|pid| kill_one(*pid))
}

/// Kills a process, if it is there.
pub(super) fn kill_one(pid: i32) -> io::Result<()> {
    match kill(Pid::from_raw(pid), Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// The living processes of a group and of those below it.
pub(super) fn processes(group: &Path) -> io::Result<Vec<i32>> {
    let mut found = Vec::new();
    collect(group, &mut found)?;
    Ok(found)
}

fn collect(group: &Path, found: &mut Vec<i32>) -> io::Result<()> {
    list(group, found)?;
    let entries = match fs::read_dir(group) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), found)?;
        }
    }
    Ok(())
}

/// The living processes of a group itself.
pub(super) fn list(group: &Path, found: &mut Vec<i32>) -> io::Result<()> {
    match fs::read_to_string(group.join(PROCS)) {
        Ok(text) => found.extend(parse(&text)),
        // It has just been removed.
        Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(GONE) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// The processes in such a list. 0 stands for one that cannot be seen from here.
pub(super) fn parse(text: &str) -> impl Iterator<Item = i32> {
    text.lines().filter_map(|line| line.parse::<i32>().ok()).filter(|pid| *pid != 0)
}

const GONE: i32 = Errno::ENODEV as i32;

fn me() -> i32 {
    std::process::id().try_into().expect("Linux numbers processes within i32")
}

/// Removes a group and those below it. One that has processes stays.
pub(crate) fn remove(group: &Path) {
    if let Ok(entries) = fs::read_dir(group) {
        for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}

/// Removes groups of nodes whose agents are gone. What still has processes stays: whoever knows that node ends them.
pub(super) fn remove_abandoned<'a>(parents: impl Iterator<Item = &'a Path>) {
    for parent in parents {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.to_str().and_then(agent_of).is_some_and(|(pid, started)| !lives(pid, started)) {
                remove(&entry.path());
            }
        }
    }
}

/// The agent that a node's group is named after.
fn agent_of(name: &str) -> Option<(i32, u64)> {
    let (pid, started) = name.strip_prefix("herald.")?.split_once('.')?;
    Some((pid.parse().ok()?, started.parse().ok()?))
}

fn lives(pid: i32, started: u64) -> bool {
    // Where nobody can look, nobody can say that it does not.
    procfs::process(pid).map_or(true, |found| found.is_some_and(|process| process.started == started))
}
