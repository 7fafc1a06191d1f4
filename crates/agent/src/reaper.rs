//! The watch: waiting for a process to end. One worker keeps it at a time, and nothing else in this process waits for
//! a child.
//!
//! An ended process is first looked at and left a zombie, which keeps its id, and its group's, from being used again.
//! While that holds, what is left of its group is killed, so that nothing of a run outlives it. Then it is reaped, and
//! the run is marked as ended, in one step for everybody else: nobody signals a group that may be another's by now.
//!
//! Only a run that is being ended with grace may lose its leader and go on: the rest of its group, as long as there is
//! any, keeps the group's id. From then on the [timekeeper](crate::timekeeper) looks after it.

use std::time::Instant;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use wire::node::Exit;

use crate::engine::{Shared, Watch, send, unix_ms};
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
            Some((pid, exit)) if let Some((run, grace)) = state.runs.led_by(pid.as_raw()) => {
                if !grace {
                    send([GroupSignal { group: pid.as_raw(), signal: Signal::SIGKILL }]);
                }
                reap(pid);
                if grace && group_exists(pid.as_raw()) {
                    state.runs.leader_gone(run, now);
                } else {
                    state.end(run, exit, at, now);
                }
            }
            // Its worker has not come to write it down yet; or it failed to become a program, and whoever started
            // it reaps it. Either way that worker will say so.
            _ if state.starting > 0 => state.watch = Watch::Suspended,
            // A failed start that was reaped just now, or a child that this process had before it was an agent.
            Some((pid, _)) => reap(pid),
            None => {}
        }
    });
}

/// Whether a group has any process, be it one that has ended and that its new parent has not reaped yet.
pub(crate) fn group_exists(group: i32) -> bool {
    killpg(Pid::from_raw(group), None) != Err(Errno::ESRCH)
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

/// Reaps a child that has ended; no harm is done if it is not there any more. The lock must be held: who keeps the
/// watch next must not see this child again.
fn reap(pid: Pid) {
    match waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
        // EINVAL: reaped; it is that signal without a name again.
        Ok(_) | Err(Errno::ECHILD | Errno::EINVAL) => {}
        Err(errno) => tracing::error!(%pid, %errno, "failed to reap a process"),
    }
}
