//! What can go wrong, with its exit status and what to do about it.

use std::error::Error;
use std::io;

use crate::client::{ClientError, PlaceError};
use crate::demo::DemoError;
use crate::file::FileError;

/// Why a verb did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Server or key are not known.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The server refused, or did not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A file that describes a job or environment cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// Nothing of that name or number is there.
    #[error("{0}")]
    NotThere(String),
    /// Events are missing, or it cannot be proven that none is.
    #[error("{0}")]
    Unproven(String),
    /// A replay that was waited for did not come to its end.
    #[error("{0}")]
    Replay(String),
    /// A stream of events was refused, or cannot go on.
    #[error("the events cannot be followed: {0}")]
    Stream(String),
    /// The command that was to be run for an event failed.
    #[error("`{command}` failed for event {event}: {why}")]
    Exec {
        /// The command.
        command: String,
        /// The event's id, or that of its message.
        event: String,
        /// How it ended.
        why: String,
        /// The event's Sequence.
        sequence: Option<u64>,
    },
    /// Something on this machine is not as it has to be.
    #[error("{0} of the checks failed")]
    Unwell(usize),
    /// A job that was waited for did not succeed.
    #[error("{job} ended {state}{}", because(reason))]
    Job {
        /// Its id.
        job: String,
        /// `FAILED` or `FAILED_INTERRUPTED`.
        state: String,
        /// Why; may be empty.
        reason: String,
    },
    /// Standard output cannot be written to.
    #[error("failed to print")]
    Print(#[from] io::Error),
    /// The process cannot get its threads, or its signals.
    #[error("failed to start the threads that wait for the network")]
    Runtime(#[source] io::Error),
    /// The program cannot find itself, which nodes are started with.
    #[error("failed to find the path of this program")]
    OwnProgram(#[source] io::Error),
    /// The demo did not come to its end.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// A server's configuration cannot be used.
    #[error(transparent)]
    Config(#[from] server::config::ConfigError),
    /// One half of the key for storage is given without the other.
    #[error("HERALD_COS_SECRET_ID and HERALD_COS_SECRET_KEY belong together; only one of them is set")]
    HalfStorageKey,
    /// There is no backup, or nothing was restored.
    #[error(transparent)]
    Backup(#[from] server::BackupError),
    /// A server did not start.
    #[error(transparent)]
    Serve(#[from] server::ServeError),
    /// A node's folder does not say what it should.
    #[error(transparent)]
    Node(#[from] ::agent::ConfigError),
    /// That server cannot be joined.
    #[error("`{address}` cannot be joined: {why}")]
    Join {
        /// What was given.
        address: String,
        /// Why.
        why: &'static str,
    },
    /// A machine did not join, or does not go on.
    #[error(transparent)]
    Machine(#[from] server::machines::MachineError),
    /// A node's life was cut short.
    #[error(transparent)]
    Agent(#[from] ::agent::AgentError),
}

impl Failure {
    /// 0: done after all; 1: failed; 2: wrong usage.
    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            // Whoever closed the pipe had read enough.
            Self::Print(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Place(error) if error.is_usage() => 2,
            Self::Demo(error) if error.is_usage() => 2,
            Self::HalfStorageKey | Self::Join { .. } => 2,
            _ => 1,
        }
    }

    /// What to type next.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Place(error) => error.hint(),
            Self::Client(error) => error.hint(),
            Self::Exec { sequence: Some(sequence), .. } => {
                Some(format!("the same with `--since {sequence}` goes on with this event"))
            }
            Self::Job { job, .. } => Some(format!("`herald job show {job}` tells more")),
            _ => None,
        }
    }
}

/// The error and what caused it, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(mut cause) = next {
        if cause.is::<reqwest::Error>() {
            cause = innermost(cause);
        }
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}

/// The HTTP client wraps its errors four times over; only the innermost says what happened.
fn innermost<'a>(mut error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    while let Some(cause) = error.source() {
        error = cause;
    }
    error
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_success() {
        assert_eq!(Failure::Print(io::ErrorKind::BrokenPipe.into()).exit_status(), 0);
        assert_eq!(Failure::Print(io::ErrorKind::StorageFull.into()).exit_status(), 1);
    }

    #[test]
    fn causes_follow_their_effects() {
        let failure = Failure::Print(io::Error::other("disk full"));
        assert_eq!(chain(&failure), "failed to print: disk full");
        let job = |reason: &str| Failure::Job { job: "job-1".into(), state: "FAILED".into(), reason: reason.into() };
        assert_eq!(chain(&job("")), "job-1 ended FAILED");
        assert_eq!(chain(&job("ExitCode")), "job-1 ended FAILED: ExitCode");
    }
}
