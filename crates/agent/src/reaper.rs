//! The watch: waiting for a process to end. One worker keeps it at a time, and nothing else in this process waits for
//! a child.
//!
//! An ended process is first looked at and left a zombie, which keeps its id, and its group's, from being used again.
//! While that holds, what is left of its group is killed, so that nothing of a run outlives it, and the run is marked
//! as ended, so that nobody signals its group any more. Only then is the process reaped.

use std::time::Instant;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use wire::node::Exit;

use crate::engine::{Exited, Shared, Watch, send, unix_ms};
use crate::procfs;
use crate::runs::GroupSignal;

const LOOK: WaitPidFlag = WaitPidFlag::WEXITED.union(WaitPidFlag::WNOWAIT);

/// Waits until one child has ended, and hands the watch on. There must be a run with a process.
pub(crate) fn watch(shared: &Shared) {
    let child = loop {
        match waitid(Id::All, LOOK) {
            Ok(WaitStatus::Exited(pid, code)) => break Some((pid, Exit::Code { code })),
            Ok(WaitStatus::Signaled(pid, signal, _)) => break Some((pid, Exit::Signal { signal: signal as i32 })),
            Ok(_) | Err(Errno::EINTR) => {}
            // Ended by a signal that `nix` has no name for, a real-time one.
            Err(Errno::EINVAL) => break find_unnamed().map(|(pid, signal)| (pid, Exit::Signal { signal })),
            Err(errno) => {
                // There is a run, so there is a child, unless someone else waits in this process. Then nobody can
                // know which ids are still whose; the server ends what a dead agent leaves behind.
                tracing::error!(%errno, "the ends of runs were taken by someone else");
                std::process::abort();
            }
        }
    };
    let (at, now) = (unix_ms(), Instant::now());
    shared.update(|state| {
        state.watch = Watch::Free;
        match child {
            Some((pid, exit)) if state.runs.is_leader(pid.as_raw()) => {
                send([GroupSignal { group: pid.as_raw(), signal: Signal::SIGKILL }]);
                let ended = state.runs.ended(pid.as_raw()).expect("it was just there");
                let run_ms = now.saturating_duration_since(ended.since).as_millis();
                let run_ms = u64::try_from(run_ms).unwrap_or(u64::MAX);
                state.ended.push_back(Exited { ended, exit, at, run_ms });
                reap(pid);
            }
            // Its worker has not come to write it down yet; or it failed to become a program, and whoever started
            // it reaps it. Either way that worker will say so.
            _ if state.starting > 0 => state.watch = Watch::Suspended,
            Some((pid, _)) => {
                tracing::warn!(%pid, "a child that is no run has ended");
                reap(pid);
            }
            None => {}
        }
    });
}

/// A child that was ended by a signal without a name, and the signal's number.
fn find_unnamed() -> Option<(Pid, i32)> {
    let me = i32::try_from(std::process::id()).expect("Linux numbers processes within i32");
    let processes = procfs::all().ok()?;
    processes.into_iter().filter(|process| process.parent == me && process.ended).find_map(|process| {
        let pid = Pid::from_raw(process.pid);
        let unnamed = waitid(Id::Pid(pid), LOOK | WaitPidFlag::WNOHANG) == Err(Errno::EINVAL);
        unnamed.then_some((pid, process.status & 0x7f))
    })
}

/// The lock must be held: who keeps the watch next must not see this child again.
fn reap(pid: Pid) {
    // EINVAL: reaped; it is that signal again.
    if let Err(errno) = waitid(Id::Pid(pid), WaitPidFlag::WEXITED)
        && errno != Errno::EINVAL
    {
        tracing::error!(%pid, %errno, "failed to reap a process");
    }
}
