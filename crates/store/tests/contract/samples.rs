//! Samples: kept once, read by time, dropped by attempt, by age, and with their job.

use std::sync::Arc;

use kernel::instance::{InstanceKey, RunId};
use kernel::sample::{Sample, Traffic};
use kernel::state::{Row, RowKey};
use kernel::time::Timestamp;
use store::{Batch, Cutoffs};

use crate::rows::*;
use crate::{Database, Writer};

fn key(number: u64) -> InstanceKey {
    InstanceKey { job: job_id(number), task: 0, index: 7 }
}

/// Taken at 100 times the attempt and its number.
fn sample(job: u64, attempt: u32, number: u32) -> Arc<Sample> {
    let key = key(job);
    let run = RunId { job: key.job, task: key.task, index: key.index, attempt };
    let at = Timestamp(i64::from(attempt) * 100 + i64::from(number));
    let disks = vec![("vda".into(), 5), ("vdb".into(), 6)];
    let net = (number > 0).then_some(Traffic { bytes_in: u64::MAX, bytes_out: 0 });
    Arc::new(Sample { run, number, at, cpu: number, mem: 10_000, disks, net })
}

fn found(writer: &mut Writer, job: u64, from: i64, to: i64) -> Vec<Arc<Sample>> {
    let mut reader = writer.store.reader().unwrap();
    reader.samples(key(job), Timestamp(from), Timestamp(to)).unwrap().into_iter().map(Arc::new).collect()
}

pub(crate) fn samples_are_found_by_their_time(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let samples = vec![sample(1, 2, 0), sample(1, 1, 1), sample(1, 1, 0), sample(2, 1, 0)];
    writer.commit(Batch { samples, ..writer.batch() });
    assert_eq!(found(&mut writer, 1, 0, 999), [sample(1, 1, 0), sample(1, 1, 1), sample(1, 2, 0)]);
    assert_eq!(found(&mut writer, 1, 101, 200), [sample(1, 1, 1), sample(1, 2, 0)]);
    assert_eq!(found(&mut writer, 1, 102, 199), []);
    // One that is sent again does not replace the first.
    let again = Sample { mem: 1, ..(*sample(1, 1, 0)).clone() };
    writer.commit(Batch { samples: vec![Arc::new(again)], ..writer.batch() });
    assert_eq!(found(&mut writer, 1, 0, 100), [sample(1, 1, 0)]);
}

pub(crate) fn samples_of_early_attempts_are_dropped(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let samples = vec![sample(1, 1, 0), sample(1, 2, 0), sample(1, 3, 0), sample(2, 1, 0)];
    writer.commit(Batch { samples, ..writer.batch() });
    let samples = vec![sample(1, 4, 0)];
    writer.commit(Batch { samples, dropped_samples: vec![(key(1), 2)], ..writer.batch() });
    assert_eq!(found(&mut writer, 1, 0, 999), [sample(1, 3, 0), sample(1, 4, 0)]);
    assert_eq!(found(&mut writer, 2, 0, 999), [sample(2, 1, 0)]);
}

pub(crate) fn samples_go_with_their_time_and_their_job(database: &dyn Database) {
    let mut writer = Writer::new(database);
    writer.add(vec![Row::Job(Arc::new(finished(job(1), 5))), Row::Job(Arc::new(finished(job(2), 5)))]);
    let samples = [1, 2].into_iter().flat_map(|job| [sample(job, 1, 0), sample(job, 1, 1), sample(job, 2, 0)]);
    writer.commit(Batch { samples: samples.collect(), ..writer.batch() });
    let never = Timestamp(i64::MIN);
    let by_time =
        Cutoffs { jobs: never, attempts: Timestamp(100), activities: never, many: Vec::new(), topics: Vec::new() };
    assert_eq!(writer.store.sweep(&by_time, 100).unwrap().rows, 2);
    assert_eq!(found(&mut writer, 1, 0, 999), [sample(1, 1, 1), sample(1, 2, 0)]);
    writer.remove(vec![RowKey::Job(job_id(1))]);
    let nothing = Cutoffs { attempts: never, ..by_time };
    // Two samples, and the note.
    assert_eq!(writer.store.sweep(&nothing, 100).unwrap().rows, 3);
    assert_eq!(found(&mut writer, 1, 0, 999), []);
    assert_eq!(found(&mut writer, 2, 0, 999).len(), 2);
}
