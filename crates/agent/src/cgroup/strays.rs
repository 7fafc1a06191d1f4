//! What a run left behind on a node whose runs are all born in one group.
//!
//! A process that is in the node's group and in no process group of a run that goes on has left its own. It belongs
//! to a run that goes on if its forebears lead there. Else its forebears are dead, and the environment that it was
//! started with tells whose it is; one that has cleared even that belongs to one of the runs that had begun before it,
//! and is ended when none of them goes on any more.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use super::{PROCS, kill};
use crate::environment;
use crate::limits::KILLED_LOOK;
use crate::procfs::{self, Process};

/// What is known of the runs that go on, at one moment.
#[derive(Debug, Default, Clone)]
pub(crate) struct Known {
    /// The processes that lead them, each with its instance as its environment names it.
    pub(crate) leaders: HashMap<i32, String>,
    /// The instances of runs that may have a process already of which nothing is known yet.
    pub(crate) beginning: Vec<String>,
}

/// Who knows which runs go on.
pub(crate) trait Answers {
    /// Leaves those processes that lead no run that goes on. Asked at the end of every run, so it should be quick.
    fn without_leaders(&self, pids: &mut Vec<i32>);
    /// All that is known. Asked only when some process is left.
    fn known(&self) -> Known;
}

/// Kills what no run that goes on answers for, and waits until it is gone.
pub(super) fn end(group: &Watched, answers: &impl Answers, until: Instant) -> io::Result<()> {
    loop {
        // In this order: a run that begins after its process was listed is known, one that ended is looked at again.
        let mut pids = group.processes()?;
        let me = std::process::id().try_into().expect("Linux numbers processes within i32");
        pids.retain(|pid| *pid != me);
        answers.without_leaders(&mut pids);
        let strays = strays(&pids, me, || answers.known())?;
        if strays.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("processes {strays:?} do not die")));
        }
        strays.iter().try_for_each(|pid| kill::kill_one(*pid))?;
        thread::sleep(KILLED_LOOK);
    }
}

/// A group whose list of processes is kept open: it is read at the end of every run.
#[derive(Debug)]
pub(super) struct Watched {
    group: PathBuf,
    list: File,
}

impl Watched {
    pub(super) fn open(group: &Path) -> io::Result<Self> {
        Ok(Self { group: group.to_owned(), list: File::open(group.join(PROCS))? })
    }

    fn processes(&self) -> io::Result<Vec<i32>> {
        let mut text = [0; 4_096];
        let length = self.list.read_at(&mut text, 0)?;
        let mut found = Vec::new();
        if length == text.len() {
            kill::list(&self.group, &mut found)?;
        } else {
            found.extend(kill::parse(&String::from_utf8_lossy(&text[..length])));
        }
        Ok(found)
    }
}

fn strays(pids: &[i32], me: i32, known: impl Fn() -> Known) -> io::Result<Vec<i32>> {
    let mut doubtful = Vec::new();
    for pid in pids {
        // A child of the agent itself is a run that just begins.
        doubtful.extend(procfs::process(*pid)?.filter(|process| !process.ended && process.parent != me));
    }
    if doubtful.is_empty() {
        return Ok(Vec::new());
    }
    let known = known();
    let mut strays = Vec::new();
    for process in doubtful {
        if !goes_on(process, me, &known, &procfs::process, &instance)? {
            strays.push(process.pid);
        }
    }
    Ok(strays)
}

/// The instance that a process was started for. What cannot be read has ended, or belongs to another user.
fn instance(pid: i32) -> Option<String> {
    environment::instance(&procfs::variables(pid).ok()?)
}

/// Whether a run that goes on answers for a process.
fn goes_on(
    process: Process,
    me: i32,
    known: &Known,
    look: &impl Fn(i32) -> io::Result<Option<Process>>,
    instance: &impl Fn(i32) -> Option<String>,
) -> io::Result<bool> {
    if known.leaders.contains_key(&process.group) {
        return Ok(true);
    }
    let mut parent = process.parent;
    // A chain of forebears that changes meanwhile may have no end.
    for _ in 0..FOREBEARS {
        if parent == me || known.leaders.contains_key(&parent) {
            return Ok(true);
        }
        match look(parent)?.filter(|_| parent > 1) {
            Some(found) => parent = found.parent,
            None => break,
        }
    }
    if let Some(of) = instance(process.pid) {
        return Ok(known.leaders.values().chain(&known.beginning).any(|instance| *instance == of));
    }
    if !known.beginning.is_empty() {
        return Ok(true); // Perhaps it is that one's; whose end will tell.
    }
    for leader in known.leaders.keys() {
        if look(*leader)?.is_some_and(|leader| leader.started <= process.started) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Forebears that are looked at, at most.
const FOREBEARS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: i32 = 50;

    fn process(pid: i32, parent: i32, group: i32, started: u64) -> Process {
        Process { pid, parent, ended: false, group, session: group, started, status: 0 }
    }

    /// Two runs go on, led by 60 and 70; the one that 80 led has ended.
    #[test]
    fn whose_processes_go_on() {
        let leaders = HashMap::from([(60, "a/0".to_owned()), (70, "a/1".to_owned())]);
        let known = Known { leaders, beginning: Vec::new() };
        let table = [
            ("a child in the group", process(61, 60, 60, 601), None, true),
            ("an orphan in the group", process(61, 1, 60, 601), None, true),
            ("a child in a group of its own", process(62, 60, 62, 602), None, true),
            ("a grandchild in a group of its own", process(63, 64, 63, 603), None, true),
            ("a run that just begins", process(90, AGENT, 90, 900), None, true),
            ("an orphan of a run that goes on", process(65, 1, 65, 605), Some("a/1"), true),
            ("an orphan of a run that has ended", process(81, 1, 81, 801), Some("a/2"), false),
            ("a child of an orphan", process(82, 81, 82, 802), Some("a/2"), false),
            ("an orphan without its environment", process(83, 1, 83, 803), None, true),
            ("an older one without its environment", process(84, 1, 84, 590), None, false),
        ];
        let look = |pid| {
            Ok(match pid {
                60 => Some(process(60, AGENT, 60, 600)),
                70 => Some(process(70, AGENT, 70, 700)),
                64 => Some(process(64, 60, 60, 602)),
                81 => Some(process(81, 1, 81, 801)),
                1 => Some(process(1, 0, 1, 1)),
                _ => None,
            })
        };
        for (what, one, of, expected) in table {
            let instance = |_| of.map(str::to_owned);
            assert_eq!(goes_on(one, AGENT, &known, &look, &instance).unwrap(), expected, "{what}");
        }
        let begins = Known { beginning: vec!["a/3".to_owned()], ..known };
        for (of, expected) in [(Some("a/3"), true), (Some("a/2"), false), (None, true)] {
            let instance = |_| of.map(str::to_owned);
            let orphan = process(84, 1, 84, 590);
            assert_eq!(goes_on(orphan, AGENT, &begins, &look, &instance).unwrap(), expected, "{of:?}");
        }
    }
}
