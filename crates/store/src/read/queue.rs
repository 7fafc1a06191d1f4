//! Queues and what they hold.

use std::sync::Arc;

use kernel::queue::{Queue, QueueMessage};
use kernel::time::Timestamp;
use kernel::topic::StreamNo;

use crate::engine::{Cells, Engine, EngineError, all, first};
use crate::page::{NameFilter, Page, QueueFigures, Span};
use crate::read::{page, topic};
use crate::rows::queue;
use crate::statement::{Statement, values};

pub(crate) fn queue(engine: &mut dyn Engine, name: &str) -> Result<Option<Arc<Queue>>, EngineError> {
    let text = format!("{} where name_key = ?1", queue::TEXTS.select);
    first(engine, &Statement::new(text, values![name.to_lowercase()]), |row| queue::read(row).map(Arc::new))
}

pub(crate) fn queues(
    engine: &mut dyn Engine,
    filter: &NameFilter,
    span: Span,
) -> Result<Page<Arc<Queue>>, EngineError> {
    let select = &queue::TEXTS.select;
    page(engine, "queue", select, topic::named("queue", filter), "no desc", span, |row| queue::read(row).map(Arc::new))
}

pub(crate) fn figures(engine: &mut dyn Engine, queue: StreamNo, now: Timestamp) -> Result<QueueFigures, EngineError> {
    let text = "select stored, heap from queue where no = ?1";
    let found = first(engine, &Statement::new(text, values![queue]), |row| Ok((row.int::<u64>()?, row.stream()?)))?;
    let Some((stored, heap)) = found else { return Ok(QueueFigures::default()) };
    // Most are visible as a rule, and those are not counted one by one.
    let text = "select count(*), count(first_dequeued) from queue_message where heap = ?1 and visible > ?2";
    let hidden = first(engine, &Statement::new(text, values![heap, now]), |row| Ok((row.int()?, row.int()?)))?;
    let (hidden, inactive): (u64, u64) = hidden.unwrap_or_default();
    let text = "select enqueued from queue_message where heap = ?1 order by seq limit 1";
    let oldest = first(engine, &Statement::new(text, values![heap]), |row| row.time())?;
    Ok(QueueFigures { active: stored.saturating_sub(hidden), inactive, delayed: hidden - inactive, oldest })
}

pub(crate) fn messages(
    engine: &mut dyn Engine,
    queue: StreamNo,
    after: u64,
    limit: usize,
) -> Result<Vec<Arc<QueueMessage>>, EngineError> {
    let heap = "select heap from queue where no = ?1";
    let text =
        format!("{} where heap = ({heap}) and seq > ?2 order by heap, seq limit ?3", queue::MESSAGE_TEXTS.select);
    let statement = Statement::new(text, values![queue, after, limit as u64]);
    all(engine, &statement, |row| queue::read_message(row).map(Arc::new))
}

pub(crate) fn next_visible(
    engine: &mut dyn Engine,
    queue: StreamNo,
    now: Timestamp,
) -> Result<Option<Timestamp>, EngineError> {
    let text = "select visible from queue_message where heap = (select heap from queue where no = ?1) and visible > ?2 \
                order by visible limit 1";
    first(engine, &Statement::new(text, values![queue, now]), |row| row.time())
}

/// Places of the oldest messages stored at `kept` or before.
pub(crate) fn expired(
    engine: &mut dyn Engine,
    heap: StreamNo,
    kept: Timestamp,
    limit: usize,
) -> Result<Vec<u64>, EngineError> {
    // Times grow with places, so the oldest are the first.
    let text = "select seq, enqueued from queue_message where heap = ?1 order by seq limit ?2";
    let read = |row: &mut Cells<'_>| Ok((row.int::<u64>()?, row.time()?));
    // Most often nothing is due, which the oldest alone can tell.
    let oldest = first(engine, &Statement::new(text, values![heap, 1u64]), read)?;
    if oldest.is_none_or(|(_, enqueued)| enqueued > kept) {
        return Ok(Vec::new());
    }
    let oldest = all(engine, &Statement::new(text, values![heap, limit as u64]), read)?;
    Ok(oldest.into_iter().take_while(|(_, enqueued)| *enqueued <= kept).map(|(seq, _)| seq).collect())
}
