//! What surrounds a command, as a node is told: addresses are resolved to folders and buckets, nothing is left to be
//! looked up. Also how the files are called that output is copied to.
//!
//! Keys and passwords travel here, because the node is who must use them. `Debug` never shows them.

use kernel::id::JobId;
pub use kernel::setup::{Secret, Workspace};
use serde::{Deserialize, Serialize};

/// What surrounds a task's command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Setup {
    /// An archive to be unpacked into the run's folder.
    pub package: Option<Package>,
    /// The container that the command runs in.
    pub container: Option<Container>,
    /// What is to be there before the command starts.
    pub inputs: Vec<Copied>,
    /// What is to be copied away after it.
    pub outputs: Vec<Sent>,
    /// How many parts of an upload are under way at once; 0 is taken as 1.
    pub workers: u32,
    /// How large such a part is, in MiB; 0 is taken as 1.
    pub part_mb: u32,
    /// Where standard output is copied to when the run is over.
    pub stdout: Vec<Target>,
    /// The same of standard error.
    pub stderr: Vec<Target>,
}

/// Where an archive comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Package {
    /// An address, `http://` or `https://`.
    Web(String),
    /// A file of the node, by its absolute path.
    File(String),
    /// A file or an object of remote storage.
    Remote(Place),
}

/// Remote storage, as this node reaches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A folder of the machine.
    Folder {
        /// What must be there already, else this machine does not have that storage.
        root: String,
        /// The path within it; ends with `/` for a folder.
        below: String,
    },
    /// A bucket of an S3-compatible server.
    Bucket {
        /// The server, `http://HOST:PORT` or `https://…`.
        endpoint: String,
        /// Its region, for signatures.
        region: String,
        /// The bucket.
        bucket: String,
        /// The key within it; ends with `/` for a folder, and is empty for the whole bucket.
        key: String,
        /// Whether the bucket is part of the host's name.
        virtual_hosted: bool,
        /// The public and the secret half of the key that requests are signed with; `None`: they are not signed.
        credentials: Option<(String, Secret)>,
    },
}

/// Remote storage that appears in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// As it was given, for reasons of failures.
    pub url: String,
    /// What is copied.
    pub from: Place,
    /// The folder it appears in; relative to the run's folder.
    pub to: String,
    /// It is not copied, but seen there: a file system that is mounted.
    pub mounted: bool,
}

/// A folder that is copied to remote storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The folder.
    pub from: String,
    /// What its path is relative to.
    pub workspace: Workspace,
    /// As it was given, for reasons of failures.
    pub url: String,
    /// Where it is copied to.
    pub to: Place,
}

/// Where an output is copied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The folder.
    pub folder: TargetFolder,
    /// The file's name in it, for [`file_name`].
    pub name: String,
}

/// The folder that an output is copied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetFolder {
    /// Of remote storage: as it was given, and where it is.
    Remote(String, Place),
    /// Of the node; relative to the run's folder.
    Local(String),
}

/// The container that a command runs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// The program that runs containers, with its own arguments; empty: `docker`, or `podman` where there is none.
    pub program: Vec<String>,
    /// Arguments of `run` that the installation adds to every container.
    pub run_options: Vec<String>,
    /// The image.
    pub image: String,
    /// The registry; empty: the usual one.
    pub server: String,
    /// Who pulls the image, and with which password.
    pub login: Option<(String, Secret)>,
    /// How often pulling is tried again.
    pub pull_retries: u32,
    /// The pause between two tries, in seconds.
    pub pull_pause_s: u32,
    /// Arguments of `run` that the task adds.
    pub options: Vec<String>,
}

/// The name of the file that an output of an instance is copied to. `stream` is `stdout` or `stderr`; an empty
/// pattern is the usual one (Tencent Batch: `stdout.<JobId>.<TaskName>.<index>.log`).
#[must_use]
pub fn file_name(pattern: &str, stream: &str, job: JobId, task_name: &str, index: u32) -> String {
    if pattern.is_empty() {
        return format!("{stream}.{job}.{task_name}.{index}.log");
    }
    let values = [
        ("${BATCH_JOB_ID}", job.to_string()),
        ("${BATCH_TASK_NAME}", task_name.to_owned()),
        ("${BATCH_TASK_INSTANCE_INDEX}", index.to_string()),
    ];
    // From left to right, so that a value is never taken for a placeholder.
    let (mut name, mut rest) = (String::new(), pattern);
    while let Some(at) = rest.find("${") {
        name.push_str(&rest[..at]);
        rest = &rest[at..];
        let (taken, value) = values
            .iter()
            .find(|(placeholder, _)| rest.starts_with(placeholder))
            .map_or((2, "${"), |(placeholder, value)| (placeholder.len(), value.as_str()));
        name.push_str(value);
        rest = &rest[taken..];
    }
    name + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_their_pattern() {
        let job = JobId::from_number(35).unwrap();
        let name = |pattern: &str| file_name(pattern, "stderr", job, "${BATCH_JOB_ID}", 7);
        assert_eq!(name(""), "stderr.job-0000000z.${BATCH_JOB_ID}.7.log");
        assert_eq!(
            name("x-${BATCH_TASK_NAME}-${BATCH_TASK_INSTANCE_INDEX}.${BATCH_JOB_ID}"),
            "x-${BATCH_JOB_ID}-7.job-0000000z"
        );
        assert_eq!(name("${OTHER}$${BATCH_TASK_INSTANCE_INDEX}${"), "${OTHER}$7${");
    }

    #[test]
    fn secrets_are_carried_and_not_shown() {
        let credentials = Some(("AKID".to_owned(), Secret("s3cret".to_owned())));
        let place = Place::Bucket {
            endpoint: "http://h".into(),
            region: "r".into(),
            bucket: "b".into(),
            key: "k".into(),
            virtual_hosted: false,
            credentials,
        };
        let setup = Setup { package: Some(Package::Remote(place)), ..Setup::default() };
        assert!(!format!("{setup:?}").contains("s3cret"));
        let text = serde_json::to_string(&setup).unwrap();
        assert!(text.contains("s3cret"));
        assert_eq!(serde_json::from_str::<Setup>(&text).unwrap(), setup);
    }
}
