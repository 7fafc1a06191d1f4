//! Samples of what runs use.

use std::sync::LazyLock;

use kernel::id::JobId;
use kernel::instance::{InstanceKey, RunId};
use kernel::sample::Sample;

use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, Table, Texts, json, values};

pub(crate) static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "sample",
        key: &["job", "task", "idx", "attempt", "number"],
        columns: &["at", "cpu", "mem", "disks", "net"],
    }
    .texts()
});

/// A sample whose number is there already was sent twice: the first stays.
pub(crate) fn insert(sample: &Sample) -> Statement<'_> {
    static TEXT: LazyLock<String> = LazyLock::new(|| format!("{} on conflict do nothing", TEXTS.insert));
    let RunId { job, task, index, attempt } = sample.run;
    let (disks, net) = (json(&sample.disks), sample.net.as_ref().map(json));
    let values = values![job, task, index, attempt, sample.number, sample.at, sample.cpu, sample.mem, disks, net];
    Statement::new(&**TEXT, values)
}

/// Removes the samples of an instance's attempts up to one.
pub(crate) fn delete_through(key: InstanceKey, attempt: u32) -> Statement<'static> {
    let text = "delete from sample where job = ?1 and task = ?2 and idx = ?3 and attempt <= ?4";
    Statement::new(text, values![key.job, key.task, key.index, attempt])
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Sample, Corrupt> {
    let (job, task) = (cells.id(JobId::from_number)?, cells.int()?);
    let run = RunId { job, task, index: cells.int()?, attempt: cells.int()? };
    Ok(Sample {
        run,
        number: cells.int()?,
        at: cells.time()?,
        cpu: cells.int()?,
        mem: cells.int()?,
        disks: cells.json()?,
        net: cells.opt_text(|text| serde_json::from_str(text).ok())?,
    })
}
