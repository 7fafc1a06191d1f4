//! `DescribeTaskLogs`: the last bytes that instances wrote.
//!
//! Those of a run that has ended came with its report and are in the store; those of a run that goes on are at the end
//! of its files.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use agent::{Stream, log_file};
use kernel::id::JobId;
use kernel::instance::{InstanceKey, Stage};
use kernel::task::TaskKey;
use serde_json::Value;
use store::{Reader, StoreError};
use wire::api3::ApiError;
use wire::batch::reply::{Log, describe_task_logs};
use wire::batch::{self, DescribeTaskLogs, Logs};

use super::describe_task::number;
use super::{no_job, no_task};
use crate::App;
use crate::api::api3::{Action, internal, of_store};

pub(super) const ACTION: Action = Action {
    name: "DescribeTaskLogs",
    help: "Shows the last bytes that instances wrote to standard output and standard error.",
    call: |app, params| Box::pin(call(app, params)),
};

/// Bytes of each stream that are shown, as Tencent Batch documents it.
const TAIL_BYTES: u64 = wire::node::TAIL_BYTES as u64;

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let DescribeTaskLogs { job, task_name, instances } = batch::describe_task_logs(params)?;
    let rows = app.read(move |reader| reader.job(job)).await.map_err(|error| of_store(&error))?;
    let rows = rows.ok_or_else(|| no_job(job))?;
    let task = number(&rows, &task_name).ok_or_else(|| no_task(job, &task_name))?;
    let spec = &rows.job.spec.tasks[task as usize];
    let indexes = indexes(instances, spec.instances)?;
    let key = TaskKey { job, task };
    let found = app.read(move |reader| look(reader, key, &indexes)).await.map_err(|error| of_store(&error))?;
    let logs = app.logs.clone();
    let read = move || found.into_iter().filter_map(|found| found.read(&logs, job, &task_name)).collect::<Vec<_>>();
    let logs = tokio::task::spawn_blocking(read).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "the reading of logs failed");
        internal()
    })?;
    Ok(describe_task_logs(job, spec, &logs))
}

/// The instances that are asked for, of `total`.
fn indexes(wanted: Logs, total: u32) -> Result<Vec<u32>, ApiError> {
    match wanted {
        Logs::Indexes(indexes) => {
            let known = |index: &u64| u32::try_from(*index).ok().filter(|index| *index < total);
            indexes
                .iter()
                .map(|index| known(index).ok_or_else(|| no_instance("TaskInstanceIndexes", *index, total)))
                .collect()
        }
        Logs::Page(page) => {
            let first = u32::try_from(page.offset).unwrap_or(total).min(total);
            let count = u32::try_from(page.limit).unwrap_or(total).min(total - first);
            Ok((first..first + count).collect())
        }
    }
}

pub(super) fn no_instance(key: &str, index: u64, total: u32) -> ApiError {
    let message = format!("{key}: there is no instance {index}; the task has {total}");
    ApiError::new("ResourceNotFound.TaskInstance", message)
}

/// What the store knows of an instance's output.
struct Found {
    index: u32,
    /// A run goes on, and writes to the instance's files.
    running: bool,
    /// What its latest run that ended left.
    left: Option<Log>,
}

fn look(reader: &mut dyn Reader, task: TaskKey, indexes: &[u32]) -> Result<Vec<Found>, StoreError> {
    let tails = reader.log_tails(task, indexes)?;
    let look = |index: &u32| {
        let instance = reader.instance(InstanceKey { job: task.job, task: task.task, index: *index })?;
        let running = instance.is_some_and(|row| matches!(row.stage, Stage::Held { started: true, .. }));
        let tail = tails.iter().find(|tail| tail.key.index == *index);
        let left = tail.map(|tail| Log { index: *index, stdout: tail.stdout.to_vec(), stderr: tail.stderr.to_vec() });
        Ok(Found { index: *index, running, left })
    };
    indexes.iter().map(look).collect()
}

impl Found {
    /// The instance's output; `None` when it has written nothing.
    fn read(self, logs: &Path, job: JobId, task_name: &str) -> Option<Log> {
        if !self.running {
            return self.left;
        }
        let tail = |stream| {
            let path = log_file(logs, job, task_name, self.index, stream);
            match tail(&path) {
                Ok(tail) => tail,
                // It has only just begun, or runs where its files cannot be seen.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, path = %path.display(), "unreadable log");
                    Vec::new()
                }
            }
        };
        let log = Log { index: self.index, stdout: tail(Stream::Stdout), stderr: tail(Stream::Stderr) };
        if log.stdout.is_empty() && log.stderr.is_empty() { self.left } else { Some(log) }
    }
}

/// The last bytes of a file.
fn tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let bytes = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(bytes.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    Ok(tail)
}

#[cfg(test)]
mod tests {
    use kernel::list::Span;

    use super::*;

    #[test]
    fn instances_are_taken_from_those_there_are() {
        let page = |offset, limit, total| indexes(Logs::Page(Span { offset, limit }), total);
        assert_eq!(page(0, 5, 3), Ok(vec![0, 1, 2]));
        assert_eq!(page(2, 2, 9), Ok(vec![2, 3]));
        assert_eq!(page(3, 5, 3), Ok(vec![]));
        assert_eq!(page(u64::MAX, 5, 3), Ok(vec![]));
        assert_eq!(indexes(Logs::Indexes(vec![0, 2]), 3), Ok(vec![0, 2]));
        let error = indexes(Logs::Indexes(vec![0, 3]), 3).unwrap_err();
        assert_eq!(error.code, "ResourceNotFound.TaskInstance");
    }

    #[test]
    fn a_running_instance_shows_the_end_of_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let job = JobId::from_number(35).unwrap();
        let left = Some(Log { index: 3, stdout: b"before".to_vec(), stderr: Vec::new() });
        let found = |running| Found { index: 3, running, left: left.clone() };
        assert_eq!(found(true).read(folder.path(), job, "a"), left);
        let path = log_file(folder.path(), job, "a", 3, Stream::Stderr);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = format!("{}{}", "x".repeat(5000), "y".repeat(2048));
        std::fs::write(path, text).unwrap();
        let log = found(true).read(folder.path(), job, "a").unwrap();
        assert_eq!((log.stdout, log.stderr), (Vec::new(), vec![b'y'; 2048]));
        assert_eq!(found(false).read(folder.path(), job, "a"), left);
    }
}
