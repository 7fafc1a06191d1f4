//! What the kernel's process file system tells.

use std::fs;
use std::io::{self, Read};

use nix::unistd::{SysconfVar, sysconf};

/// One process, as `/proc/PID/stat` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    /// The process has ended, and only its parent has not yet asked how.
    pub(crate) ended: bool,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// When it started, in clock ticks since the machine started. Process ids are used again; id and start time
    /// together are not.
    pub(crate) started: u64,
    /// How it ended, as `wait` tells it; 0 while it lives, or when that is not for us to know.
    pub(crate) status: i32,
}

/// The process with this id, `None` when there is none.
pub(crate) fn process(pid: i32) -> io::Result<Option<Process>> {
    // The kernel gives the line, of some 400 bytes at most, in one piece.
    let mut line = [0; 1_024];
    let read = fs::File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut line));
    match read {
        Ok(length) => parse_stat(&line[..length]).map(Some).ok_or_else(|| malformed("/proc/PID/stat")),
        // ESRCH: it ended between the opening of the file and the reading.
        Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(ESRCH) => Ok(None),
        Err(error) => Err(error),
    }
}

const ESRCH: i32 = nix::errno::Errno::ESRCH as i32;

/// Every process that has not ended.
pub(crate) fn living() -> io::Result<Vec<Process>> {
    let mut processes = all()?;
    processes.retain(|process| !process.ended);
    Ok(processes)
}

/// Every process, also those that have ended and not been reaped.
pub(crate) fn all() -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        match process(pid) {
            Ok(process) => found.extend(process),
            // Some machines hide the processes of other users; none of ours is among them.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// What a process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    /// Processor time of the process, and of those of its children that it has waited for, in clock ticks.
    pub(crate) cpu_ticks: u64,
    /// Memory that it has, shared or not, in pages.
    pub(crate) pages: u64,
}

/// What every process uses. Those that have ended and not been reaped count with their processor time.
pub(crate) fn loads() -> io::Result<Vec<Load>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // What cannot be read has ended, or is another user's.
        let line = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
        found.extend(parse_load(&line));
    }
    Ok(found)
}

fn parse_load(text: &[u8]) -> Option<Load> {
    let process = parse_stat(text)?;
    let close = text.iter().rposition(|byte| *byte == b')')?;
    // From utime (field 14), that of the process itself and of its children; and rss (24).
    let mut fields = std::str::from_utf8(&text[close + 1..]).ok()?.split_ascii_whitespace().skip(11);
    let mut cpu_ticks = 0;
    for _ in 0..4 {
        cpu_ticks += fields.next()?.parse::<u64>().ok()?;
    }
    let pages = fields.nth(6)?.parse().ok()?;
    Some(Load { pid: process.pid, parent: process.parent, group: process.group, cpu_ticks, pages })
}

/// Bytes that came in and went out, by the interfaces that a process sees beyond the loopback; `None` when the network
/// that it sees is this process' own.
pub(crate) fn own_traffic(pid: i32) -> io::Result<Option<(u64, u64)>> {
    if fs::read_link(format!("/proc/{pid}/ns/net"))? == fs::read_link("/proc/self/ns/net")? {
        return Ok(None);
    }
    let text = fs::read_to_string(format!("/proc/{pid}/net/dev"))?;
    parse_traffic(&text).map(Some).ok_or_else(|| malformed("/proc/PID/net/dev"))
}

fn parse_traffic(text: &str) -> Option<(u64, u64)> {
    let mut sums = (0_u64, 0_u64);
    for line in text.lines().skip(2) {
        let (interface, counts) = line.split_once(':')?;
        if interface.trim() == "lo" {
            continue;
        }
        // Eight counts of what was received, the first of them bytes; then those of what was sent.
        let mut counts = counts.split_ascii_whitespace();
        sums.0 = sums.0.saturating_add(counts.next()?.parse().ok()?);
        sums.1 = sums.1.saturating_add(counts.nth(7)?.parse().ok()?);
    }
    Some(sums)
}

