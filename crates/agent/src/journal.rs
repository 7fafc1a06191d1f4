//! `HOME/runs.log`: which processes are ours, for whoever must end them when the agent cannot any more.
//!
//! The first line names the agent and the start of the machine; then come the control groups in which the node's
//! processes are; each further line is the beginning or the end of a run:
//!
//! ```text
//! agent <boot id> <process id> <start time> <session>
//! group <folder>
//! start <run> <process id> <start time>
//! end <run>
//! ```
//!
//! A beginning is written before anyone is told of it. Nothing is synced: what the kernel has taken outlives the
//! agent, and no process outlives the machine.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wire::node::RunId;

use crate::limits::JOURNAL_BYTES;
use crate::procfs::{self, Process};

/// The file's name in the node's folder.
pub(crate) const JOURNAL_FILE: &str = "runs.log";

/// The journal of a living agent.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    bytes: u64,
    limit: u64,
    head: Head,
    living: HashMap<RunId, Leader>,
}

/// The process that leads a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leader {
    pub(crate) pid: i32,
    /// See [`Process::started`].
    pub(crate) started: u64,
}

/// Whose journal it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) boot: String,
    pub(crate) agent: Leader,
    pub(crate) session: i32,
    /// The node's control groups.
    pub(crate) groups: Vec<PathBuf>,
}

/// A journal as it was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) head: Head,
    /// The runs that have begun and not ended.
    pub(crate) living: Vec<Leader>,
    /// The runs that have begun, whether ended or not, in the order of their ids. Those that ended before the journal
    /// was last written anew are missing.
    pub(crate) begun: Vec<RunId>,
}

impl Journal {
    /// Begins a new journal in the node's folder, for this process, `me`, and the node's control groups.
    pub(crate) fn create(home: &Path, me: &Process, groups: &[PathBuf]) -> io::Result<Self> {
        let agent = Leader { pid: me.pid, started: me.started };
        let head = Head { boot: procfs::boot_id()?, agent, session: me.session, groups: groups.to_vec() };
        Self::create_with(home, head, JOURNAL_BYTES)
    }

    fn create_with(home: &Path, head: Head, limit: u64) -> io::Result<Self> {
        let path = home.join(JOURNAL_FILE);
        let living = HashMap::new();
        let (file, bytes) = write_anew(&path, &head, &living)?;
        Ok(Self { path, file, bytes, limit, head, living })
    }

    /// A run has begun.
    pub(crate) fn start(&mut self, run: RunId, leader: Leader) -> io::Result<()> {
        self.living.insert(run, leader);
        self.append(&start_line(run, leader))
    }

    /// A run has ended. That this is missing from the file is harmless: its process is gone, which is looked at.
    pub(crate) fn end(&mut self, run: RunId) -> io::Result<()> {
        if self.living.remove(&run).is_none() {
            return Ok(());
        }
        self.append(&format!("end {run}\n"))
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        self.file.write_all(line.as_bytes())?;
        self.bytes += line.len() as u64;
        if self.bytes > self.limit {
            match write_anew(&self.path, &self.head, &self.living) {
                Ok(new) => (self.file, self.bytes) = new,
                Err(error) => tracing::warn!(%error, "failed to shorten the node's journal"),
            }
            // Neither many living runs nor a full disk must mean that every line writes the file anew.
            self.limit = self.limit.max(2 * self.bytes);
        }
        Ok(())
    }
}

/// Writes a journal of the living runs in the place of the old one, which stays whole until then.
fn write_anew(path: &Path, head: &Head, living: &HashMap<RunId, Leader>) -> io::Result<(File, u64)> {
    let mut text = format!("agent {} {} {} {}\n", head.boot, head.agent.pid, head.agent.started, head.session);
    for group in &head.groups {
        text.push_str(&format!("group {}\n", group.display()));
    }
    for (run, leader) in living {
        text.push_str(&start_line(*run, *leader));
    }
    let new = path.with_extension("new");
    // A leftover of an agent that died in here would otherwise be appended to.
    fs::write(&new, &text)?;
    let file = OpenOptions::new().append(true).open(&new)?;
    fs::rename(&new, path)?;
    Ok((file, text.len() as u64))
}

fn start_line(run: RunId, leader: Leader) -> String {
    format!("start {run} {} {}\n", leader.pid, leader.started)
}

