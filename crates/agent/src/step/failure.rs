//! Why what surrounds a command failed. The texts are the reasons that users read.

use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The archive could not be had.
    #[error("PackageUnavailable: failed to fetch {from}: {why}")]
    PackageUnavailable { from: String, why: String },
    /// The archive is none, or would do harm.
    #[error("PackageInvalid: {0}")]
    PackageInvalid(String),
    /// An input could not be had.
    #[error("InputFailed: {from}: {why}")]
    Input { from: String, why: String },
    /// An output could not be brought away.
    #[error("OutputFailed: {from} to {to}: {why}")]
    Output { from: String, to: String, why: String },
    /// Standard output or standard error could not be copied.
    #[error("RedirectFailed: {to}: {why}")]
    Redirect { to: String, why: String },
    /// There is nothing that runs containers.
    #[error("DockerUnavailable: {0}")]
    DockerUnavailable(String),
    /// The registry did not let the user in.
    #[error("DockerLoginFailed: {0}")]
    DockerLogin(String),
    /// The image could not be had.
    #[error("DockerPullFailed: {image}, after {tries} tries: {why}")]
    DockerPull { image: String, tries: u32, why: String },
    /// A file of the step's own.
    #[error("NodeFailed: failed to {what} {}: {source}", path.display())]
    File { what: &'static str, path: PathBuf, source: io::Error },
    /// A program that did not start.
    #[error("NotStarted: failed to start {program}: {source}")]
    Spawn { program: String, source: io::Error },
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        // Some errors repeat their causes in their own text.
        if !text.contains(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        cause = error.source();
    }
    text.replace('\n', " ")
}

/// Makes an error of a file of the step's own into a failure.
pub(crate) fn failed_to(what: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.to_owned();
    move |source| Failure::File { what, path, source }
}
