//! The reaper: waits for processes to end. Nothing else in this process waits for a child.
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

use crate::engine::{Exited, Shared, send, unix_ms};
use crate::procfs;
use crate::runs::GroupSignal;

const LOOK: WaitPidFlag = WaitPidFlag::WEXITED.union(WaitPidFlag::WNOWAIT);

/// The body of the reaper's thread.
pub(crate) fn run(shared: &Shared) {
    loop {
        match waitid(Id::All, LOOK) {
            Ok(WaitStatus::Exited(pid, code)) => on_exit(shared, pid, Exit::Code { code }),
            Ok(WaitStatus::Signaled(pid, signal, _)) => on_exit(shared, pid, Exit::Signal { signal: signal as i32 }),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(Errno::ECHILD) => {
                if !wait_for_children(shared) {
                    return;
                }
            }
            // Ended by a signal that `nix` has no name for, a real-time one.
            Err(_) => match find_unnamed() {
                Some((pid, signal)) => on_exit(shared, pid, Exit::Signal { signal }),
                None => drop(shared.wait_for_children(shared.lock())),
            },
        }
    }
}

/// Waits until there is a child. False when there will be none.
fn wait_for_children(shared: &Shared) -> bool {
    let mut state = shared.lock();
    if state.runs.has_leaders() {
        tracing::error!("the end of a run was taken by someone else");
        state = shared.wait_for_children(state);
    }
    while !state.runs.has_leaders() && !state.quit {
        state = shared.wait_for_children(state);
    }
    !state.quit
}

fn on_exit(shared: &Shared, pid: Pid, exit: Exit) {
    let (at, now) = (unix_ms(), Instant::now());
    let state = shared.lock();
    if state.runs.is_leader(pid.as_raw()) {
        drop(state);
        shared.update(|state| {
            send([GroupSignal { group: pid.as_raw(), signal: Signal::SIGKILL }]);
            if let Some(ended) = state.runs.ended(pid.as_raw()) {
                let run_ms = now.saturating_duration_since(ended.since).as_millis();
                let run_ms = u64::try_from(run_ms).unwrap_or(u64::MAX);
                state.ended.push_back(Exited { ended, exit, at, run_ms });
            }
        });
        reap(pid);
    } else if state.starting > 0 {
        // Its worker has not come to write it down yet; or it failed to become a program, and whoever started it
        // reaps it. Either changes the state.
        drop(shared.wait_for_children(state));
    } else {
        drop(state);
        tracing::warn!(%pid, "a child that is no run has ended");
        reap(pid);
    }
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

fn reap(pid: Pid) {
    // EINVAL: reaped; it is that signal again.
    if let Err(errno) = waitid(Id::Pid(pid), WaitPidFlag::WEXITED)
        && errno != Errno::EINVAL
    {
        tracing::error!(%pid, %errno, "failed to reap a process");
    }
}
