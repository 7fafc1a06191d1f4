//! Sweeps: what is left over goes, in chunks, and nothing else.

use std::sync::Arc;

use kernel::delivery::DeliveryStage;
use kernel::loops::expire::TopicCutoff;
use kernel::state::{Row, RowKey};
use kernel::time::Timestamp;
use kernel::topic::StreamNo;
use store::{Batch, Cutoffs, DeliverySet, JobFilter, KeptAfter, LogTail, Span, Swept};

use crate::rows::*;
use crate::{Database, Writer};

const ALL: Span = Span { offset: 0, limit: 100 };

fn nothing() -> Cutoffs {
    Cutoffs {
        jobs: Timestamp(i64::MIN),
        attempts: Timestamp(i64::MIN),
        many: Vec::new(),
        activities: Timestamp(i64::MIN),
        topics: Vec::new(),
    }
}

/// Sweeps to the end; gives what each sweep removed.
fn sweep_all(writer: &mut Writer, cutoffs: &Cutoffs, limit: usize) -> Vec<usize> {
    let version = writer.store.stamp().unwrap().version;
    let mut removed = Vec::new();
    loop {
        let swept = writer.store.sweep(cutoffs, limit).unwrap();
        assert!(swept.rows <= limit);
        removed.push(swept.rows);
        if !swept.more {
            break;
        }
    }
    assert_eq!(writer.store.stamp().unwrap().version, version, "a sweep is no decision");
    removed
}

fn add_job(writer: &mut Writer, number: u64, ended: i64) {
    let mut rows = vec![Row::Job(Arc::new(finished(job(number), ended))), Row::Task(Arc::new(task(number)))];
    rows.extend(instances(number).into_iter().map(|row| Row::Instance(Arc::new(row))));
    writer.add(rows);
    let key = instances(number)[2].key;
    let tail = LogTail { key, attempt: 1, stdout: (*b"out").into(), stderr: (*b"err").into() };
    writer.commit(Batch { tails: vec![tail], ..writer.batch() });
}

pub(crate) fn what_a_deleted_job_leaves_goes_in_chunks(database: &dyn Database) {
    let mut writer = Writer::new(database);
    add_job(&mut writer, 1, 5);
    add_job(&mut writer, 2, 5);
    writer.remove(vec![RowKey::Job(job_id(1)), RowKey::Task(task(1).key)]);
    let mut reader = writer.store.reader().unwrap();
    assert_eq!(reader.job(job_id(1)).unwrap(), None);
    assert_eq!(reader.jobs(&JobFilter::default(), ALL).unwrap().total, 1);
    // One tail, three instances, the note itself.
    assert_eq!(sweep_all(&mut writer, &nothing(), 2), [2, 2, 1]);
    assert_eq!(reader.instance(instances(1)[0].key).unwrap(), None);
    assert!(reader.log_tails(task(1).key, &[2]).unwrap().is_empty());
    assert!(reader.instance(instances(2)[0].key).unwrap().is_some());
    assert_eq!(reader.log_tails(task(2).key, &[2]).unwrap().len(), 1);
    assert_eq!(reader.job(job_id(2)).unwrap().unwrap().tasks.len(), 1);
}

pub(crate) fn what_deleted_topics_queues_and_subscriptions_leave_goes(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let rows = [1, 2].into_iter().flat_map(|no| {
        [
            Row::Topic(Arc::new(topic(no, &format!("t{no}")))),
            Row::Queue(Arc::new(queue(no + 10, &format!("q{no}")))),
            Row::Subscription(Arc::new(subscription(no, 1, http()))),
            Row::Message(Arc::new(queue_message(no + 10, 1, 0))),
            Row::Kept(Arc::new(kept_message(no + 10, 2))),
            Row::Delivery(Arc::new(delivery(no, 1, 1, DeliveryStage::Dead))),
        ]
    });
    writer.add(rows.collect());
    let messages = vec![topic_message(1, 1), topic_message(2, 1)];
    let attempts = vec![attempt(1, 1, 1, 1), attempt(2, 1, 1, 1)];
    writer.commit(Batch { messages, attempts, ..writer.batch() });
    let key = |topic| subscription(topic, 1, http()).key;
    let heaps = [RowKey::Heap(StreamNo(11)), RowKey::KeptHeap(StreamNo(11))];
    let gone = [RowKey::Topic(StreamNo(1)), RowKey::Queue(StreamNo(11)), RowKey::Subscription(key(1))];
    writer.remove(gone.into_iter().chain(heaps).collect());
    // Two messages of the queue and one of the topic, a delivery, an attempt, and four notes.
    assert_eq!(sweep_all(&mut writer, &nothing(), 100), [9]);
    let mut reader = writer.store.reader().unwrap();
    for (topic, left) in [(1, 0), (2, 1)] {
        assert_eq!(reader.topic_messages(StreamNo(topic), 0, 10).unwrap().len(), left);
        assert_eq!(reader.deliveries(key(topic), DeliverySet::All, 0, 10).unwrap().len(), left);
        assert_eq!(reader.attempts(key(topic), None, 10).unwrap().len(), left);
        assert_eq!(writer.store.messages(StreamNo(topic + 10), &[1]).unwrap().len(), left);
        let kept = writer.store.kept_messages(KeptAfter::first(StreamNo(topic + 10)), 9).unwrap();
        assert_eq!(kept.len(), left);
    }
}

