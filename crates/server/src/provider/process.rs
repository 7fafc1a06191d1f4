//! Agents among the processes of this machine.
//!
//! An agent is known by its command line, `PROGRAM agent --home DIR`, which names a folder that is no other node's.
//! So it is found also by a server that was killed before it could write down the id of the process it had started.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The verb and the flag that make a process an agent.
pub(super) const VERB: &str = "agent";
/// See [`VERB`].
pub(super) const HOME_FLAG: &str = "--home";
/// How long killed agents may take to be gone.
const GONE: Duration = Duration::from_secs(10);
/// How often that is looked at. They need not be children of this process, so no event tells.
const LOOK: Duration = Duration::from_millis(2);

/// The living agents of the node with this folder: one, or none. Two while a second one finds that it is one too many.
pub(super) fn agents(home: &Path) -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let process = entry.path();
        // What cannot be read has ended, or is another user's.
        let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
        // A process that is just becoming another program has no command line, but an agent its folder.
        let is_becoming = || line.is_empty() && std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == home);
        if is_agent(&line, home) || is_becoming() {
            found.push(Pid::from_raw(pid));
        }
    }
    Ok(found)
}

/// Whether a command line, its words each ended by a zero byte, is that of the agent with this folder.
fn is_agent(line: &[u8], home: &Path) -> bool {
    let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    // The last zero is followed by nothing; what stands before the verb is the program, or how it was started.
    matches!(words.as_slice(), [.., verb, flag, folder, b""]
        if *verb == VERB.as_bytes() && *flag == HOME_FLAG.as_bytes() && *folder == home.as_os_str().as_bytes())
}

/// Waits until the node has no agent; whether that came about within `time`.
pub(super) fn wait_for_end(home: &Path, time: Duration) -> io::Result<bool> {
    let until = Instant::now() + time;
    while !agents(home)?.is_empty() {
        if Instant::now() >= until {
            return Ok(false);
        }
        thread::sleep(LOOK);
    }
    Ok(true)
}

/// Asks the node's agent to end.
pub(super) fn terminate_agents(home: &Path) -> io::Result<()> {
    for pid in agents(home)? {
        match kill(pid, Signal::SIGTERM) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Kills the node's agent, and waits until it is gone.
pub(super) fn kill_agents(home: &Path) -> io::Result<()> {
    let until = Instant::now() + GONE;
    loop {
        let found = agents(home)?;
        if found.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            let message = format!("the agent of {} does not die: process {found:?}", home.display());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        for pid in found {
            match kill(pid, Signal::SIGKILL) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_known_by_its_command_line() {
        let home = Path::new("/data/nodes/node-1");
        let cases: [(&[u8], bool); 8] = [
            (b"/bin/herald\0agent\0--home\0/data/nodes/node-1\0", true),
            (b"setsid\0/bin/herald\0agent\0--home\0/data/nodes/node-1\0", true),
            (b"/bin/herald\0agent\0--home\0/data/nodes/node-11\0", false),
            (b"/bin/herald\0agent\0--home\0/data/nodes/node-1\0--more\0", false),
            (b"/bin/herald\0serve\0--home\0/data/nodes/node-1\0", false),
            (b"grep\0agent --home /data/nodes/node-1\0", false),
            (b"/bin/herald\0agent\0--home\0/data/nodes/node-1", false),
            (b"", false),
        ];
        for (line, is) in cases {
            assert_eq!(is_agent(line, home), is, "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn an_agent_is_found_and_killed() {
        let folder = tempfile::tempdir().unwrap();
        // A process with the command line of an agent, that waits.
        let mut child = std::process::Command::new("/bin/sh")
            .args(["-c", "read line", VERB, HOME_FLAG])
            .arg(folder.path())
            .current_dir(folder.path())
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        assert_eq!(agents(folder.path()).unwrap(), [pid]);
        assert!(!wait_for_end(folder.path(), Duration::ZERO).unwrap());
        kill_agents(folder.path()).unwrap();
        assert!(wait_for_end(folder.path(), Duration::ZERO).unwrap());
        child.wait().unwrap();
    }
}
