//! `herald agent-step`: what agents start for runs that are more than a command. Not for people.

use std::ffi::OsString;
use std::process::ExitCode;

use ::agent::Step;

use crate::logging;

/// The exit status of what could not become what it was to be, as shells have it for a program they cannot run.
const NOT_BECOME: u8 = 126;

/// Lead one run; started by an agent, with its order on standard input
#[derive(clap::Args)]
pub(crate) struct AgentStep {
    /// `run` leads a run from its beginning to its end, `close` does what is left of one that was killed, `become` makes
    /// the process a user's and then another program
    #[arg(value_enum)]
    what: What,
    /// Of `become`: UID GID NAME PROGRAM and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    Run,
    Close,
    Become,
}

impl AgentStep {
    /// Returns when the run is over, with its status.
    pub(crate) fn run(self) -> ExitCode {
        logging::start("warn");
        ::agent::run_step(match self.what {
            What::Run => Step::Run,
            What::Close => Step::Close,
            What::Become => {
                let error = ::agent::become_user(self.words);
                tracing::error!(%error, "failed to run an instance as another user");
                return ExitCode::from(NOT_BECOME);
            }
        })
    }
}
