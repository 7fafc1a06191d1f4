//! Finding and ending the processes that a test has started, also those that outlive the server: nodes and what runs
//! on them.

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::wait;

/// Every process that was started under `folder`, a test's temporary folder: its working folder lies in it, or its
/// command line or environment names it. No other process names a temporary folder made for one test.
pub(crate) fn started_under(folder: &Path) -> Vec<Pid> {
    let own = Pid::this();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|process| Some(Pid::from_raw(process.file_name().to_str()?.parse().ok()?)))
        .filter(|pid| *pid != own && names(*pid, folder) && !is_zombie(*pid))
        .collect()
}

/// Kills every process started under `folder`, and waits until they are gone.
pub(crate) fn end_all_under(folder: &Path) {
    wait::until("the end of the processes that the test started", || {
        let living = started_under(folder);
        for pid in &living {
            // It may have ended since it was listed; the next look tells.
            let _ = kill(*pid, Signal::SIGKILL);
        }
        living.is_empty().then_some(())
    });
}

fn names(pid: Pid, folder: &Path) -> bool {
    let process = Path::new("/proc").join(pid.to_string());
    let folder_bytes = folder.as_os_str().as_encoded_bytes();
    let holds = |file: &str| {
        let text = fs::read(process.join(file)).unwrap_or_default();
        text.windows(folder_bytes.len()).any(|part| part == folder_bytes)
    };
    fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)) || holds("cmdline") || holds("environ")
}

/// The parent of a process, while that lives.
pub(crate) fn parent(pid: Pid) -> Option<Pid> {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = status.rsplit_once(") ")?;
    Some(Pid::from_raw(rest.split(' ').nth(1)?.parse().ok()?))
}

/// Whether the process has ended and only waits for its parent to ask how.
fn is_zombie(pid: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the program's name, which stands in brackets and may hold anything.
    status.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}
