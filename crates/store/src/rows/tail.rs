//! The last output of instances' latest runs.

use std::sync::LazyLock;

use kernel::id::JobId;
use kernel::instance::InstanceKey;

use crate::batch::LogTail;
use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, Table, Texts, values};

pub(crate) static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table { name: "log_tail", key: &["job", "task", "idx"], columns: &["attempt", "stdout", "stderr"] }.texts()
});

/// Keeps a run's output; a run without any leaves no row.
pub(crate) fn put(tail: &LogTail) -> Statement<'_> {
    let InstanceKey { job, task, index } = tail.key;
    if tail.stdout.is_empty() && tail.stderr.is_empty() {
        return Statement::new(&*TEXTS.delete, values![job, task, index]);
    }
    Statement::new(&*TEXTS.put, values![job, task, index, tail.attempt, &*tail.stdout, &*tail.stderr])
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<LogTail, Corrupt> {
    Ok(LogTail {
        key: InstanceKey { job: cells.id(JobId::from_number)?, task: cells.int()?, index: cells.int()? },
        attempt: cells.int()?,
        stdout: cells.blob()?,
        stderr: cells.blob()?,
    })
}
