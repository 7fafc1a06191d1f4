//! `herald agent-step`: what agents start for runs that are more than a command. Not for people.

use std::ffi::OsString;
use std::process::ExitCode;

use ::agent::Step;

use crate::logging;

/// The exit status of what could not become what it was to be, as shells have it for a program they cannot run.
const NOT_BECOME: u8 = 126;

/// Lead one run; started by an agent
#[derive(clap::Args)]
pub(crate) struct AgentStep {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Lead a run from its beginning to its end; its order is on standard input
    Run,
    /// Do what is left of a run that was killed; its order is on standard input
    Close,
    /// Make the process a user's and then another program, whose variables are on standard input
    Become {
        /// UID GID NAME PROGRAM and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        words: Vec<OsString>,
    },
}

impl AgentStep {
    /// Returns when the run is over, with its status.
    pub(crate) fn run(self) -> ExitCode {
        logging::start("warn");
        ::agent::run_step(match self.what {
            What::Run => Step::Run,
            What::Close => Step::Close,
            What::Become { words } => {
                let error = ::agent::become_user(words);
                tracing::error!(%error, "failed to run an instance as another user");
                return ExitCode::from(NOT_BECOME);
            }
        })
    }
}
