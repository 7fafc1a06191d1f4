//! `herald config`: the server's configuration file.

use std::path::PathBuf;

use server::Config as Settings;
use server::config::DEFAULT_FILE;

use crate::failure::Failure;
use crate::output::Output;

/// The configuration file of a server
#[derive(clap::Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Print every setting with what it means and its default, as a file that `serve --config` takes
    Default,
    /// Check a configuration file, and tell the line and the key of what is wrong
    Check {
        /// The file, in TOML
        file: PathBuf,
    },
}

impl Config {
    /// Prints the file, or checks one.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut out = Output::standard(false);
        match self.verb {
            Verb::Default => out.bytes(DEFAULT_FILE.as_bytes())?,
            Verb::Check { file } => {
                Settings::read(&file)?;
                out.say(format_args!("{} can be used", file.display()));
            }
        }
        out.flush()
    }
}
