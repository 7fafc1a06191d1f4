//! Running other programs, and how that fails.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// Why a task of this tool ended without its result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The program could not be started at all.
    #[error("failed to start `{program}`")]
    Start {
        program: String,
        #[source]
        source: std::io::Error,
    },
    /// The program ran and said no.
    #[error("failed to {what}: `{program}` ended with {status}")]
    Ended { what: String, program: String, status: ExitStatus },
    /// A file or folder of the tool's own.
    #[error("failed to {what} {}", path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// No usable Python, and none could be installed.
    #[error(
        "failed to find Python 3.8 to 3.13 with its venv module, which the official clients in the tests need; \
         looked on PATH and under {}; install one (Debian: apt-get install python3 python3-venv)",
        pyenv.display()
    )]
    NoPython { pyenv: PathBuf },
    /// No npm, and none could be installed.
    #[error(
        "failed to find npm, which installs what the tests hold the console's pages against; install it (Debian: \
         apt-get install nodejs npm)"
    )]
    NoNpm,
    /// `bench` was given a name that is not in its table.
    #[error("no benchmark is called `{name}`; there are: {known}")]
    NoBenchmark { name: String, known: String },
    /// `fuzz` was given a name that no target has.
    #[error("no target of fuzzing is called `{name}`; there are: {known}")]
    NoTarget { name: String, known: String },
    /// Targets whose run found an input that breaks something.
    #[error("failed targets: {names}; the inputs are in crates/fuzz/artifacts")]
    Targets { names: String },
    /// Benchmarks that ended below their floor, or not at all.
    #[error("failed benchmarks: {names}")]
    Benchmarks { names: String },
}

/// `cargo` as it was called, with the workspace as its folder.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs `command` with this process's own output; anything but success is a failure to do `what`.
pub(crate) fn run(command: &mut Command, what: &str) -> Result<(), Failure> {
    let status = command.status().map_err(|source| Failure::Start { program: name(command), source })?;
    ended(command, what, status)
}

/// Turns a status that is not success into a failure to do `what`.
pub(crate) fn ended(command: &Command, what: &str, status: ExitStatus) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    Err(Failure::Ended { what: what.to_owned(), program: name(command), status })
}

/// The program's name as it stands in the command.
pub(crate) fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
