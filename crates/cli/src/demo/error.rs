//! What can go wrong in the demo alone.

use std::io;
use std::path::PathBuf;

/// Why the demo did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// `--input` names no folder.
    #[error("--input {} is not a folder", path.display())]
    NotAFolder {
        /// What it names.
        path: PathBuf,
    },
    /// `--input` names a folder without text.
    #[error("--input {} holds no text files", path.display())]
    NoTexts {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder of the input cannot be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is more text than a demo should take.
    #[error("--input {} holds more than {most}; name a smaller folder", path.display())]
    TooMuch {
        /// The folder.
        path: PathBuf,
        /// The limit, with its unit.
        most: String,
    },
    /// The demo's own folder or listener cannot be made or cleared away.
    #[error("failed to {what}")]
    Stage {
        /// What was tried.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The server in it ended before it was asked to.
    #[error("the demo's server ended")]
    ServerEnded,
    /// What a subscriber received is no event.
    #[error("received what is no event: {0}")]
    NoEvent(String),
    /// Two events with one number.
    #[error("event {sequence} of {owner} came as {first} and as {second}")]
    TwoFaced {
        /// The job or environment.
        owner: String,
        /// The number.
        sequence: u64,
        /// The EventId that came first.
        first: String,
        /// The other.
        second: String,
    },
    /// Nothing arrived for too long.
    #[error("waited {seconds} s for {what} and nothing came; missing: {missing}")]
    Silence {
        /// How long.
        seconds: u64,
        /// What was waited for.
        what: &'static str,
        /// What has not come, as far as that is known.
        missing: String,
    },
    /// The user ended it.
    #[error("interrupted")]
    Interrupted,
}

impl DemoError {
    /// Whether the user gave something wrong.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::NotAFolder { .. } | Self::NoTexts { .. } | Self::TooMuch { .. })
    }
}
