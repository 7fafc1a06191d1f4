//! Tasks.

use std::sync::LazyLock;

use kernel::id::JobId;
use kernel::task::{Redo, Task, TaskKey};

use crate::engine::{Cells, Corrupt};
use crate::rows::{phase, push_counts, read_counts};
use crate::statement::{Statement, Table, Texts, json, values};

pub(crate) static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "task",
        key: &["job", "task"],
        columns: &[
            "state",
            "created",
            "ended",
            "reason",
            "has_run",
            "instance_submitted",
            "instance_pending",
            "instance_runnable",
            "instance_starting",
            "instance_running",
            "instance_succeed",
            "instance_failed",
            "instance_failed_interrupted",
            "bulk",
            "intent",
            "redo_from",
            "redo_left",
            "attempts",
        ],
    }
    .texts()
});

pub(crate) fn put(task: &Task, fresh: bool) -> Statement<'_> {
    let mut values = values![
        task.key.job,
        task.key.task,
        task.phase.as_str(),
        task.created,
        task.ended,
        &task.reason,
        task.has_run,
    ];
    push_counts(&mut values, &task.instances);
    values.extend([json(&task.bulk), task.intent.as_ref().map(json).into()]);
    values.extend(values![task.redo.map(|redo| redo.from), task.redo.map(|redo| redo.left), task.attempts]);
    TEXTS.write(fresh, values)
}

pub(crate) fn delete(key: TaskKey) -> Statement<'static> {
    Statement::new(&*TEXTS.delete, values![key.job, key.task])
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Task, Corrupt> {
    Ok(Task {
        key: TaskKey { job: cells.id(JobId::from_number)?, task: cells.int()? },
        phase: phase(cells)?,
        created: cells.time()?,
        ended: cells.opt_time()?,
        reason: cells.string()?,
        has_run: cells.flag()?,
        instances: read_counts(cells)?,
        bulk: cells.json()?,
        intent: cells.opt_text(|text| serde_json::from_str(text).ok())?,
        redo: cells.opt_int()?.zip(cells.opt_int()?).map(|(from, left)| Redo { from, left }),
        attempts: cells.int()?,
    })
}
