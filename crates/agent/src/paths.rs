//! How the files and folders of a run are named.

use std::fmt;
use std::path::{Path, PathBuf};

use kernel::id::JobId;

/// One of the two outputs of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// As the name of its file ends.
impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        })
    }
}

/// The file that holds the whole output of an instance, all its attempts one after another. It is missing as long as
/// the instance has not run.
#[must_use]
pub fn log_file(logs: &Path, job: JobId, task_name: &str, index: u32, stream: Stream) -> PathBuf {
    logs.join(format!("{job}/{task_name}.{index}.{stream}"))
}

/// The name of a run's working folder inside its job's.
pub(crate) fn folder_name(task_name: &str, index: u32, attempt: u32) -> String {
    format!("{task_name}.{index}.{attempt}")
}

/// Whether a task's name can stand in a file's name. The server checks names too; the agent does not lean on that,
/// because a name with a slash would lead out of its folders.
pub(crate) fn is_plain(task_name: &str) -> bool {
    !task_name.is_empty() && task_name.len() <= 200 && !task_name.contains(['/', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let job = JobId::from_number(35).unwrap();
        assert_eq!(
            log_file(Path::new("/l"), job, "count", 3, Stream::Stderr),
            Path::new("/l/job-0000000z/count.3.stderr")
        );
        assert_eq!(folder_name("count", 3, 1), "count.3.1");
        for (name, plain) in
            [("count", true), ("..", true), ("a b", true), ("", false), ("../x", false), ("a\0", false)]
        {
            assert_eq!(is_plain(name), plain, "{name}");
        }
        assert!(!is_plain(&"n".repeat(201)));
    }
}