/// Reads the journal in a node's folder; `None` when no agent has begun one.
pub(crate) fn read(home: &Path) -> io::Result<Option<Found>> {
    match fs::read_to_string(home.join(JOURNAL_FILE)) {
        Ok(text) => parse(&text)
            .map(Some)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "runs.log does not begin with its agent")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Head {
    /// Whether this process is the agent itself.
    pub(crate) fn is_agent(&self, process: &Process) -> bool {
        process.pid == self.agent.pid && process.started == self.agent.started
    }
}

/// A line that cannot be understood is passed over: only the last can be torn, and then nobody was told of its run.
fn parse(text: &str) -> Option<Found> {
    let mut lines = text.lines();
    let mut words = lines.next()?.strip_prefix("agent ")?.split(' ');
    let boot = words.next()?.to_owned();
    let agent = parse_leader(&mut words)?;
    let mut head = Head { boot, agent, session: words.next()?.parse().ok()?, groups: Vec::new() };
    let mut living: HashMap<&str, Leader> = HashMap::new();
    let mut begun = BTreeSet::new();
    for line in lines {
        if let Some(group) = line.strip_prefix("group ") {
            head.groups.push(group.into());
            continue;
        }
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some("start"), Some(run)) => {
                if let Some(leader) = parse_leader(&mut words) {
                    living.insert(run, leader);
                    begun.extend(parse_run(run));
                }
            }
            (Some("end"), Some(run)) => {
                living.remove(run);
            }
            _ => {}
        }
    }
    let mut living: Vec<Leader> = living.into_values().collect();
    living.sort_unstable_by_key(|leader| leader.pid);
    Some(Found { head, living, begun: begun.into_iter().collect() })
}

/// A run as its `Display` writes it.
fn parse_run(text: &str) -> Option<RunId> {
    let mut parts = text.split('/');
    let job = parts.next()?.parse().ok()?;
    let mut number = || parts.next()?.parse().ok();
    Some(RunId { job, task: number()?, index: number()?, attempt: number()? })
}

fn parse_leader<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<Leader> {
    Some(Leader { pid: words.next()?.parse().ok()?, started: words.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use kernel::id::JobId;

    use super::*;

    fn run(index: u32) -> RunId {
        RunId { job: JobId::from_number(35).unwrap(), task: 0, index, attempt: 1 }
    }

    fn leader(pid: i32) -> Leader {
        Leader { pid, started: 1_000 }
    }

    fn head() -> Head {
        let groups = vec!["/cg/herald.7.1000".into(), "/cg/of memory/herald.7.1000".into()];
        Head { boot: "b-1".to_owned(), agent: leader(7), session: 7, groups }
    }

    #[test]
    fn what_is_written_is_found() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(read(home.path()).unwrap(), None);
        let mut journal = Journal::create_with(home.path(), head(), 1_000).unwrap();
        for index in [1, 2, 3] {
            journal.start(run(index), leader(100 + i32::try_from(index).unwrap())).unwrap();
        }
        journal.end(run(2)).unwrap();
        journal.end(run(9)).unwrap();
        let begun = vec![run(1), run(2), run(3)];
        let found = Found { head: head(), living: vec![leader(101), leader(103)], begun };
        assert_eq!(read(home.path()).unwrap(), Some(found));
        assert_eq!(
            fs::read_to_string(home.path().join(JOURNAL_FILE)).unwrap(),
            "agent b-1 7 1000 7\ngroup /cg/herald.7.1000\ngroup /cg/of memory/herald.7.1000\nstart job-0000000z/0/1/1 101 1000\nstart job-0000000z/0/2/1 102 1000\n\
             start job-0000000z/0/3/1 103 1000\nend job-0000000z/0/2/1\n"
        );
    }

    #[test]
    fn a_long_journal_keeps_the_living_only() {
        let home = tempfile::tempdir().unwrap();
        let mut journal = Journal::create_with(home.path(), head(), 500).unwrap();
        journal.start(run(0), leader(100)).unwrap();
        for index in 1..1_000 {
            journal.start(run(index), leader(200)).unwrap();
            journal.end(run(index)).unwrap();
            assert!(fs::metadata(home.path().join(JOURNAL_FILE)).unwrap().len() <= 500);
        }
        assert_eq!(read(home.path()).unwrap().unwrap().living, [leader(100)]);
    }

    #[test]
    fn many_living_runs_raise_the_limit() {
        let home = tempfile::tempdir().unwrap();
        let mut journal = Journal::create_with(home.path(), head(), 500).unwrap();
        for index in 0..100 {
            journal.start(run(index), leader(100 + i32::try_from(index).unwrap())).unwrap();
        }
        assert!(journal.limit > 2_000);
        assert_eq!(read(home.path()).unwrap().unwrap().living.len(), 100);
    }

    #[test]
    fn a_journal_that_cannot_be_shortened_goes_on() {
        let home = tempfile::tempdir().unwrap();
        let mut journal = Journal::create_with(home.path(), head(), 100).unwrap();
        fs::create_dir(home.path().join("runs.new")).unwrap();
        for index in 0..10 {
            journal.start(run(index), leader(100 + i32::try_from(index).unwrap())).unwrap();
        }
        assert_eq!(read(home.path()).unwrap().unwrap().living.len(), 10);
    }

    #[test]
    fn a_torn_line_is_passed_over() {
        let head_line = "agent b-1 7 1000 7\n";
        let whole = format!("{head_line}start job-0000000z/0/1/1 101 1000\n");
        for torn in ["", "s", "start", "start job-0000000z/0/2/1 102", "end", "?"] {
            let found = parse(&format!("{whole}{torn}")).unwrap();
            assert_eq!(found.living, [leader(101)], "{torn}");
        }
        for text in ["", "start job-0000000z/0/1/1 101 1000\n", "agent b-1 7\n"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
