//! Steps: runs whose command is surrounded by something, in a process of their own.
//!
//! A run that needs more than its command (a package, a container, files copied in and out) is led by a *step*: this
//! same program, started again as `herald agent-step run`. It leads the run's process group, so whatever ends a run
//! ends the step and all it has started, and its heap is not the agent's. The step fetches what is to be there,
//! starts the command in its own group, waits, copies away what is to be copied, writes down how the run ended, and
//! ends.
//!
//! A run that had to be killed ends without all that. Then the agent starts `herald agent-step close`, which removes
//! the container and copies the outputs, before the run is reported as over.

mod container;
mod failure;
mod order;
mod package;
mod redirect;
mod round;
mod storage;
mod tree;
mod unpack;

use std::io::Read;
use std::process::ExitCode;

pub(crate) use order::{StepOrder, remove, unnamed};
use wire::node::Exit;

use crate::user::User;

/// Unpacks an archive of anybody's into a folder, to no more than so many bytes and entries: for fuzzing.
///
/// # Errors
/// What is wrong with it.
#[doc(hidden)]
pub fn unpack_archive(
    archive: &std::path::Path,
    folder: &std::path::Path,
    bytes: u64,
    entries: u64,
) -> Result<(), String> {
    unpack::unpack(archive, folder, unpack::Bounds { bytes, entries })
}

/// The hidden verb that makes a process a step.
pub(crate) const VERB: &str = "agent-step";

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Leads a run from its beginning to its end.
    Run,
    /// Does what is left to be done of a run that was killed.
    Close,
}

impl Step {
    /// As it stands on the command line, after the verb.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Close => "close",
        }
    }
}

/// Runs a step, whose order is on standard input. To be called by a process that is nothing else.
#[must_use]
pub fn run_step(step: Step) -> ExitCode {
    let mut text = Vec::new();
    let order = std::io::stdin()
        .read_to_end(&mut text)
        .map_err(|error| error.to_string())
        .and_then(|_| serde_json::from_slice::<StepOrder>(&text).map_err(|error| error.to_string()));
    // Before anything is looked at that is the run's, and while there is one thread.
    let order = order.and_then(|order| {
        order.user.as_ref().map_or(Ok(()), User::take_on).map_err(|error| error.to_string())?;
        Ok(order)
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match (order, runtime) {
        (Ok(order), Ok(runtime)) => {
            let code = runtime.block_on(async {
                match step {
                    Step::Run => status(&round::run(&order).await),
                    Step::Close => {
                        round::close(&order).await;
                        0
                    }
                }
            });
            // What a thread still copies is of no use any more.
            std::process::exit(code.into())
        }
        (Err(error), _) => {
            tracing::error!(error, "a step without its order");
            ExitCode::from(2)
        }
        (_, Err(error)) => {
            tracing::error!(%error, "a step without a runtime");
            ExitCode::from(2)
        }
    }
}

/// The step's own exit status: for those who look at processes; the agent reads what it wrote down.
fn status(exit: &Exit) -> u8 {
    match exit {
        Exit::Code { code } | Exit::OutOfMemory { code, .. } => u8::try_from(*code).unwrap_or(1),
        Exit::Signal { signal } => u8::try_from(signal.saturating_add(128)).unwrap_or(1),
        Exit::TimedOut | Exit::Killed | Exit::Failed { .. } | Exit::NotStarted { .. } => 1,
    }
}
