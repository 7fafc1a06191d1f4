//! Loads: what was written reads back, and only what is alive is loaded at the start.

use std::sync::Arc;

use kernel::instance::Stage;
use kernel::node::NodeStage;
use kernel::phase::Phase;
use kernel::state::Row;
use kernel::subscription::Strategy;
use kernel::time::Timestamp;
use kernel::topic::{FilterType, StreamNo};
use store::{KeptAfter, VisibleAfter};

use crate::rows::*;
use crate::{Database, Writer, only};

pub(crate) fn every_row_reads_back_as_it_was(database: &dyn Database) {
    let mut writer = Writer::new(database);
    writer.add(one_of_each());
    assert_eq!(database.open().load().unwrap().rows, one_of_each());
    let mut reader = writer.store.reader().unwrap();
    assert_eq!(*reader.env(env_id(1)).unwrap().unwrap(), env(1));
    assert_eq!(*reader.topic("tOLD").unwrap().unwrap(), topic(1, "Told"));
    assert_eq!(*reader.queue("kept").unwrap().unwrap(), queue(2, "Kept"));
    let found = reader.job(job_id(1)).unwrap().unwrap();
    assert_eq!((&*found.job, found.tasks), (&job(1), vec![Arc::new(task(1))]));
    assert_eq!(reader.job(job_id(2)).unwrap(), None);
    let key = instances(1)[1].key;
    assert_eq!(*reader.instance(key).unwrap().unwrap(), instances(1)[1]);
}

/// An HTTP subscription may sign its posts.
fn signed(row: &kernel::subscription::Subscription) -> Option<kernel::subscription::Secrets> {
    let secret = |byte| kernel::subscription::Secret::new(vec![byte; 32]).unwrap();
    let is_http = matches!(row.endpoint, kernel::subscription::Endpoint::Http { .. });
    let previous = Some((secret(1), Timestamp(9)));
    is_http.then(|| kernel::subscription::Secrets { current: secret(2), previous })
}

pub(crate) fn changed_rows_read_back_as_they_are_now(database: &dyn Database) {
    let mut writer = Writer::new(database);
    writer.add(one_of_each());
    let changed: Vec<Row> = one_of_each()
        .into_iter()
        .map(|row| match row {
            Row::Topic(row) => {
                Row::Topic(Arc::new(kernel::topic::Topic { filter: FilterType::Tags, next_seq: 9, ..(*row).clone() }))
            }
            Row::Queue(row) => {
                let mut queue = kernel::queue::Queue { stored: 7, kept: None, rewinding: None, ..(*row).clone() };
                queue.settings.rewind_s = 0;
                let rule = kernel::queue::DeadLetterRule::Age { seconds: 300 };
                queue.dead_letter = queue.dead_letter.map(|bound| kernel::queue::DeadLetter { rule, ..bound });
                Row::Queue(Arc::new(queue))
            }
            Row::Subscription(row) => {
                let strategy = Strategy::ExponentialDecayRetry;
                Row::Subscription(Arc::new(kernel::subscription::Subscription {
                    strategy,
                    stage: kernel::subscription::Stage::Active,
                    secrets: signed(&row),
                    cursor: 4,
                    ..(*row).clone()
                }))
            }
            Row::Env(row) => {
                Row::Env(Arc::new(kernel::environment::Env { desired: 9, deleting: false, ..(*row).clone() }))
            }
            Row::Node(row) => Row::Node(Arc::new(kernel::node::Node { stage: NodeStage::Abnormal, ..(*row).clone() })),
            Row::Job(row) => Row::Job(Arc::new(kernel::job::Job { terminating: false, ..(*row).clone() })),
            Row::Task(row) => Row::Task(Arc::new(kernel::task::Task { intent: None, redo: None, ..(*row).clone() })),
            Row::Instance(row) => {
                let stage = Stage::Waiting { not_before: Timestamp(1) };
                Row::Instance(Arc::new(kernel::instance::Instance { stage, ..(*row).clone() }))
            }
            other => other,
        })
        .collect();
    writer.change(changed.clone());
    assert_eq!(database.open().load().unwrap().rows, changed);
}

