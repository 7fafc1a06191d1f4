//! Instances of a task: those with rows and those without, in one page; and what they have said last.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::instance::{Instance, InstanceKey};
use kernel::limits::{RUN_SAMPLES, SAMPLED_ATTEMPTS};
use kernel::phase::Phase;
use kernel::sample::Sample;
use kernel::state::Row;
use kernel::task::{Task, TaskKey};
use kernel::time::Timestamp;

use crate::batch::LogTail;
use crate::engine::{Engine, EngineError, Flow, all, first};
use crate::merge::{Merge, Place};
use crate::page::{InstanceListed, Page, Span};
use crate::rows::{instance, sample, tail, task};
use crate::statement::{Statement, Value, places, values};

/// Rows that one statement names by index.
const NAMED: usize = 500;

pub(crate) fn instance(engine: &mut dyn Engine, key: InstanceKey) -> Result<Option<Arc<Instance>>, EngineError> {
    let text = format!("{} where job = ?1 and task = ?2 and idx = ?3", instance::TEXTS.select);
    let statement = Statement::new(text, values![key.job, key.task, key.index]);
    first(engine, &statement, |row| instance::read(row).map(Arc::new))
}

/// FAILED instances from an index on, in order.
pub(crate) fn failed(engine: &mut dyn Engine, key: TaskKey, from: u32, limit: usize) -> Result<Vec<Row>, EngineError> {
    let conditions = "job = ?1 and task = ?2 and idx >= ?3 and state = 'FAILED' order by job, task, idx limit ?4";
    let text = format!("{} where {conditions}", instance::TEXTS.select);
    let statement = Statement::new(text, values![key.job, key.task, from, limit as u64]);
    all(engine, &statement, |row| instance::read(row).map(Arc::new).map(Row::Instance))
}

pub(crate) fn instances(
    engine: &mut dyn Engine,
    key: TaskKey,
    phases: &[Phase],
    span: Span,
) -> Result<Option<Page<InstanceListed>>, EngineError> {
    let text = format!("{} where job = ?1 and task = ?2", task::TEXTS.select);
    let Some(task) = first(engine, &Statement::new(text, values![key.job, key.task]), task::read)? else {
        return Ok(None);
    };
    let is_wanted = |phase: &Phase| phases.is_empty() || phases.contains(phase);
    let total = Phase::ALL.iter().filter(|phase| is_wanted(phase)).map(|phase| task.instances.of(*phase)).sum();
    let places = if Phase::ALL.iter().all(|phase| is_wanted(phase) || task.instances.of(*phase) == 0) {
        // Every index is either a row or in the bulk, so the span's places are its indexes.
        let end = span.offset.saturating_add(span.limit).min(total);
        let indexes = (span.offset..end).filter_map(|index| u32::try_from(index).ok());
        indexes.map(|index| Place { index, bulk: task.bulk.contains(index) }).collect()
    } else {
        filtered(engine, &task, phases, span)?
    };
    let indexes: Vec<u32> = places.iter().filter(|place| !place.bulk).map(|place| place.index).collect();
    let mut rows = rows_at(engine, key, &indexes)?;
    let items = places.into_iter().filter_map(|place| {
        let bulk = InstanceListed::Bulk { index: place.index, phase: task.bulk_phase(), created: task.created };
        let row = (!place.bulk).then(|| rows.remove(&place.index)).flatten();
        match row {
            // What is to run again is listed as it will stand.
            Some(row) if task.redoes(place.index, row.phase()) => Some(bulk),
            Some(row) => Some(InstanceListed::Row(row)),
            None => place.bulk.then_some(bulk),
        }
    });
    Ok(Some(Page { total, items: items.collect() }))
}

/// Which instances in some of the states make up a span.
fn filtered(engine: &mut dyn Engine, task: &Task, phases: &[Phase], span: Span) -> Result<Vec<Place>, EngineError> {
    let none = kernel::ranges::Ranges::default();
    let bulk = if phases.contains(&task.bulk_phase()) { &task.bulk } else { &none };
    let mut merge = Merge::new(bulk, span);
    let states = places(4, phases.len());
    // From here on, rows that say FAILED are of instances that are about to be in the bulk again.
    let redone = task.redo.map_or(u32::MAX, |redo| redo.from);
    let also = if phases.contains(&task.bulk_phase()) { "or (state = 'FAILED' and idx >= ?3)" } else { "" };
    let wanted = format!("(state in ({states}) and (state <> 'FAILED' or idx < ?3)) {also}");
    let text = format!("select idx from instance where job = ?1 and task = ?2 and ({wanted}) order by idx");
    let mut values = values![task.key.job, task.key.task, redone];
    values.extend(phases.iter().map(|phase| Value::from(phase.as_str())));
    engine.query(&Statement::new(text, values), &mut |row| {
        Ok(if merge.row(row.int()?) { Flow::More } else { Flow::Enough })
    })?;
    Ok(merge.finish())
}

fn rows_at(
    engine: &mut dyn Engine,
    key: TaskKey,
    indexes: &[u32],
) -> Result<BTreeMap<u32, Arc<Instance>>, EngineError> {
    let mut found = BTreeMap::new();
    for some in indexes.chunks(NAMED) {
        for row in all(engine, &at(&instance::TEXTS.select, key, some), instance::read)? {
            found.insert(row.key.index, Arc::new(row));
        }
    }
    Ok(found)
}

pub(crate) fn log_tails(engine: &mut dyn Engine, key: TaskKey, indexes: &[u32]) -> Result<Vec<LogTail>, EngineError> {
    let mut tails = Vec::new();
    for some in indexes.chunks(NAMED) {
        tails.extend(all(engine, &at(&tail::TEXTS.select, key, some), tail::read)?);
    }
    tails.sort_by_key(|tail| tail.key);
    Ok(tails)
}

pub(crate) fn samples(
    engine: &mut dyn Engine,
    key: InstanceKey,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Sample>, EngineError> {
    let select = &sample::TEXTS.select;
    let text = format!(
        "{select} where job = ?1 and task = ?2 and idx = ?3 and at between ?4 and ?5 order by attempt, number limit ?6"
    );
    // As many as there are of an instance; those of 16 attempts would have to be the longest there can be.
    let most = u64::from(RUN_SAMPLES) * u64::from(SAMPLED_ATTEMPTS);
    let values = values![key.job, key.task, key.index, from, to, most];
    all(engine, &Statement::new(text, values), sample::read)
}

/// A select of the rows with these indexes.
fn at(select: &str, key: TaskKey, indexes: &[u32]) -> Statement<'static> {
    let text = format!("{select} where job = ?1 and task = ?2 and idx in ({})", places(3, indexes.len()));
    let mut values = values![key.job, key.task];
    values.extend(indexes.iter().map(|index| Value::from(*index)));
    Statement::new(text, values)
}
