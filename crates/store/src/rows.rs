//! Rows of each noun: how they become statements, and how they are read.

pub(crate) mod access;
pub(crate) mod activity;
pub(crate) mod delivery;
pub(crate) mod environment;
pub(crate) mod garbage;
pub(crate) mod instance;
pub(crate) mod job;
pub(crate) mod ledger;
pub(crate) mod machine;
pub(crate) mod node;
pub(crate) mod queue;
pub(crate) mod sample;
pub(crate) mod subscription;
pub(crate) mod tail;
pub(crate) mod task;
pub(crate) mod template;
pub(crate) mod token;
pub(crate) mod topic;

use kernel::phase::{Counts, Phase};

use crate::engine::{Cells, Corrupt};
use crate::statement::Value;

/// Adds counts to values, one for each phase in the order of a life.
fn push_counts(values: &mut Vec<Value<'_>>, counts: &Counts) {
    values.extend(Phase::ALL.iter().map(|phase| Value::from(counts.of(*phase))));
}

/// Reads counts as [`push_counts`] writes them.
fn read_counts(cells: &mut Cells<'_>) -> Result<Counts, Corrupt> {
    let mut counts = Counts::default();
    for phase in Phase::ALL {
        counts.add(&Counts::all_in(phase, cells.int()?));
    }
    Ok(counts)
}

fn phase(cells: &mut Cells<'_>) -> Result<Phase, Corrupt> {
    cells.text(|text| text.parse().ok())
}

/// A unit-like value of the kernel by the word that serde gives it.
fn word<T: serde::de::DeserializeOwned>(cells: &mut Cells<'_>) -> Result<T, Corrupt> {
    cells.text(|text| serde_json::from_value(serde_json::Value::String(text.to_owned())).ok())
}
