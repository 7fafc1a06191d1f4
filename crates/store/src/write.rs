//! A batch as statements, in one transaction that the engine has begun.
//!
//! What goes is deleted before anything is written, so that a name that becomes free in a batch can be taken in it.

use kernel::state::{Row, RowKey};
use kernel::time::Timestamp;

use crate::batch::{Batch, RowChange};
use crate::engine::{Engine, EngineError, ErrorKind, first};
use crate::error::{CommitError, StoreError};
use crate::rows::{
    access, activity, delivery, environment, garbage, instance, job, ledger, machine, node, queue, sample,
    subscription, tail, task, template, token, topic,
};
use crate::statement::{Expect, Statement};

/// Writes a batch. After an error the transaction must be rolled back.
pub(crate) fn write(engine: &mut dyn Engine, batch: &Batch) -> Result<(), CommitError> {
    let begin = |error: EngineError| failed(error, "advance the ledger's version");
    let advance = ledger::advance(batch);
    if engine.execute(&advance).map_err(begin)? == 0 {
        let found = first(engine, &ledger::select(), ledger::read).map_err(begin)?;
        return Err(CommitError::Conflict { found: found.map_or(0, |row| row.version) });
    }
    for change in batch.rows.iter().filter(|change| change.row.is_none()) {
        run(engine, &delete(&change.key), "delete a row")?;
        if let Some(left) = garbage::Garbage::of(&change.key) {
            run(engine, &[garbage::put(left)], "note what a deleted row leaves")?;
        }
    }
    for change in &batch.rows {
        check_fresh(engine, change)?;
        if let Some(row) = &change.row {
            put(engine, row, change.fresh, batch.now)?;
        }
    }
    for message in &batch.messages {
        run(engine, &[topic::insert_message(message)], "write a topic's message")?;
    }
    for attempt in &batch.attempts {
        run(engine, &[delivery::insert_attempt(attempt)], "write an attempt")?;
    }
    for (key, attempt) in &batch.dropped_samples {
        run(engine, &[sample::delete_through(*key, *attempt)], "drop samples")?;
    }
    for sample in &batch.samples {
        run(engine, &[sample::insert(sample)], "write a sample")?;
    }
    for tail in &batch.tails {
        run(engine, &[tail::put(tail)], "write the last output of a run")?;
    }
    Ok(())
}

fn delete(key: &RowKey) -> Vec<Statement<'_>> {
    match key {
        RowKey::Job(id) => job::delete(*id),
        RowKey::Task(key) => vec![task::delete(*key)],
        RowKey::Instance(key) => vec![instance::delete(*key)],
        RowKey::Template(id) => template::delete(*id),
        RowKey::Env(id) => environment::delete(*id),
        RowKey::AccessKey(id) => vec![access::delete_key(id)],
        RowKey::JoinToken(digest) => vec![access::delete_token(digest)],
        RowKey::Machine(id) => vec![machine::delete(*id)],
        RowKey::Node(id) => vec![node::delete(*id)],
        RowKey::Activity(key) => vec![activity::delete(*key)],
        RowKey::Topic(no) => topic::delete(*no),
        RowKey::Queue(no) => queue::delete(*no),
        RowKey::Subscription(key) => vec![subscription::delete(*key)],
        RowKey::Message(key) => vec![queue::delete_message(*key)],
        RowKey::Kept(key) => vec![queue::delete_kept(*key)],
        // Nothing but what it leaves.
        RowKey::Heap(_) | RowKey::KeptHeap(_) => Vec::new(),
        RowKey::Delivery(key) => vec![delivery::delete(*key)],
        RowKey::Token(key) => vec![token::delete(key)],
    }
}

fn put(engine: &mut dyn Engine, row: &Row, fresh: bool, now: Timestamp) -> Result<(), CommitError> {
    match row {
        Row::Job(row) => run(engine, &job::put(row, fresh), "write a job"),
        Row::Task(row) => run(engine, &[task::put(row, fresh)], "write a task"),
        Row::Instance(row) => run(engine, &[instance::put(row, fresh)], "write an instance"),
        Row::Template(row) => run(engine, &template::put(row, fresh), "write a task template"),
        Row::Env(row) => run(engine, &environment::put(row, fresh), "write an environment"),
        Row::AccessKey(row) => run(engine, &[access::put_key(row, fresh)], "write a key pair"),
        Row::JoinToken(row) => run(engine, &[access::put_token(row, fresh)], "write a token to join with"),
        Row::Machine(row) => run(engine, &[machine::put(row, fresh)], "write a machine"),
        Row::Node(row) => run(engine, &[node::put(row, fresh)], "write a node"),
        Row::Activity(row) => run(engine, &[activity::put(row, fresh)], "write an activity"),
        Row::Topic(row) => run(engine, &topic::put(row, fresh), "write a topic"),
        Row::Queue(row) => run(engine, &queue::put(row, fresh), "write a queue"),
        Row::Subscription(row) => run(engine, &[subscription::put(row, fresh)], "write a subscription"),
        Row::Kept(row) => run(engine, &[queue::put_kept(row, fresh)], "write a deleted message"),
        Row::Message(row) => run(engine, &[queue::put_message(row, fresh)], "write a queue's message"),
        Row::Delivery(row) => run(engine, &[delivery::put(row, now)], "write a delivery"),
        Row::Token(row) => run(engine, &[token::put(row)], "write a client token"),
    }
}

/// Refuses a new job with the id of a deleted one whose instances are still there.
fn check_fresh(engine: &mut dyn Engine, change: &RowChange) -> Result<(), CommitError> {
    let operation = "write a job";
    match (&change.key, change.fresh) {
        (RowKey::Job(id), true) => {
            match first(engine, &garbage::has_job(*id), |_| Ok(())).map_err(|error| failed(error, operation))? {
                Some(()) => {
                    let source = StoreError::new(operation, "a deleted job with this id is still being removed");
                    Err(CommitError::Refused { source })
                }
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Runs statements; one that changes another number of rows than it must is refused.
fn run(engine: &mut dyn Engine, statements: &[Statement<'_>], operation: &'static str) -> Result<(), CommitError> {
    for statement in statements {
        let changed = engine.execute(statement).map_err(|error| failed(error, operation))?;
        if statement.expect == Expect::One && changed != 1 {
            let source = StoreError::new(operation, format!("{changed} rows have its key"));
            return Err(CommitError::Refused { source });
        }
    }
    Ok(())
}

/// What a failure before the end of the transaction means.
pub(crate) fn failed(error: EngineError, operation: &'static str) -> CommitError {
    let kind = error.kind;
    let source = error.of(operation);
    match kind {
        ErrorKind::Refused => CommitError::Refused { source },
        ErrorKind::Unavailable => CommitError::Unavailable { source },
        ErrorKind::SyncFailed => CommitError::SyncFailed { source },
    }
}
