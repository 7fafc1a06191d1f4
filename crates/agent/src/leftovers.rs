//! What a dead agent left behind, and its end: no process of an attempt may live when another attempt starts.
//!
//! The journal names the leaders of the runs that had not ended. Where the agent led a session of its own, as a
//! provider starts it, the other runs of that session are its doing too: one that the agent did not live to write
//! down, and what is left of one whose leader is gone. Numbers are used again, so a process counts only if its start
//! time, or the environment it was started with, shows that it is part of a run.
//!
//! The journal also names the node's control groups, where the machine has such: no process leaves them by itself, so
//! what is in them is the node's, whatever has become of its process group and its session.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Instant;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use wire::node::RunId;

use crate::cgroup;
use crate::containers;
use crate::environment;
use crate::journal::{self, Found};
use crate::limits::{LEFTOVERS_GONE, LEFTOVERS_LOOK};
use crate::procfs::{self, Process};

/// A process group that a dead agent left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leftover {
    /// The group's id.
    pub group: i32,
    /// How many living processes it has.
    pub processes: usize,
}

/// The process groups of runs that live on without their agent. Empty when no agent ever ran in `home`.
///
/// # Errors
/// The journal or the table of processes cannot be read; or ([`io::ErrorKind::ResourceBusy`]) the agent is alive, so
/// that they are no leftovers.
pub fn leftovers(home: &Path) -> io::Result<Vec<Leftover>> {
    let Some(found) = journal::read(home)? else { return Ok(Vec::new()) };
    if found.head.boot != procfs::boot_id()? {
        return Ok(Vec::new());
    }
    of_agent(&found, &procfs::living()?, is_of_run)
}

/// Kills the process groups that [`leftovers`] finds, and what else is in the node's control groups, and waits until
/// all is gone; then ends the containers that runs were in. The answer is how many process groups, and processes
/// outside them, there were.
///
/// # Errors
/// As [`leftovers`]; a container cannot be ended; or ([`io::ErrorKind::TimedOut`]) some would not die within ten seconds.
pub fn kill_leftovers(home: &Path) -> io::Result<usize> {
    let until = Instant::now() + LEFTOVERS_GONE;
    let mut killed = BTreeSet::new();
    loop {
        let alive = leftovers(home)?;
        if alive.is_empty() {
            let killed = killed.len() + end_groups(home, until)?;
            // Only now: a client that still lived could start one more.
            containers::remove_all(home)?;
            return Ok(killed);
        }
        if Instant::now() > until {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("process groups {:?} do not die", alive.iter().map(|left| left.group).collect::<Vec<_>>()),
            ));
        }
        for leftover in alive {
            match killpg(Pid::from_raw(leftover.group), Signal::SIGKILL) {
                Ok(()) | Err(Errno::ESRCH) => killed.insert(leftover.group),
                Err(errno) => return Err(errno.into()),
            };
        }
        // They are not children of this process, so no event tells of their end.
        thread::sleep(LEFTOVERS_LOOK);
    }
}

/// Ends what is left in the control groups of a dead agent. How many processes there were.
fn end_groups(home: &Path, until: Instant) -> io::Result<usize> {
    match journal::read(home)? {
        Some(found) if found.head.boot == procfs::boot_id()? => {
            cgroup::end_node(&found.head.groups, until.saturating_duration_since(Instant::now()))
        }
        _ => Ok(0),
    }
}

/// The runs that an agent in `home` has begun, whether they have ended or not, as its journal tells. Runs whose ends
/// were reported long ago may be missing.
///
/// # Errors
/// The journal cannot be read.
pub fn begun(home: &Path) -> io::Result<Vec<RunId>> {
    Ok(journal::read(home)?.map(|found| found.begun).unwrap_or_default())
}

/// Whether a process was started with the environment of a run.
fn is_of_run(process: &Process) -> bool {
    // What cannot be read belongs to another user, or has just ended.
    procfs::has_variable(process.pid, environment::JOB_ID).unwrap_or(false)
}

