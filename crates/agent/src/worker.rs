//! Workers: they start runs, wait for their processes to end, and look after the files of those that are over.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use wire::node::{Exit, Report, RunId, TaskOrder};

use crate::engine::{Exited, Shared, Watch, cut, not_started, send, unix_ms};
use crate::journal::Leader;
use crate::launch::RunFiles;
use crate::limits::SPARE;
use crate::output::Output;
use crate::{procfs, reaper, steps};

enum Job {
    Start(RunId, Arc<TaskOrder>),
    Finish(Exited),
    Watch,
    Sweep,
    Quit,
}

/// The body of a worker's thread.
pub(crate) fn run(shared: &Arc<Shared>) {
    loop {
        match next_job(shared) {
            Job::Start(run, order) => start(shared, run, &order),
            Job::Finish(exited) => finish(shared, exited),
            Job::Watch => reaper::watch(shared),
            Job::Sweep => shared.launcher.folders.sweep(),
            Job::Quit => return,
        }
    }
}

fn next_job(shared: &Shared) -> Job {
    let mut state = shared.lock();
    loop {
        // A free slot comes first: there are more workers than may be starting, so that the rest is soon done too.
        let job = if state.may_start()
            && let Some((run, order)) = state.runs.next()
        {
            state.starting += 1;
            Some(Job::Start(run, order))
        } else if let Some(exited) = state.ended.pop_front() {
            Some(Job::Finish(exited))
        } else if state.needs_watch() {
            state.watch = Watch::Kept;
            Some(Job::Watch)
        } else {
            None
        };
        if let Some(job) = job {
            let more = state.idle_workers > 0 && state.has_work();
            drop(state);
            if more {
                shared.wake_worker();
            }
            return job;
        }
        if state.quit {
            return Job::Quit;
        }
        let spares = shared.launcher.folders.has_spares();
        let timed_out;
        (state, timed_out) = shared.wait_for_work(state, spares.then_some(SPARE));
        if timed_out && !state.has_work() {
            return Job::Sweep;
        }
    }
}

fn start(shared: &Shared, run: RunId, order: &TaskOrder) {
    let since = Instant::now();
    match shared.launcher.launch(run, order, &shared.groups) {
        Ok((pid, files)) => {
            // Nobody may be told of a process that could not be found again.
            let abort =
                record(shared, run, pid).err().map(|error| format!("failed to write the node's journal: {error}"));
            let at = unix_ms();
            shared.update(|state| {
                state.start_is_over();
                let (signal, report) = state.runs.started(run, pid, since, files, abort);
                send(signal);
                if report {
                    state.backlog.push(Report::Started { run, at });
                }
            });
        }
        Err(error) => {
            tracing::debug!(%run, %error, "a run did not start");
            shared.update(|state| {
                state.start_is_over();
                if state.runs.not_started(run) {
                    state.push_unstarted(run, not_started(&error.to_string()));
                }
            });
        }
    }
}

/// Writes down which process a run is. The process may have ended, but it has not been reaped.
fn record(shared: &Shared, run: RunId, pid: i32) -> std::io::Result<()> {
    let process = procfs::process(pid)?.ok_or(std::io::ErrorKind::NotFound)?;
    let leader = Leader { pid, started: process.started };
    shared.journal.lock().expect("no panic while held").start(run, leader)
}

fn finish(shared: &Arc<Shared>, mut exited: Exited) {
    let Some(order) = &exited.ended.files.step else { return report(shared, exited) };
    let outcome = steps::outcome(order, &exited.exit);
    let was_killed = outcome.is_none();
    exited.exit = outcome.unwrap_or(exited.exit);
    if !was_killed && !steps::has_container(order) {
        return report(shared, exited);
    }
    // This may take a while, and is for the slowest of storage, so nobody else waits for it.
    let order = order.clone();
    let run = order.run;
    let closing = Arc::clone(shared);
    let close = move || {
        if was_killed {
            steps::close(&order);
        }
        steps::end_container(&order);
        report(&closing, exited);
    };
    thread::Builder::new().name(format!("close-{run}")).spawn(close).expect("a thread can be made");
}

/// Looks after the files of a run that is over, and reports it.
fn report(shared: &Shared, exited: Exited) {
    let Exited { ended, exit, at, run_ms } = exited;
    let RunFiles { folder, stdout, stderr, group, step: _ } = ended.files;
    let run = ended.run;
    let ran_out_of_memory = shared.groups.settle(group.as_deref(), shared);
    let limit = group.filter(|_| ran_out_of_memory).map(|group| group.memory_limit());
    let exit = limit.map_or(exit.clone(), |limit| out_of_memory(exit, limit));
    let (stdout, stderr) = (close(run, &stdout), close(run, &stderr));
    shared.launcher.folders.release(run.job, folder);
    if let Err(error) = shared.journal.lock().expect("no panic while held").end(run) {
        tracing::warn!(%run, %error, "failed to write a run's end into the journal");
    }
    shared.update(|state| {
        if let Some(exit) = state.runs.finished(run, exit) {
            let exit = match exit {
                Exit::NotStarted { reason } => Exit::NotStarted { reason: cut(&reason) },
                Exit::Failed { reason } => Exit::Failed { reason: cut(&reason) },
                exit => exit,
            };
            state.backlog.push(Report::Exited { run, at, exit, run_ms, stdout, stderr });
        }
    });
}

/// How a run ended in whose group the memory ran out. One that ended well all the same could do without.
fn out_of_memory(exit: Exit, limit_bytes: u64) -> Exit {
    let limit_mb = limit_bytes / (1024 * 1024);
    match exit {
        Exit::Code { code } if code != 0 => Exit::OutOfMemory { code, limit_mb },
        Exit::Signal { signal } => Exit::OutOfMemory { code: signal.saturating_add(128), limit_mb },
        exit => exit,
    }
}

/// The end of an output for the report. An unreadable output does not change how the run ended.
fn close(run: RunId, output: &Output) -> String {
    output.close().unwrap_or_else(|error| {
        tracing::warn!(%run, %error, "failed to read a run's output");
        String::new()
    })
}
