//! `herald backup` and `herald restore`.

use std::path::PathBuf;

use serde_json::json;
use server::About;

use crate::failure::Failure;
use crate::output::Output;

/// Write a server's data into one file, while the server runs
#[derive(clap::Args)]
#[command(after_help = BACKUP_MORE)]
pub(crate) struct Backup {
    /// The file; it must not be there yet
    file: PathBuf,
    /// The server's data folder
    #[arg(long, value_name = "DIR", default_value = "./herald-data")]
    data: PathBuf,
    /// Take the outputs of instances along
    #[arg(long)]
    outputs: bool,
    /// Print what the backup says of itself, as JSON
    #[arg(long)]
    json: bool,
}

const BACKUP_MORE: &str = "\
The file holds everything as it stood at one moment, with the server's key pair: keep it as secret as that. What lies \
elsewhere (buckets of cos://, mounts, the configuration) is not in it. `herald restore` makes a data folder of it.";

/// Make a data folder of a backup
#[derive(clap::Args)]
#[command(after_help = RESTORE_MORE)]
pub(crate) struct Restore {
    /// The backup
    file: PathBuf,
    /// The data folder to make; it must not be there yet, or be empty
    #[arg(long, value_name = "DIR", default_value = "./herald-data")]
    data: PathBuf,
    /// Print what the backup says of itself, as JSON
    #[arg(long)]
    json: bool,
}

const RESTORE_MORE: &str = "\
A server that is started on it goes on from the moment of the backup. The nodes of then are gone: what ran on them \
counts as lost with its node, and new nodes are made. What was told after that moment may be told again: each event \
bears the same Sequence as then, or another event does. Never run both the old and the restored server.";

impl Backup {
    /// Writes the file.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let about = server::backup(&self.data, &self.file, self.outputs)?;
        tell(self.json, &about, format_args!("{} holds {} commits", self.file.display(), about.commits))
    }
}

impl Restore {
    /// Makes the folder.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let about = server::restore(&self.file, &self.data)?;
        let told = format_args!("{} is as it was after {} commits", self.data.display(), about.commits);
        tell(self.json, &about, told)
    }
}

fn tell(as_json: bool, about: &About, told: impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = Output::standard(as_json);
    if as_json {
        out.json(&json!(about))?;
    } else {
        out.say(told);
    }
    out.flush()
}
