//! `DescribeJobMonitorData`: which curve of which instance.

use kernel::id::JobId;
use kernel::time::Timestamp;
use serde_json::Value;

use super::check::{COMBINATION, VALUE};
use super::ids;
use crate::api3::ApiError;
use crate::fields::{self, Reader, shortened};
use crate::time;

/// What `DescribeJobMonitorData` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeJobMonitorData {
    /// The job.
    pub job: JobId,
    /// The task's name.
    pub task_name: String,
    /// The instance.
    pub index: u64,
    /// What is asked for.
    pub metric: Metric,
    /// From when on; `None`: from the instance's beginning.
    pub start: Option<Timestamp>,
    /// Until when; `None`: until the instance's end, or now.
    pub end: Option<Timestamp>,
}

/// What is measured of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metric {
    /// Processor time.
    Cpu,
    /// Memory.
    Mem,
    /// The fullest disk of its node.
    FullestDisk,
    /// The disk of this name.
    Disk(String),
    /// Bytes that come in through the network.
    NetIn,
    /// Bytes that go out through the network.
    NetOut,
}

/// The disk that is meant when none is named, as Tencent Batch documents it.
const DISK_DEFAULT: &str = "vdb";

/// Reads the parameters of `DescribeJobMonitorData`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn describe_job_monitor_data(params: &Value) -> Result<DescribeJobMonitorData, ApiError> {
    fields::read(params, "", |request| {
        let job = ids::required(request, "JobId")?;
        let task_name = request.required_string("TaskName")?;
        let index = request.required_u64("TaskInstanceIndex")?;
        let metric = metric(request)?;
        let (start, end) = (moment(request, "StartTime")?, moment(request, "EndTime")?);
        if let (Some(start), Some(end)) = (start, end)
            && end < start
        {
            return Err(request.refuse("EndTime", VALUE, "is before StartTime"));
        }
        Ok(DescribeJobMonitorData { job, task_name, index, metric, start, end })
    })
}

fn metric(request: &Reader<'_>) -> Result<Metric, ApiError> {
    let name = request.required_string("MetricName")?;
    let disk = disk(request)?;
    let metric = match name.as_str() {
        "CpuUsage" => Metric::Cpu,
        "MemUsage" => Metric::Mem,
        "MaxDiskUsage" => Metric::FullestDisk,
        "TargetDiskUsage" => return Ok(Metric::Disk(disk.unwrap_or_else(|| DISK_DEFAULT.to_owned()))),
        "LanIntraffic" => Metric::NetIn,
        "LanOuttraffic" => Metric::NetOut,
        other => {
            let known = "CpuUsage, MemUsage, LanIntraffic, LanOuttraffic, MaxDiskUsage or TargetDiskUsage";
            let reason = format!("expected {known}, found \"{}\"", shortened(other));
            return Err(request.refuse("MetricName", VALUE, reason));
        }
    };
    match disk {
        Some(_) => Err(request.refuse("Dimensions", COMBINATION, "only TargetDiskUsage has dimensions")),
        None => Ok(metric),
    }
}

/// The disk that the dimensions name.
fn disk(request: &Reader<'_>) -> Result<Option<String>, ApiError> {
    let mut disks = request.objects("Dimensions", |dimension| {
        let name = dimension.required_string("Name")?;
        if name != "diskname" {
            let reason = format!("expected diskname, found \"{}\"", shortened(&name));
            return Err(dimension.refuse("Name", VALUE, reason));
        }
        dimension.required_string("Value")
    })?;
    if disks.len() > 1 {
        return Err(request.refuse("Dimensions", VALUE, "names more than one disk"));
    }
    Ok(disks.pop())
}

fn moment(request: &Reader<'_>, key: &str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = request.string(key)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let moment = time::parse(&text).ok_or_else(|| {
        let reason = format!("expected a time like 2018-06-15T14:43:17Z, found \"{}\"", shortened(&text));
        request.refuse(key, VALUE, reason)
    })?;
    Ok(Some(moment))
}