pub(crate) fn jobs_that_ended_long_ago_go_with_all_they_have(database: &dyn Database) {
    let mut writer = Writer::new(database);
    add_job(&mut writer, 1, 5);
    add_job(&mut writer, 2, 50);
    writer.add(vec![Row::Job(Arc::new(job(3)))]);
    let cutoffs = Cutoffs { jobs: Timestamp(5), ..nothing() };
    let swept = writer.store.sweep(&cutoffs, 100).unwrap();
    // The job, one tail, three instances, one task, one note.
    assert_eq!(swept, Swept { rows: 7, jobs: vec![job_id(1)], more: false });
    let mut reader = writer.store.reader().unwrap();
    assert_eq!(reader.jobs(&JobFilter::default(), ALL).unwrap().total, 2);
    assert_eq!(reader.instance(instances(1)[0].key).unwrap(), None);
    assert!(reader.instance(instances(2)[0].key).unwrap().is_some());
}

pub(crate) fn messages_over_their_time_go_and_leave_deliveries(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let messages = (1..=5).map(|seq| topic_message(1, seq)).collect();
    let dead = |seq| Row::Delivery(Arc::new(delivery(1, 1, seq, DeliveryStage::Dead)));
    let retrying = delivery(1, 1, 2, DeliveryStage::Retrying { next: Timestamp(1) });
    writer.add(vec![
        Row::Topic(Arc::new(topic(1, "t"))),
        Row::Subscription(Arc::new(subscription(1, 1, http()))),
        dead(1),
        Row::Delivery(Arc::new(retrying)),
        dead(4),
    ]);
    writer.commit(Batch { messages, ..writer.batch() });
    let left = |writer: &mut Writer| {
        let mut reader = writer.store.reader().unwrap();
        let messages = reader.topic_messages(StreamNo(1), 0, 10).unwrap();
        let rows = reader.deliveries(subscription(1, 1, http()).key, DeliverySet::All, 0, 10).unwrap();
        let seqs = messages.iter().map(|message| message.seq).collect::<Vec<_>>();
        (seqs, rows.iter().map(|row| row.key.seq).collect::<Vec<_>>())
    };
    // Published at 10, 20 ... 50; the subscription is done with 3.
    let cutoff = TopicCutoff { topic: StreamNo(1), over: Timestamp(40), through: 3, lost: Timestamp(10) };
    let cutoffs = Cutoffs { topics: vec![cutoff], ..nothing() };
    assert_eq!(sweep_all(&mut writer, &cutoffs, 100), [3]);
    assert_eq!(left(&mut writer), (vec![4, 5], vec![1, 2, 4]));
    let cutoffs = Cutoffs { topics: vec![TopicCutoff { lost: Timestamp(40), ..cutoff }], ..nothing() };
    assert_eq!(sweep_all(&mut writer, &cutoffs, 100), [1]);
    assert_eq!(left(&mut writer), (vec![5], vec![1, 2, 4]));
    // What was given up goes in its own time.
    assert_eq!(sweep_all(&mut writer, &Cutoffs { attempts: Timestamp::NEVER, ..nothing() }, 100), [2]);
    assert_eq!(left(&mut writer), (vec![5], vec![2]));
}

pub(crate) fn old_attempts_go(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let attempts: Vec<_> = (1..=4).map(|seq| attempt(1, 1, seq, 1)).collect();
    writer.add(vec![Row::Topic(Arc::new(topic(1, "t"))), Row::Subscription(Arc::new(subscription(1, 1, http())))]);
    writer.commit(Batch { attempts: attempts.clone(), ..writer.batch() });
    let many = vec![(attempts[0].key.subscription, 1)];
    assert_eq!(sweep_all(&mut writer, &Cutoffs { many, ..nothing() }, 2), [1]);
    let cutoffs = Cutoffs { attempts: attempts[2].at, ..nothing() };
    assert_eq!(sweep_all(&mut writer, &cutoffs, 3), [2]);
    let mut reader = writer.store.reader().unwrap();
    assert_eq!(reader.attempts(attempts[0].key.subscription, None, 10).unwrap(), attempts[3..]);
}

pub(crate) fn old_activities_go_and_those_of_a_deleted_environment(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let rows = [(1, 1, Some(5)), (2, 1, Some(6)), (3, 1, None), (4, 2, Some(9)), (5, 2, Some(9))];
    let rows = rows.map(|(number, env, ended)| Row::Activity(Arc::new(activity(number, env, number, ended))));
    writer.add(rows.into_iter().chain([Row::Env(Arc::new(env(2)))]).collect());
    let cutoffs = Cutoffs { activities: Timestamp(5), ..nothing() };
    assert_eq!(sweep_all(&mut writer, &cutoffs, 10), [1], "what goes on stays, and what ended later");
    let mut reader = writer.store.reader().unwrap();
    let mut left = |number| reader.activities(env_id(number), &[], ALL).unwrap().total;
    assert_eq!((left(1), left(2)), (2, 2));
    writer.remove(vec![RowKey::Env(env_id(2))]);
    assert_eq!(sweep_all(&mut writer, &nothing(), 2), [2, 1], "two activities, and the note itself");
    assert_eq!((left(1), left(2)), (2, 0));
}

pub(crate) fn a_sweep_without_work_does_nothing(database: &dyn Database) {
    let mut writer = Writer::new(database);
    writer.add(one_of_each());
    let before = writer.store.load().unwrap().rows;
    assert_eq!(writer.store.sweep(&nothing(), 100).unwrap(), Swept::default());
    assert_eq!(writer.store.load().unwrap().rows, before);
}
