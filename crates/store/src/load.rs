//! What is alive, in the order in which the kernel takes it in; and the rows that single commands name.

use std::fmt::Write as _;
use std::sync::Arc;

use kernel::id::JobId;
use kernel::state::Row;
use kernel::task::TaskKey;
use kernel::time::Timestamp;
use kernel::topic::StreamNo;

use crate::engine::{Engine, EngineError, all, first};
use crate::rows::{
    access, activity, environment, instance, job, ledger, machine, node, queue, subscription, task, template, token,
    topic,
};
use crate::statement::{Statement, Value, places, values};
use crate::writer::{KeptAfter, Loaded, VisibleAfter};

/// All that is alive.
pub(crate) fn load(engine: &mut dyn Engine) -> Result<Loaded, EngineError> {
    let Some(ledger) = first(engine, &ledger::select(), ledger::read)? else { return Ok(Loaded::default()) };
    let mut rows = Vec::new();
    let plain = |text: &'static str| Statement::new(text, Vec::new());
    rows.extend(all(engine, &plain(&topic::TEXTS.select), |row| topic::read(row).map(Arc::new).map(Row::Topic))?);
    rows.extend(all(engine, &plain(&queue::TEXTS.select), |row| queue::read(row).map(Arc::new).map(Row::Queue))?);
    rows.extend(all(engine, &plain(&subscription::TEXTS.select), |row| {
        subscription::read(row).map(Arc::new).map(Row::Subscription)
    })?);
    rows.extend(all(engine, &plain(&template::TEXTS.select), |row| {
        template::read(row).map(Arc::new).map(Row::Template)
    })?);
    rows.extend(all(engine, &plain(environment::SELECT), |row| environment::read(row).map(Arc::new).map(Row::Env))?);
    rows.extend(all(engine, &plain(&access::KEYS.select), |row| {
        access::read_key(row).map(Arc::new).map(Row::AccessKey)
    })?);
    rows.extend(all(engine, &plain(&access::TOKENS.select), |row| {
        access::read_token(row).map(Arc::new).map(Row::JoinToken)
    })?);
    rows.extend(all(engine, &plain(&machine::TEXTS.select), |row| machine::read(row).map(Arc::new).map(Row::Machine))?);
    rows.extend(all(engine, &plain(&node::TEXTS.select), |row| node::read(row).map(Arc::new).map(Row::Node))?);
    let going_on = format!("{} where ended is null", activity::TEXTS.select);
    rows.extend(all(engine, &Statement::new(going_on, Vec::new()), |row| {
        activity::read(row).map(Arc::new).map(Row::Activity)
    })?);
    load_jobs(engine, &mut rows)?;
    rows.extend(all(engine, &plain(&token::TEXTS.select), |row| token::read(row).map(Arc::new).map(Row::Token))?);
    Ok(Loaded { rows, version: ledger.version, now: ledger.now, next_stream: ledger.next_stream })
}

fn load_jobs(engine: &mut dyn Engine, rows: &mut Vec<Row>) -> Result<(), EngineError> {
    let living = format!(
        "{} where job.state not in ('SUCCEED', 'FAILED') or job.id in (select owner_job from env where owner_job is not null)",
        *job::SELECT
    );
    let jobs = all(engine, &Statement::new(living, Vec::new()), job::read)?;
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    rows.extend(jobs.into_iter().map(Arc::new).map(Row::Job));
    let mut live = Vec::new();
    for id in ids {
        for row in tasks_of(engine, id)? {
            if !row.phase.is_finished() {
                live.push(row.key);
            }
            rows.push(Row::Task(Arc::new(row)));
        }
    }
    for TaskKey { job, task } in live {
        let text =
            format!("{} where job = ?1 and task = ?2 and state not in ('SUCCEED', 'FAILED')", instance::TEXTS.select);
        let statement = Statement::new(text, values![job, task]);
        rows.extend(all(engine, &statement, |row| instance::read(row).map(Arc::new).map(Row::Instance))?);
    }
    Ok(())
}

/// Tasks of a job, in order.
pub(crate) fn tasks_of(engine: &mut dyn Engine, job: JobId) -> Result<Vec<kernel::task::Task>, EngineError> {
    let text = format!("{} where job = ?1 order by job, task", task::TEXTS.select);
    all(engine, &Statement::new(text, values![job]), task::read)
}

/// The head of a queue from a place on.
pub(crate) fn visible(engine: &mut dyn Engine, from: VisibleAfter, limit: usize) -> Result<Vec<Row>, EngineError> {
    let VisibleAfter { heap, now, kept, after } = from;
    let mut text = format!("{} where heap = ?1 and visible <= ?2 and enqueued > ?3", queue::MESSAGE_TEXTS.select);
    let mut values = values![heap, now, kept];
    if let Some((visible, seq)) = after {
        text.push_str(" and (visible, seq) > (?4, ?5)");
        values.extend(values![visible, seq]);
    }
    values.push(Value::from(limit as u64));
    write!(text, " order by visible, seq limit ?{}", values.len()).expect("a String takes everything");
    all(engine, &Statement::new(text, values), |row| queue::read_message(row).map(Arc::new).map(Row::Message))
}

/// Messages of a queue by place.
pub(crate) fn messages(engine: &mut dyn Engine, heap: StreamNo, seqs: &[u64]) -> Result<Vec<Row>, EngineError> {
    let text = format!("{} where heap = ?1 and seq in ({})", queue::MESSAGE_TEXTS.select, places(2, seqs.len()));
    let mut values = values![heap];
    values.extend(seqs.iter().map(|seq| Value::from(*seq)));
    all(engine, &Statement::new(text, values), |row| queue::read_message(row).map(Arc::new).map(Row::Message))
}

/// The first messages of a queue that were stored after a moment.
pub(crate) fn oldest(
    engine: &mut dyn Engine,
    heap: StreamNo,
    kept: Timestamp,
    limit: usize,
) -> Result<Vec<Row>, EngineError> {
    let text = format!("{} where heap = ?1 and enqueued > ?2 order by heap, seq limit ?3", queue::MESSAGE_TEXTS.select);
    let statement = Statement::new(text, values![heap, kept, limit as u64]);
    all(engine, &statement, |row| queue::read_message(row).map(Arc::new).map(Row::Message))
}

/// Deleted messages from a place on.
pub(crate) fn kept(engine: &mut dyn Engine, from: KeptAfter, limit: usize) -> Result<Vec<Row>, EngineError> {
    let KeptAfter { heap, from, after } = from;
    // Times grow with places, so one order is the other.
    let text = format!(
        "{} where heap = ?1 and enqueued >= ?2 and (enqueued > ?2 or seq > ?3) order by enqueued, seq limit ?4",
        queue::KEPT_TEXTS.select
    );
    let statement = Statement::new(text, values![heap, from, after, limit as u64]);
    all(engine, &statement, |row| queue::read_kept(row).map(Arc::new).map(Row::Kept))
}