/// Whether a process was started with an environment that has this variable.
pub(crate) fn has_variable(pid: i32, name: &str) -> io::Result<bool> {
    Ok(variables(pid)?
        .split(|byte| *byte == 0)
        .any(|pair| pair.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='))))
}

/// The environment that a process was started with, each variable ended by a zero byte.
pub(crate) fn variables(pid: i32) -> io::Result<Vec<u8>> {
    fs::read(format!("/proc/{pid}/environ"))
}

/// Whether this process was started so that it ignores the ends of its children.
pub(crate) fn ignores_sigchld() -> io::Result<bool> {
    parse_ignores_sigchld(&fs::read_to_string("/proc/self/status")?).ok_or_else(|| malformed("/proc/self/status"))
}

/// The length of a clock tick, in microseconds.
pub(crate) fn tick_us() -> u64 {
    1_000_000 / asked(SysconfVar::CLK_TCK, 100)
}

/// The size of a page of memory, in bytes.
pub(crate) fn page_bytes() -> u64 {
    asked(SysconfVar::PAGE_SIZE, 4_096)
}

fn asked(what: SysconfVar, usual: u64) -> u64 {
    let answer = sysconf(what).ok().flatten().and_then(|answer| u64::try_from(answer).ok());
    answer.filter(|answer| *answer > 0).unwrap_or(usual)
}

/// Which start of the machine this is.
pub(crate) fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// The machine's memory in MiB.
pub(crate) fn memory_mb() -> io::Result<u64> {
    parse_meminfo(&fs::read_to_string("/proc/meminfo")?).ok_or_else(|| malformed("/proc/meminfo"))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} does not look as expected"))
}

fn parse_stat(text: &[u8]) -> Option<Process> {
    // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
    let open = text.iter().position(|byte| *byte == b'(')?;
    let close = text.iter().rposition(|byte| *byte == b')')?;
    let pid = std::str::from_utf8(&text[..open]).ok()?.trim().parse().ok()?;
    // After the name: state (field 3), parent, group, session (6) ... start time (22) ... status (52, the last).
    let mut fields = std::str::from_utf8(&text[close + 1..]).ok()?.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    let started = fields.nth(15)?.parse().ok()?;
    let status = fields.nth(29)?.parse().ok()?;
    Some(Process { pid, parent, ended, group, session, started, status })
}

fn parse_ignores_sigchld(status: &str) -> Option<bool> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    Some(mask & (1 << (nix::libc::SIGCHLD - 1)) != 0)
}

fn parse_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kb: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kb / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_from_its_line() {
        let line =
            b"812 (a) b (c) S 1 812 800 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 23 24 25 26 27 28 29 30 31 \
            32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 256\n";
        let (pid, parent, ended, group, session, started, status) = (812, 1, false, 812, 800, 987_654, 256);
        let process = Process { pid, parent, ended, group, session, started, status };
        assert_eq!(parse_stat(line), Some(process));
        let zombie = String::from_utf8_lossy(line).replace(" S ", " Z ");
        assert_eq!(parse_stat(zombie.as_bytes()), Some(Process { ended: true, ..process }));
        let load = Load { pid: 812, parent: 1, group: 812, cpu_ticks: 5 + 6 + 7 + 8, pages: 24 };
        assert_eq!(parse_load(line), Some(load));
        for torn in ["", "812", "812 (a)", "812 (a) S 1 812", "x (a) S 1 812 800"] {
            assert_eq!(parse_stat(torn.as_bytes()), None, "{torn}");
        }
    }

    #[test]
    fn this_machine_answers() {
        let me = i32::try_from(std::process::id()).unwrap();
        let process = process(me).unwrap().unwrap();
        assert_eq!(process.pid, me);
        assert!(living().unwrap().contains(&process));
        assert!(has_variable(me, "PATH").unwrap());
        assert!(!has_variable(me, "PAT").unwrap());
        assert_eq!(super::process(0).unwrap(), None);
        assert_eq!(boot_id().unwrap().len(), 36);
        assert!(memory_mb().unwrap() > 0);
    }

    #[test]
    fn an_ignored_signal_is_seen() {
        assert!(!ignores_sigchld().unwrap());
        assert_eq!(parse_ignores_sigchld("SigBlk:\t0\nSigIgn:\t0000000000010000\n"), Some(true));
        assert_eq!(parse_ignores_sigchld("SigIgn:\t0000000000001000\n"), Some(false));
        assert_eq!(parse_ignores_sigchld(""), None);
    }

    #[test]
    fn traffic_is_that_of_all_interfaces_but_the_loopback() {
        let text = "Inter-|   Receive        |  Transmit\n face |bytes packets|bytes packets\n    \
                    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n  eth0: 100 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n  \
                    eth1:1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n";
        assert_eq!(parse_traffic(text), Some((101, 22)));
        assert_eq!(parse_traffic("a\nb\nc"), None);
        assert_eq!(own_traffic(i32::try_from(std::process::id()).unwrap()).unwrap(), None);
    }

    #[test]
    fn memory_is_read_in_mebibytes() {
        assert_eq!(parse_meminfo("MemTotal:       2097152 kB\nMemFree: 1 kB\n"), Some(2_048));
        assert_eq!(parse_meminfo("MemFree: 1 kB\n"), None);
    }
}