pub(crate) fn what_has_finished_is_not_loaded_and_can_be_fetched(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let done =
        kernel::task::Task { phase: Phase::Failed, ended: Some(Timestamp(5)), intent: None, redo: None, ..task(1) };
    let instances = instances(1).into_iter().map(|row| Row::Instance(Arc::new(row)));
    let job = Arc::new(finished(job(1), 5));
    let mut rows = vec![Row::Job(job.clone()), Row::Task(Arc::new(done.clone()))];
    rows.extend(instances);
    writer.add(rows);
    assert!(writer.store.load().unwrap().rows.is_empty());
    let found = writer.store.job(job_id(1)).unwrap().unwrap();
    assert_eq!((found.job, found.tasks), (job, vec![Arc::new(done)]));
    assert_eq!(writer.store.job(job_id(9)).unwrap(), None);
}

pub(crate) fn failed_instances_are_found_from_an_index_on(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let stage = |index: u32| if index.is_multiple_of(3) { Stage::Succeed } else { Stage::Failed };
    let instances: Vec<Row> = (0..9).map(|index| Row::Instance(Arc::new(instance(1, index, stage(index))))).collect();
    writer.add(instances.clone());
    let key = task(1).key;
    let mut found = |from, limit| writer.store.failed_instances(key, from, limit).unwrap();
    assert_eq!(found(0, 3), [&instances[1], &instances[2], &instances[4]].map(Clone::clone));
    assert_eq!(found(5, 9), [&instances[5], &instances[7], &instances[8]].map(Clone::clone));
    assert!(found(9, 9).is_empty());
    let at = |index| kernel::instance::InstanceKey { job: key.job, task: key.task, index };
    assert_eq!(writer.store.instance(at(3)).unwrap().as_ref(), Some(&instances[3]));
    assert_eq!(writer.store.instance(at(9)).unwrap(), None);
}

pub(crate) fn rows_come_in_the_order_the_kernel_takes_them(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let mut rows = one_of_each();
    rows.push(Row::Job(Arc::new(job(2))));
    rows.push(Row::Task(Arc::new(task(2))));
    rows.extend(instances(2).into_iter().map(|row| Row::Instance(Arc::new(row))));
    rows.reverse();
    writer.add(rows);
    let kinds: Vec<&str> = writer.store.load().unwrap().rows.iter().map(kind).collect();
    let mut order = kinds.clone();
    order.dedup();
    assert_eq!(
        order,
        [
            "topic",
            "queue",
            "subscription",
            "template",
            "env",
            "access key",
            "join token",
            "machine",
            "node",
            "activity",
            "job",
            "task",
            "instance",
            "token"
        ]
    );
    assert_eq!(kinds.iter().filter(|kind| **kind == "instance").count(), 4, "the finished one stays out");
}

fn kind(row: &Row) -> &'static str {
    match row {
        Row::Topic(_) => "topic",
        Row::Queue(_) => "queue",
        Row::Subscription(_) => "subscription",
        Row::Template(_) => "template",
        Row::Env(_) => "env",
        Row::AccessKey(_) => "access key",
        Row::JoinToken(_) => "join token",
        Row::Machine(_) => "machine",
        Row::Node(_) => "node",
        Row::Activity(_) => "activity",
        Row::Job(_) => "job",
        Row::Task(_) => "task",
        Row::Instance(_) => "instance",
        Row::Token(_) => "token",
        Row::Message(_) | Row::Kept(_) | Row::Delivery(_) => "loaded on demand",
    }
}

/// Messages 1 to 6 of queue 2, visible from 60, 50 ... 10 on; 4 was received and is visible at 45. One of queue 3.
fn some_messages(database: &dyn Database) -> Writer {
    let mut writer = Writer::new(database);
    let messages = (1..=6).map(|seq| queue_message(2, seq, 70 - seq as i64 * 10));
    writer.add(messages.chain([queue_message(3, 1, 5)]).map(|message| Row::Message(Arc::new(message))).collect());
    writer.change(vec![Row::Message(Arc::new(received(queue_message(2, 4, 30), 45)))]);
    writer
}

