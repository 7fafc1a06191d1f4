//! `herald completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::failure::Failure;
use crate::output::Output;

/// Print a script that teaches your shell to complete herald's commands
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

const MORE: &str = "\
For bash: herald completions bash > ~/.local/share/bash-completion/completions/herald";

impl Completions {
    /// Prints the script.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "herald", &mut script);
        let mut out = Output::standard(false);
        out.bytes(&script)?;
        out.flush()
    }
}
