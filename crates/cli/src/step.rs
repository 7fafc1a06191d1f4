//! `herald agent-step`: what agents start for runs that are more than a command. Not for people.

use std::process::ExitCode;

use ::agent::Step;

use crate::logging;

/// Lead one run; started by an agent, with its order on standard input
#[derive(clap::Args)]
pub(crate) struct AgentStep {
    /// `run` leads a run from its beginning to its end, `close` does what is left of one that was killed
    #[arg(value_enum)]
    what: What,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    Run,
    Close,
}

impl AgentStep {
    /// Returns when the run is over, with its status.
    pub(crate) fn run(self) -> ExitCode {
        logging::start("warn");
        ::agent::run_step(match self.what {
            What::Run => Step::Run,
            What::Close => Step::Close,
        })
    }
}
