//! The node protocol, version 1: what the server and a compute node's agent say to one another.
//!
//! Frames are JSON texts over a WebSocket at `ws://HOST:PORT/node/v1`. The agent opens the connection and says
//! [`FromNode::Hello`] with the runs it still holds; the server answers [`ToNode::Welcome`] with the runs it still
//! believes in, or [`ToNode::Refused`]. From then on orders go down and reports come up:
//!
//! * A *run* is one attempt of one task instance, named by [`RunId`]. Because the attempt is part of the name, a
//!   report that comes late is recognised as late.
//! * Reports travel in numbered [`FromNode::Reports`] frames. The server acknowledges a frame once its reports are
//!   committed; until then the agent keeps it and repeats it, in order, on every new connection. So a report may
//!   arrive twice, and never goes missing.
//! * Orders are not acknowledged. One that got lost shows at the next Welcome: the agent reports a believed run that
//!   it does not hold as never started, and ends a run that it holds and nobody believes in.

use std::fmt;

use kernel::id::{JobId, NodeId};
pub use kernel::instance::RunId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::setup::Setup;

/// The version this module speaks.
pub const VERSION: u32 = 1;
/// Where the server takes the connection.
pub const PATH: &str = "/node/v1";
/// The longest frame, in bytes. Whoever fills a frame splits its work so that it stays below.
pub const FRAME_BYTES: usize = 16 * 1024 * 1024;
/// The most reports one frame carries.
pub const REPORTS_PER_FRAME: usize = 512;
/// The most runs one Start, Kill or Revoke frame names.
pub const RUNS_PER_FRAME: usize = 4_096;
/// How much of the end of each output stream a report carries, in bytes before base64.
pub const TAIL_BYTES: usize = 2_048;
/// The most samples one frame carries.
pub const SAMPLES_PER_FRAME: usize = 512;
/// The longest reason in a report or a refusal, in bytes.
pub const REASON_BYTES: usize = 1_024;

/// What an agent says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromNode {
    /// The first frame of a connection.
    Hello {
        /// The version the agent speaks.
        version: u32,
        /// Who it is.
        node: NodeId,
        /// The secret that shows it. Never shown by `Debug`.
        token: String,
        /// The version of the agent's program.
        agent_version: String,
        /// Cores of the machine.
        cpu: u32,
        /// Memory of the machine in MiB.
        mem_mb: u64,
        /// Addresses of the machine, the one it reaches the server by first.
        addresses: Vec<String>,
        /// How its runs are bounded and ended, in a line for people, of at most [`REASON_BYTES`] bytes.
        limits: String,
        /// Runs that are queued or running there.
        held: Vec<RunId>,
    },
    /// What happened since the last such frame.
    Reports {
        /// The frame's number: from 1, one more each time, kept when the frame is repeated.
        number: u64,
        /// At most [`REPORTS_PER_FRAME`], in the order in which they happened.
        reports: Vec<Report>,
    },
    /// What runs use at present. Neither acknowledged nor repeated.
    Samples {
        /// At most [`SAMPLES_PER_FRAME`].
        samples: Vec<Sample>,
    },
    /// The agent lives. Sent as often as the Welcome asked for.
    Beat,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToNode {
    /// The answer to a Hello.
    Welcome {
        /// The version the server will speak on this connection.
        version: u32,
        /// How often it wants a Beat, in milliseconds.
        beat_ms: u64,
        /// How often it wants a run sampled, in milliseconds.
        sample_ms: u64,
        /// The runs it believes to be there. The agent ends and forgets every other one, and reports a believed run
        /// of which it knows nothing as not started.
        believed: Vec<RunId>,
    },
    /// The other answer to a Hello: this agent can never be welcome. It ends its runs and itself.
    Refused {
        /// Why.
        reason: String,
    },
    /// Runs to be started, in this order, as slots become free.
    Start {
        /// One entry for each (job, task) that `runs` names.
        tasks: Vec<TaskOrder>,
        /// The runs, at most [`RUNS_PER_FRAME`].
        runs: Vec<RunId>,
    },
    /// Runs to be ended: SIGTERM to the group, SIGKILL after their order's grace, then Exited with Killed. A run
    /// that is still queued is reported so at once; one that the agent does not hold is passed over.
    Kill {
        /// The runs, at most [`RUNS_PER_FRAME`].
        runs: Vec<RunId>,
    },
    /// Runs to be given back: one that is still queued is dropped and reported Revoked; others are not touched and
    /// nothing is said of them.
    Revoke {
        /// The runs, at most [`RUNS_PER_FRAME`].
        runs: Vec<RunId>,
    },
    /// The reports of this frame, and of all before it, are committed.
    Ack {
        /// The frame's number.
        number: u64,
    },
    /// The node is being deleted: end everything without grace, then yourself.
    Stop,
    /// The same, but another agent is started in this one's place.
    Restart,
}