fn of_agent(found: &Found, living: &[Process], is_of_run: impl Fn(&Process) -> bool) -> io::Result<Vec<Leftover>> {
    let head = &found.head;
    if living.iter().any(|process| head.is_agent(process)) {
        let message = format!("the agent lives, as process {}", head.agent.pid);
        return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
    }
    let by_pid: HashMap<i32, &Process> = living.iter().map(|process| (process.pid, process)).collect();
    // A session keeps its number from being used again, as a group does; but it may itself be a later one.
    let own_session = head.session == head.agent.pid && !by_pid.contains_key(&head.session);
    let is_ours = |process: &&Process| {
        let in_session = process.session == head.session;
        if own_session && in_session && process.started >= head.agent.started && is_of_run(process) {
            return true;
        }
        let Some(leader) = found.living.iter().find(|leader| leader.pid == process.group) else { return false };
        match by_pid.get(&leader.pid) {
            Some(found) => found.started == leader.started,
            None => in_session && process.started >= leader.started && is_of_run(process),
        }
    };
    let mut groups: BTreeMap<i32, usize> = BTreeMap::new();
    for process in living.iter().filter(is_ours) {
        *groups.entry(process.group).or_default() += 1;
    }
    Ok(groups.into_iter().map(|(group, processes)| Leftover { group, processes }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Head, Leader};

    /// A process that was not started with the environment of a run.
    const STRANGER: i32 = 99;

    /// An agent, process 50, that began a run, process 60.
    fn found(session: i32) -> Found {
        let agent = Leader { pid: 50, started: 500 };
        let head = Head { boot: "b".to_owned(), agent, session, groups: Vec::new() };
        Found { head, living: vec![Leader { pid: 60, started: 600 }], begun: Vec::new() }
    }

    fn process(pid: i32, group: i32, session: i32, started: u64) -> Process {
        Process { pid, parent: 1, ended: false, group, session, started, status: 0 }
    }

    #[test]
    fn whose_processes_are_ours() {
        let table = [
            ("nothing lives", 50, vec![], vec![]),
            ("the leader", 50, vec![process(60, 60, 50, 600)], vec![(60, 1)]),
            ("and its child", 50, vec![process(60, 60, 50, 600), process(61, 60, 50, 601)], vec![(60, 2)]),
            ("a later process of that id", 50, vec![process(60, 60, 1, 900)], vec![]),
            ("and its child", 50, vec![process(60, 60, 1, 900), process(61, 60, 1, 901)], vec![]),
            ("a child without its leader", 50, vec![process(61, 60, 50, 601)], vec![(60, 1)]),
            ("the same, no own session", 40, vec![process(61, 60, 40, 601)], vec![(60, 1)]),
            ("an older one in such a group", 40, vec![process(61, 60, 40, 599)], vec![]),
            ("a later group without leader", 50, vec![process(61, 60, 1, 901)], vec![]),
            ("the same in the session", 40, vec![process(STRANGER, 60, 40, 901)], vec![]),
            ("a run not written down", 50, vec![process(70, 70, 50, 700)], vec![(70, 1)]),
            ("a run of another agent, no own session", 40, vec![process(70, 70, 40, 700)], vec![]),
            ("a later process of the agent's id", 50, vec![process(50, 50, 50, 900), process(70, 70, 50, 901)], vec![]),
            ("what is left of it", 50, vec![process(STRANGER, 70, 50, 901)], vec![]),
        ];
        for (what, session, living, expected) in table {
            let groups: Vec<(i32, usize)> = of_agent(&found(session), &living, |process| process.pid != STRANGER)
                .unwrap()
                .into_iter()
                .map(|leftover| (leftover.group, leftover.processes))
                .collect();
            assert_eq!(groups, expected, "{what}");
        }
    }

    #[test]
    fn a_living_agent_leaves_nothing_behind() {
        let living = [process(50, 50, 50, 500), process(60, 60, 50, 600)];
        assert_eq!(of_agent(&found(50), &living, |_| true).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    }

    #[test]
    fn another_start_of_the_machine_and_no_journal_leave_nothing() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(leftovers(home.path()).unwrap(), []);
        let me = i32::try_from(std::process::id()).unwrap();
        let me = procfs::process(me).unwrap().unwrap();
        let text =
            |boot: &str| format!("agent {boot} {} 1 {}\nstart job-0000000z/0/0/1 {} {}\n", me.pid, me.pid, me.group, 1);
        std::fs::write(home.path().join("runs.log"), text("another")).unwrap();
        assert_eq!(leftovers(home.path()).unwrap(), []);
        assert_eq!(kill_leftovers(home.path()).unwrap(), 0);
    }
}
