//! What runs on a compute node: an agent that takes runs from the server, starts and ends their processes, and
//! reports what became of them.
//!
//! [`run`] is the whole agent. Its parts, from the outside in: a *driver* keeps a *connection* to the server and
//! decides when the agent ends; the [`engine`] holds the runs and the threads that start, time, kill and reap their
//! processes; below it the state of the runs and the backlog of reports, both without IO; and on the disk a journal
//! from which [`kill_leftovers`] ends what a dead agent has left behind.

mod backlog;
mod cgroup;
mod config;
mod connection;
mod containers;
mod disks;
mod driver;
pub mod engine;
mod environment;
mod folders;
mod journal;
mod launch;
mod leftovers;
mod limits;
mod output;
mod paths;
mod procfs;
mod reaper;
mod runs;
mod sampler;
mod simple;
mod step;
mod steps;
mod timekeeper;
mod user;
pub mod way;
mod worker;

use std::io;
use std::path::PathBuf;

pub use config::{AgentConfig, CONFIG_FILE, ConfigError, NodeLimits};
pub use leftovers::{Leftover, begun, kill_leftovers, leftovers};
pub use limits::WITHOUT_SERVER;
pub use paths::{Stream, log_file};
#[doc(hidden)]
pub use step::unpack_archive;
pub use step::{Step, run_step};
pub use user::{User, UserError, become_user};

use engine::Engine;

/// Why an agent ended although nobody asked it to, or never began.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Folders, journal or threads could not be made, or another agent lives in the folder.
    #[error("failed to start the agent of {}", home.display())]
    Start {
        /// The node's folder.
        home: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its runs cannot be the user that they are to be.
    #[error("failed to run instances as another user")]
    User(#[from] UserError),
    /// The asynchronous runtime could not be made.
    #[error("failed to start the agent's runtime")]
    Runtime(#[source] io::Error),
    /// Signals could not be taken.
    #[error("failed to take signals")]
    Signals(#[source] io::Error),
    /// The server said that this agent can never be welcome.
    #[error("the server refused this agent: {reason}")]
    Refused {
        /// The server's reason.
        reason: String,
    },
    /// The node's folder is gone.
    #[error("the node's folder {} is gone", home.display())]
    HomeGone {
        /// The node's folder.
        home: PathBuf,
    },
    /// There was no server for too long.
    #[error("there was no server for {hours} hours")]
    ServerGone {
        /// How long.
        hours: u64,
    },
}

/// Which limits of instance types would hold on this machine: whether all of them, and in a line for people.
#[must_use]
pub fn survey_limits() -> (bool, String) {
    cgroup::survey()
}

/// What would run containers on this machine.
///
/// # Errors
/// Why there is nothing.
pub fn survey_containers() -> Result<String, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = containers::program(&[], &path)?;
    containers::answers(&program).map(|()| program.join(" "))
}

/// Runs an agent until the server stops it or it gets SIGTERM; none of its runs outlives it. Takes this process's
/// SIGTERM, SIGINT and SIGHUP, and every child that it has. Must not be called from an asynchronous runtime.
///
/// # Errors
/// The agent could not start, was refused, lost its folder, or had no server for a day.
pub fn run(config: AgentConfig) -> Result<(), AgentError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(AgentError::Runtime)?;
    let (tell, changed) = tokio::sync::watch::channel(());
    let user = config.user.as_deref().map(User::find).transpose()?;
    let engine = Engine::start(&config.home, &config.logs, config.slots, config.limits.as_ref(), user, move || {
        tell.send_replace(());
    })
    .map_err(|source| AgentError::Start { home: config.home.clone(), source })?;
    tracing::info!(node = %config.node, slots = config.slots, "the agent begins");
    let result = runtime.block_on(driver::drive(&config, &engine, changed));
    engine.stop();
    result
}
