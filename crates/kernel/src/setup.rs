//! What a task asks of its node besides its command: files that are there before it, files that are brought away
//! after it, a container round it.
//!
//! None of this changes what is decided; it is checked when it comes in, stored, and handed to the node.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What surrounds a task's command. Empty for a command that runs as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Setup {
    /// An archive that is unpacked into the run's folder.
    pub package: Option<Package>,
    /// The container that the command runs in.
    pub container: Option<Container>,
    /// Remote folders that are there before the command starts.
    pub inputs: Vec<Input>,
    /// Folders that are copied away after the command.
    pub outputs: Vec<Output>,
    /// How they are copied.
    pub upload: Upload,
    /// Where standard output is copied to when a run is over.
    pub stdout: Redirect,
    /// The same of standard error.
    pub stderr: Redirect,
    /// The key for object storage, where it is not the installation's own.
    pub key: Option<StorageKey>,
}

impl Setup {
    /// Whether there is nothing but the command.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where an archive comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Package {
    /// An address, `http://` or `https://`.
    Web(String),
    /// A file of the node, by its absolute path.
    File(String),
    /// An object or a file of remote storage.
    Remote(Remote),
}

/// A folder, or an object, of remote storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// As it was given: `cos://…`, `cfs://…`, `nfs://…`.
    pub url: String,
    /// The bucket and the key within it, which ends with `/` for a folder and is empty for the whole bucket. `None`:
    /// the address is one of a configured mount.
    pub bucket: Option<(String, String)>,
}

/// A remote folder and where it appears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The remote folder.
    pub source: Remote,
    /// A folder of the node, or one in the run's own folder when the path is relative.
    pub destination: String,
}

/// A folder that is copied away, and to where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The folder, as the command knows it.
    pub source: String,
    /// What that path is relative to.
    pub workspace: Workspace,
    /// The remote folder.
    pub destination: Remote,
}

/// What the path of an output is relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workspace {
    /// Nothing was said: a relative path is in the run's folder; an absolute one is as the command sees it, in its
    /// container or on the node.
    #[default]
    Unsaid,
    /// The run's own folder; in a container, the container's file system.
    Batch,
    /// The node's file system.
    Global,
}

/// How outputs are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// How many parts are under way at once.
    pub workers: u32,
    /// How large a part is, in MiB.
    pub part_mb: u32,
}

impl Default for Upload {
    fn default() -> Self {
        Self { workers: 4, part_mb: 8 }
    }
}

/// Where one of a run's two outputs is copied to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Redirect {
    /// A remote folder.
    pub remote: Option<Remote>,
    /// The file's name there, with placeholders; empty: the usual name.
    pub remote_name: String,
    /// A folder of the node, or one in the run's own folder when the path is relative.
    pub local: Option<String>,
    /// The file's name there, with placeholders; empty: the usual name.
    pub local_name: String,
}

/// The container that a command runs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// The image.
    pub image: String,
    /// The registry; empty: the usual one.
    pub server: String,
    /// Who pulls the image, and with which password. `None`: anyone may.
    pub login: Option<(String, Secret)>,
    /// How often pulling is tried again.
    pub pull_retries: u32,
    /// The pause between two tries, in seconds.
    pub pull_pause_s: u32,
    /// Further arguments of `docker run`.
    pub options: Vec<String>,
}

/// A key for object storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageKey {
    /// Its public half.
    pub id: String,
    /// Its secret half.
    pub secret: Secret,
}

/// A text that is stored and handed on, and never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("******")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let key = StorageKey { id: "AKID".into(), secret: Secret("s3cret".into()) };
        let setup = Setup { key: Some(key), ..Setup::default() };
        assert!(!format!("{setup:?}").contains("s3cret"));
        assert!(!setup.is_empty() && Setup::default().is_empty());
    }
}
