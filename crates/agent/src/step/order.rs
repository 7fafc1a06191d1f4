//! What a step is told, on its standard input, and what it leaves behind for the agent.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wire::node::{Exit, RunId, TaskOrder};
use wire::setup::Setup;

use crate::user::User;

/// The file in a step's folder that tells how its run ended. Once it is there, nothing is left to be done.
const RESULT_FILE: &str = "result";

/// A run whose command is surrounded by something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepOrder {
    pub(crate) run: RunId,
    pub(crate) task: TaskOrder,
    /// The run's working folder.
    pub(crate) folder: PathBuf,
    /// The step's own folder, for what the run should not see among its files.
    pub(crate) own: PathBuf,
    /// The folder of the records of containers.
    pub(crate) containers: PathBuf,
    /// Who the step is; `None`: who the agent is.
    #[serde(default)]
    pub(crate) user: Option<User>,
    /// Options that bound its container, as the run itself is bounded.
    pub(crate) bounds: Vec<String>,
    /// The file of the instance's standard output.
    pub(crate) stdout: PathBuf,
    /// The file of its standard error.
    pub(crate) stderr: PathBuf,
}

impl StepOrder {
    /// What surrounds the command.
    pub(crate) fn setup(&self) -> Setup {
        self.task.setup.as_deref().cloned().unwrap_or_default()
    }

    /// Whether something is to be done also when the run was killed: what must not go on, or must not be missing.
    pub(crate) fn has_end(&self) -> bool {
        let setup = self.task.setup.as_deref();
        setup.is_some_and(|setup| setup.container.is_some() || !setup.stdout.is_empty() || !setup.stderr.is_empty())
    }

    /// The order as a file to be read. It has no name any more: secrets are in it.
    pub(crate) fn file(&self) -> io::Result<File> {
        unnamed(&self.own.join("order"), &serde_json::to_vec(self)?)
    }

    /// Makes the step's own folder, which is its owner's alone.
    pub(crate) fn make_folder(&self) -> io::Result<()> {
        // What an earlier agent left of this run says nothing of it now.
        remove(&self.own)?;
        if let Some(all) = self.own.parent() {
            // Steps that are another user's pass through it to theirs.
            fs::DirBuilder::new().recursive(true).mode(0o711).create(all)?;
        }
        fs::DirBuilder::new().mode(0o700).create(&self.own)?;
        self.user.as_ref().map_or(Ok(()), |user| user.own(&self.own))
    }

    /// Writes down how the run ended.
    pub(crate) fn leave(&self, exit: &Exit) -> io::Result<()> {
        let beside = self.own.join("result.new");
        fs::write(&beside, serde_json::to_vec(exit)?)?;
        fs::rename(beside, self.own.join(RESULT_FILE))
    }

    /// How the run ended, as far as its step lived to tell.
    pub(crate) fn left(&self) -> Option<Exit> {
        let text = fs::read(self.own.join(RESULT_FILE)).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// A file to be read from its beginning, which was at `path` for a moment and has no name any more.
pub(crate) fn unnamed(path: &Path, content: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)?;
    fs::remove_file(path)?;
    file.write_all(content)?;
    file.rewind()?;
    Ok(file)
}

/// Removes a folder with all in it, if it is there.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
