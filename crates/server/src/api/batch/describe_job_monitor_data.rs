//! `DescribeJobMonitorData`: what an instance used, as a curve.

use kernel::instance::InstanceKey;
use kernel::job::Job;
use kernel::sample::Sample;
use kernel::time::Timestamp;
use serde_json::Value;
use store::{Reader, StoreError};
use wire::api3::ApiError;
use wire::batch::reply::{Point, describe_job_monitor_data};
use wire::batch::{self, DescribeJobMonitorData, Metric};

use super::describe_task::number;
use super::describe_task_logs::no_instance;
use super::{no_job, no_task};
use crate::App;
use crate::api::api3::{Action, of_store};

pub(super) const ACTION: Action = Action {
    name: "DescribeJobMonitorData",
    help: "Shows what an instance used of processor, memory, disk or, in a container, network, as a curve.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let wanted = batch::describe_job_monitor_data(params)?;
    let job = wanted.job;
    let rows = app.read(move |reader| reader.job(job)).await.map_err(|error| of_store(&error))?;
    let rows = rows.ok_or_else(|| no_job(job))?;
    let task = number(&rows, &wanted.task_name).ok_or_else(|| no_task(job, &wanted.task_name))?;
    let spec = &rows.job.spec.tasks[task as usize];
    let (total, contained) = (spec.instances, spec.setup.container.is_some());
    let known = u32::try_from(wanted.index).ok().filter(|index| *index < total);
    let index = known.ok_or_else(|| no_instance("TaskInstanceIndex", wanted.index, total))?;
    let key = InstanceKey { job, task, index };
    let now = app.clock();
    let span = (wanted.start, wanted.end);
    let looked = app.read(move |reader| look(reader, &rows.job, key, span, now)).await;
    let found = looked.map_err(|error| of_store(&error))?;
    let points = points(&found.samples, &wanted, contained)?;
    Ok(describe_job_monitor_data(&points, found.from, found.to, app.settings.sample_ms))
}

/// What the store has of an instance's life, or of the part of it that is asked for.
struct Found {
    from: Timestamp,
    to: Timestamp,
    samples: Vec<Sample>,
}

fn look(
    reader: &mut dyn Reader,
    job: &Job,
    key: InstanceKey,
    (start, end): (Option<Timestamp>, Option<Timestamp>),
    now: Timestamp,
) -> Result<Found, StoreError> {
    let row = reader.instance(key)?;
    let (created, ended) = row.map_or((job.created, job.ended), |row| (row.created, row.ended));
    let from = start.map_or(created, |start| start.max(created));
    let last = ended.unwrap_or(now);
    let to = end.map_or(last, |end| end.min(last));
    let samples = if from <= to { reader.samples(key, from, to)? } else { Vec::new() };
    Ok(Found { from, to: to.max(from), samples })
}

/// The points of the metric. Whether the task runs in containers tells of an instance without samples if it has a
/// network of its own.
fn points(samples: &[Sample], wanted: &DescribeJobMonitorData, contained: bool) -> Result<Vec<Point>, ApiError> {
    let value = |sample: &Sample| match &wanted.metric {
        Metric::Cpu => Some(sample.cpu.into()),
        Metric::Mem => Some(sample.mem.into()),
        Metric::FullestDisk => sample.disks.iter().map(|(_, used)| u64::from(*used)).max(),
        Metric::Disk(wanted) => sample.disks.iter().find(|(name, _)| name == wanted).map(|(_, used)| (*used).into()),
        Metric::NetIn => sample.net.map(|net| net.bytes_in.saturating_mul(100)),
        Metric::NetOut => sample.net.map(|net| net.bytes_out.saturating_mul(100)),
    };
    let point = |sample: &Sample| {
        let Sample { run, at, .. } = *sample;
        value(sample).map(|value| Point { attempt: run.attempt, at, value })
    };
    let points: Vec<Point> = samples.iter().filter_map(point).collect();
    match (&wanted.metric, samples.last()) {
        (Metric::Disk(name), Some(last)) if points.is_empty() => Err(no_disk(name, last)),
        (Metric::NetIn | Metric::NetOut, last) if points.is_empty() && (last.is_some() || !contained) => {
            Err(no_network())
        }
        _ => Ok(points),
    }
}

fn no_network() -> ApiError {
    let message = "MetricName: the instance shares the network of its machine, so that there is no figure of its own; \
                   one in a container has it, unless its options say otherwise";
    ApiError::new("UnsupportedOperation", message)
}

fn no_disk(name: &str, sample: &Sample) -> ApiError {
    let known: Vec<&str> = sample.disks.iter().map(|(name, _)| name.as_str()).collect();
    let message = format!("Dimensions: its node has no disk `{name}`; it has {}", known.join(", "));
    ApiError::new("InvalidParameterValue", message)
}

#[cfg(test)]
mod tests {
    use kernel::id::JobId;
    use kernel::instance::RunId;
    use kernel::sample::Traffic;

    use super::*;

    fn sample(number: u32) -> Sample {
        let run = RunId { job: JobId::FIRST, task: 0, index: 0, attempt: 2 };
        let disks = vec![("vda".into(), 10), ("vdc".into(), 30 + number), ("vdd".into(), 20)];
        let net = (number > 0).then_some(Traffic { bytes_in: 2_000, bytes_out: 7 });
        Sample { run, number, at: Timestamp(1_000 + i64::from(number)), cpu: 50 + number, mem: 70, disks, net }
    }

    fn values(metric: Metric) -> Result<Vec<u64>, ApiError> {
        values_of(metric, &[sample(0), sample(1)], false)
    }

    fn values_of(metric: Metric, samples: &[Sample], contained: bool) -> Result<Vec<u64>, ApiError> {
        let (job, task_name) = (JobId::FIRST, "a".to_owned());
        let wanted = DescribeJobMonitorData { job, task_name, index: 0, metric, start: None, end: None };
        let found = points(samples, &wanted, contained)?;
        assert!(found.iter().all(|point| point.attempt == 2 && point.at >= Timestamp(1_000)));
        Ok(found.iter().map(|point| point.value).collect())
    }

    #[test]
    fn each_metric_has_its_figures() {
        assert_eq!(values(Metric::Cpu), Ok(vec![50, 51]));
        assert_eq!(values(Metric::Mem), Ok(vec![70, 70]));
        assert_eq!(values(Metric::FullestDisk), Ok(vec![30, 31]));
        assert_eq!(values(Metric::Disk("vda".into())), Ok(vec![10, 10]));
        let error = values(Metric::Disk("vdb".into())).unwrap_err();
        assert_eq!(error.code, "InvalidParameterValue");
        assert_eq!((values(Metric::NetIn), values(Metric::NetOut)), (Ok(vec![200_000]), Ok(vec![700])));
        assert_eq!(error.message, "Dimensions: its node has no disk `vdb`; it has vda, vdc, vdd");
    }

    #[test]
    fn an_instance_without_a_network_of_its_own_has_no_figures_of_it() {
        let shared = [sample(0)];
        for (samples, contained) in [(&shared[..], true), (&shared, false), (&[], false)] {
            let error = values_of(Metric::NetIn, samples, contained).unwrap_err();
            assert_eq!(error.code, "UnsupportedOperation", "{} {contained}", samples.len());
        }
        assert_eq!(values_of(Metric::NetOut, &[], true), Ok(vec![]), "it may come");
    }
}