fn seqs(rows: Vec<Row>) -> Vec<u64> {
    let messages = only(rows, |row| match row {
        Row::Message(message) => Some(message),
        _ => None,
    });
    messages.iter().map(|message| message.key.seq).collect()
}

pub(crate) fn the_head_of_a_queue_comes_in_order_and_from_a_place_on(database: &dyn Database) {
    let mut writer = some_messages(database);
    let from = VisibleAfter { heap: StreamNo(2), now: Timestamp(50), kept: Timestamp(0), after: None };
    let mut head = |from, limit| seqs(writer.store.visible_messages(from, limit).unwrap());
    assert_eq!(head(from, 10), [6, 5, 3, 4, 2], "visible at 10, 20, 40, 45, 50");
    assert_eq!(head(from, 2), [6, 5]);
    let after = Some((Timestamp(20), 5));
    assert_eq!(head(VisibleAfter { after, ..from }, 10), [3, 4, 2]);
    assert_eq!(head(VisibleAfter { kept: Timestamp(20), ..from }, 10), [6, 5, 3, 4], "stored at 60, 50, 30, 40");
    assert_eq!(head(VisibleAfter { heap: StreamNo(9), ..from }, 10), [] as [u64; 0]);
}

pub(crate) fn messages_are_found_by_their_places(database: &dyn Database) {
    let mut writer = some_messages(database);
    assert_eq!(seqs(writer.store.messages(StreamNo(2), &[4, 99, 1]).unwrap()), [1, 4]);
    let found = writer.store.messages(StreamNo(2), &[4]).unwrap();
    assert_eq!(found, [Row::Message(Arc::new(received(queue_message(2, 4, 30), 45)))]);
}

pub(crate) fn messages_over_their_retention_are_named(database: &dyn Database) {
    let mut writer = some_messages(database);
    let mut over = |kept, limit| writer.store.expired_messages(StreamNo(2), Timestamp(kept), limit).unwrap();
    assert_eq!(over(30, 10), [1, 2, 3]);
    assert_eq!(over(30, 2), [1, 2]);
    assert_eq!(over(9, 10), [] as [u64; 0]);
}

pub(crate) fn the_oldest_messages_and_the_kept_ones_come_in_order(database: &dyn Database) {
    let mut writer = some_messages(database);
    writer.add(vec![Row::Message(Arc::new(dead_letter(queue_message(2, 7, 0))))]);
    let mut oldest = |kept, limit| writer.store.oldest_messages(StreamNo(2), Timestamp(kept), limit).unwrap();
    assert_eq!(seqs(oldest(30, 2)), [4, 5], "stored at 10, 20 and so on");
    let found = oldest(60, 9);
    assert_eq!(found, [Row::Message(Arc::new(dead_letter(queue_message(2, 7, 0))))]);

    writer.add((1..=4).map(|seq| Row::Kept(Arc::new(kept_message(5, seq)))).collect());
    writer.add(vec![Row::Kept(Arc::new(kept_message(6, 1)))]);
    let mut kept = |from, after, limit| -> Vec<u64> {
        let after = KeptAfter { from: Timestamp(from), after, ..KeptAfter::first(StreamNo(5)) };
        let rows = only(writer.store.kept_messages(after, limit).unwrap(), |row| match row {
            Row::Kept(message) => Some(message),
            _ => None,
        });
        rows.iter().map(|message| message.key.seq).collect()
    };
    assert_eq!(kept(i64::MIN, 0, 9), [1, 2, 3, 4]);
    assert_eq!(kept(20, 0, 2), [2, 3], "stored at 20 or later");
    assert_eq!(kept(20, 2, 9), [3, 4]);
    let found = writer.store.kept_messages(KeptAfter::first(StreamNo(5)), 1).unwrap();
    assert_eq!(found, [Row::Kept(Arc::new(kept_message(5, 1)))]);
    let again = kernel::queue::KeptMessage { deleted: Timestamp(2_000), ..kept_message(5, 1) };
    writer.change(vec![Row::Kept(Arc::new(again.clone()))]);
    let found = writer.store.kept_messages(KeptAfter::first(StreamNo(5)), 1).unwrap();
    assert_eq!(found, [Row::Kept(Arc::new(again))]);
}