/// One thing that happened to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Report {
    /// Its process runs.
    Started {
        /// The run.
        run: RunId,
        /// When, in milliseconds of Unix time by the node's clock.
        at: i64,
    },
    /// It is over and its process group is dead. Nothing follows for this run.
    Exited {
        /// The run.
        run: RunId,
        /// When, in milliseconds of Unix time by the node's clock.
        at: i64,
        /// How it ended.
        exit: Exit,
        /// How long it ran, in milliseconds by a clock that is never set; 0 when it did not start.
        run_ms: u64,
        /// Base64 of the last [`TAIL_BYTES`] that this run wrote to its standard output; empty when none.
        stdout: String,
        /// The same of its standard error.
        stderr: String,
    },
    /// It was queued and has been dropped, as asked. Nothing follows for this run.
    Revoked {
        /// The run.
        run: RunId,
    },
}

impl Report {
    /// The run it is about.
    #[must_use]
    pub fn run(&self) -> RunId {
        match self {
            Self::Started { run, .. } | Self::Exited { run, .. } | Self::Revoked { run } => *run,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Exit {
    /// By itself.
    Code {
        /// Its exit status, 0 to 255.
        code: i32,
    },
    /// By a signal that neither a timeout nor a Kill sent.
    Signal {
        /// The signal's number.
        signal: i32,
    },
    /// The memory that it may use ran out, and the kernel ended it, or a part of it without which it failed.
    OutOfMemory {
        /// Its exit status, or 128 and the number of the signal that ended it.
        code: i32,
        /// How much it may use, in MiB.
        limit_mb: u64,
    },
    /// Its time was over.
    TimedOut,
    /// By a Kill.
    Killed,
    /// What surrounds its command failed.
    Failed {
        /// Why, in at most [`REASON_BYTES`] bytes.
        reason: String,
    },
    /// There never was a process, or none that could be answered for.
    NotStarted {
        /// Why, in at most [`REASON_BYTES`] bytes.
        reason: String,
    },
}

/// What a run used at one moment. Parts are in hundredths of a percent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The run.
    pub run: RunId,
    /// Which of the run's samples, from 0.
    pub number: u32,
    /// When, in milliseconds of Unix time by the node's clock.
    pub at: i64,
    /// Processor time since the last sample, of what it may use: its share, or the machine.
    pub cpu: u32,
    /// Memory, of what it may use.
    pub mem: u32,
    /// How full the node's disks are, by name.
    pub disks: Vec<(String, u32)>,
    /// Bytes a second that came in and went out through the run's network since the last sample; none where it has no
    /// network of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<(u64, u64)>,
}

/// What the runs of one task have in common.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskOrder {
    /// The job.
    pub job: JobId,
    /// The task's position in the job's list, from 0.
    pub task: u32,
    /// The task's name, as files and environment show it.
    pub task_name: String,
    /// How many instances the task has.
    pub instance_num: u64,
    /// What `/bin/sh -c` is given.
    pub command: String,
    /// The task's own environment variables. `Debug` shows their names only: values may be secrets.
    pub env: Vec<(String, String)>,
    /// What surrounds the command, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<Box<Setup>>,
    /// How long a run may take, in milliseconds; 0: as long as it likes.
    pub timeout_ms: u64,
    /// How long a run may take to end after SIGTERM, in milliseconds.
    pub grace_ms: u64,
}

/// A frame that cannot be sent or understood.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// It is longer than [`FRAME_BYTES`].
    #[error("a frame of the node protocol has {bytes} bytes; at most {FRAME_BYTES} are allowed")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It names more things than a frame may.
    #[error("a frame of the node protocol has {count} {what}; at most {limit} are allowed")]
    TooMany {
        /// What it has too many of.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// It is not JSON, or not a frame of this version.
    #[error("failed to read a frame of the node protocol")]
    Malformed(#[source] serde_json::Error),
}

/// A frame: what can be written to the connection and read from it.
pub trait Frame: Serialize + DeserializeOwned {
    /// Refuses a frame that names more than a frame may.
    ///
    /// # Errors
    /// [`FrameError::TooMany`].
    fn check(&self) -> Result<(), FrameError>;
}

impl Frame for FromNode {
    fn check(&self) -> Result<(), FrameError> {
        match self {
            Self::Reports { reports, .. } => at_most("reports", reports.len(), REPORTS_PER_FRAME),
            Self::Samples { samples } => at_most("samples", samples.len(), SAMPLES_PER_FRAME),
            Self::Hello { .. } | Self::Beat => Ok(()),
        }
    }
}

impl Frame for ToNode {
    fn check(&self) -> Result<(), FrameError> {
        match self {
            Self::Start { runs, .. } | Self::Kill { runs } | Self::Revoke { runs } => {
                at_most("runs", runs.len(), RUNS_PER_FRAME)
            }
            Self::Welcome { .. } | Self::Refused { .. } | Self::Ack { .. } | Self::Stop | Self::Restart => Ok(()),
        }
    }
}

/// Writes a frame.
///
/// # Errors
/// [`FrameError::TooMany`] and [`FrameError::TooLong`].
pub fn encode<F: Frame>(frame: &F) -> Result<String, FrameError> {
    frame.check()?;
    let text = serde_json::to_string(frame).map_err(FrameError::Malformed)?;
    check_length(&text)?;
    Ok(text)
}

/// Reads a frame.
///
/// # Errors
/// [`FrameError`], each kind.
pub fn decode<F: Frame>(text: &str) -> Result<F, FrameError> {
    check_length(text)?;
    let frame: F = serde_json::from_str(text).map_err(FrameError::Malformed)?;
    frame.check()?;
    Ok(frame)
}

fn check_length(text: &str) -> Result<(), FrameError> {
    if text.len() > FRAME_BYTES { Err(FrameError::TooLong { bytes: text.len() }) } else { Ok(()) }
}

fn at_most(what: &'static str, count: usize, limit: usize) -> Result<(), FrameError> {
    if count > limit { Err(FrameError::TooMany { what, count, limit }) } else { Ok(()) }
}

impl fmt::Debug for FromNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello { version, node, token: _, agent_version, cpu, mem_mb, addresses, limits, held } => f
                .debug_struct("Hello")
                .field("version", version)
                .field("node", node)
                .field("agent_version", agent_version)
                .field("cpu", cpu)
                .field("mem_mb", mem_mb)
                .field("addresses", addresses)
                .field("limits", limits)
                .field("held", held)
                .finish_non_exhaustive(),
            Self::Reports { number, reports } => {
                f.debug_struct("Reports").field("number", number).field("reports", reports).finish()
            }
            Self::Samples { samples } => f.debug_struct("Samples").field("samples", samples).finish(),
            Self::Beat => f.write_str("Beat"),
        }
    }
}

impl fmt::Debug for TaskOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.env.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("TaskOrder")
            .field("job", &self.job)
            .field("task", &self.task)
            .field("task_name", &self.task_name)
            .field("instance_num", &self.instance_num)
            .field("command", &self.command)
            .field("env", &names)
            .field("setup", &self.setup)
            .field("timeout_ms", &self.timeout_ms)
            .field("grace_ms", &self.grace_ms)
            .finish()
    }
}

#[cfg(test)]
#[path = "node_tests.rs"]
mod tests;
