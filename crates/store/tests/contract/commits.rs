//! Commits: all or nothing, once, and nothing that breaks an invariant.

use std::sync::Arc;

use kernel::instance::Stage;
use kernel::state::{Row, RowKey};
use kernel::time::Timestamp;
use kernel::topic::StreamNo;
use store::{Batch, CommitError, Cutoffs, LogTail, RowChange};

use crate::rows::*;
use crate::{Database, Writer, fresh};

pub(crate) fn a_new_database_is_at_version_zero(database: &dyn Database) {
    let loaded = database.open().load().unwrap();
    assert_eq!((loaded.version, loaded.now, loaded.next_stream), (0, Timestamp(0), 0));
    assert!(loaded.rows.is_empty());
}

pub(crate) fn a_commit_raises_the_version_and_is_seen_by_others(database: &dyn Database) {
    let mut writer = Writer::new(database);
    writer.commit(Batch { next_stream: 3, now: Timestamp(50), ..writer.batch() });
    writer.commit(Batch { next_stream: 4, now: Timestamp(60), ..writer.batch() });
    let mut other = database.open();
    assert_eq!(other.stamp().unwrap().version, 2);
    let loaded = other.load().unwrap();
    assert_eq!((loaded.version, loaded.now, loaded.next_stream), (2, Timestamp(60), 4));
}

pub(crate) fn a_batch_decided_on_another_version_changes_nothing(database: &dyn Database) {
    let (mut first, mut second) = (Writer::new(database), Writer::new(database));
    first.add(vec![Row::Topic(Arc::new(topic(1, "a")))]);
    let rows = vec![fresh(Row::Topic(Arc::new(topic(2, "b"))))];
    let late = second.try_commit(Batch { rows, ..second.batch() });
    assert!(matches!(late, Err(CommitError::Conflict { found: 1 })), "{late:?}");
    assert_eq!(second.store.load().unwrap().rows.len(), 1);
    assert_eq!(second.store.stamp().unwrap().version, 1);
}

fn refused(writer: &mut Writer, rows: Vec<RowChange>) {
    let before = writer.store.load().unwrap();
    let outcome = writer.try_commit(Batch { rows: rows.clone(), ..writer.batch() });
    assert!(matches!(outcome, Err(CommitError::Refused { .. })), "{outcome:?} of {rows:?}");
    let after = writer.store.load().unwrap();
    assert_eq!((after.version, after.rows), (before.version, before.rows));
}

pub(crate) fn a_taken_id_refuses_the_whole_batch(database: &dyn Database) {
    let mut writer = Writer::new(database);
    writer.add(one_of_each());
    let token = || fresh(Row::Token(Arc::new(token("other"))));
    let mut other_id = topic(3, "told");
    for row in one_of_each() {
        if !matches!(row, Row::Token(_)) {
            refused(&mut writer, vec![token(), fresh(row)]);
        }
    }
    // A name is taken in any case of its letters.
    refused(&mut writer, vec![token(), fresh(Row::Topic(Arc::new(other_id.clone())))]);
    other_id.name = "another".into();
    writer.add(vec![Row::Topic(Arc::new(other_id))]);
}

pub(crate) fn a_row_that_must_be_there_and_is_not_refuses_the_batch(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let message = received(queue_message(2, 1, 0), 9);
    let missing = one_of_each().into_iter().chain([Row::Message(Arc::new(message))]);
    for row in missing.filter(|row| !matches!(row, Row::Token(_))) {
        refused(&mut writer, vec![RowChange { fresh: false, ..fresh(row) }]);
    }
}

pub(crate) fn rows_that_break_an_invariant_are_refused(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let running = job(1);
    let held = instances(1).remove(1);
    let mut broken = vec![
        Row::Job(Arc::new(kernel::job::Job { ended: Some(Timestamp(1)), ..running.clone() })),
        Row::Job(Arc::new(kernel::job::Job { terminating: true, ..finished(running, 5) })),
        Row::Task(Arc::new(kernel::task::Task { ended: Some(Timestamp(1)), ..task(1) })),
        Row::Instance(Arc::new(kernel::instance::Instance { node: None, ..held.clone() })),
        Row::Instance(Arc::new(kernel::instance::Instance { attempt: 0, ..held.clone() })),
        Row::Instance(Arc::new(kernel::instance::Instance { ended: Some(Timestamp(1)), ..held })),
        Row::Instance(Arc::new(kernel::instance::Instance { ended: None, ..instance(1, 0, Stage::Failed) })),
    ];
    broken.push(Row::Message(Arc::new(kernel::queue::QueueMessage { receipt: 1, ..queue_message(2, 1, 0) })));
    let mut large = queue(1, "q");
    large.settings.retention_s = u64::MAX;
    broken.push(Row::Queue(Arc::new(large)));
    for row in broken {
        refused(&mut writer, vec![fresh(row)]);
    }
}

pub(crate) fn a_name_that_becomes_free_can_be_taken_in_the_same_batch(database: &dyn Database) {
    let mut writer = Writer::new(database);
    writer.add(vec![Row::Queue(Arc::new(queue(1, "q")))]);
    let gone = RowChange { key: RowKey::Queue(StreamNo(1)), row: None, fresh: false };
    let rows = vec![fresh(Row::Queue(Arc::new(queue(2, "Q")))), gone];
    writer.commit(Batch { rows, ..writer.batch() });
    assert_eq!(writer.store.load().unwrap().rows, [Row::Queue(Arc::new(queue(2, "Q")))]);
}

pub(crate) fn an_id_of_a_deleted_job_is_free_once_its_rows_are_gone(database: &dyn Database) {
    let mut writer = Writer::new(database);
    writer.add(vec![Row::Job(Arc::new(job(1)))]);
    writer.remove(vec![RowKey::Job(job_id(1))]);
    refused(&mut writer, vec![fresh(Row::Job(Arc::new(job(1))))]);
    let never = Timestamp(i64::MIN);
    writer
        .store
        .sweep(&Cutoffs { jobs: never, attempts: never, activities: never, many: vec![], topics: vec![] }, 10)
        .unwrap();
    writer.add(vec![Row::Job(Arc::new(job(1)))]);
}

pub(crate) fn an_attempt_recorded_twice_stays_as_it_was(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let first = attempt(1, 1, 7, 1);
    let mut again = (*first).clone();
    again.duration_ms = 999;
    for attempt in [first.clone(), Arc::new(again)] {
        writer.commit(Batch { attempts: vec![attempt], ..writer.batch() });
    }
    let mut reader = writer.store.reader().unwrap();
    assert_eq!(reader.attempts_of(first.key.subscription, 7, 10).unwrap(), [first]);
}

pub(crate) fn output_is_kept_of_the_latest_attempt(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let key = instance(1, 3, Stage::Succeed).key;
    let tail = |attempt, stdout: &[u8]| LogTail { key, attempt, stdout: stdout.into(), stderr: [].into() };
    let mut kept = |tail: LogTail| {
        writer.commit(Batch { tails: vec![tail], ..writer.batch() });
        writer.store.reader().unwrap().log_tails(key.task_key(), &[1, 2, 3]).unwrap()
    };
    assert_eq!(kept(tail(1, b"one\xff")), [tail(1, b"one\xff")]);
    assert_eq!(kept(tail(2, b"two")), [tail(2, b"two")]);
    assert_eq!(kept(tail(3, b"")), []);
}
