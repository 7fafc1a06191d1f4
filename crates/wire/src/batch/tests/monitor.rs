//! What `DescribeJobMonitorData` may be asked.

use kernel::time::Timestamp;
use serde_json::{Value, json};

use crate::batch::{Metric, describe_job_monitor_data};

fn request(more: Value) -> Value {
    let mut request =
        json!({"JobId": "job-0000000z", "TaskName": "a", "TaskInstanceIndex": 0, "MetricName": "CpuUsage"});
    for (key, value) in more.as_object().unwrap() {
        request[key] = value.clone();
    }
    request
}

#[test]
fn what_is_asked_for_is_read() {
    let read = |more| describe_job_monitor_data(&request(more)).unwrap();
    let plain = read(json!({}));
    assert_eq!((plain.index, plain.metric, plain.start, plain.end), (0, Metric::Cpu, None, None));
    let disk = json!([{"Name": "diskname", "Value": "vda"}]);
    for (more, metric) in [
        (json!({"MetricName": "MemUsage"}), Metric::Mem),
        (json!({"MetricName": "MaxDiskUsage"}), Metric::FullestDisk),
        (json!({"MetricName": "LanIntraffic"}), Metric::NetIn),
        (json!({"MetricName": "LanOuttraffic"}), Metric::NetOut),
        (json!({"MetricName": "TargetDiskUsage"}), Metric::Disk("vdb".into())),
        (json!({"MetricName": "TargetDiskUsage", "Dimensions": disk}), Metric::Disk("vda".into())),
    ] {
        assert_eq!(read(more).metric, metric);
    }
    let span = read(json!({"StartTime": "2018-06-15T14:43:17Z", "EndTime": "2018-06-15T22:43:17+08:00"}));
    let moment = Some(Timestamp(1_529_073_797_000));
    assert_eq!((span.start, span.end), (moment, moment));
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let disk = |name: &str| json!([{"Name": name, "Value": "vda"}]);
    for (more, code, path) in [
        (json!({"JobId": "x"}), "InvalidParameter.JobIdMalformed", "JobId"),
        (json!({"TaskName": null}), "MissingParameter", "TaskName"),
        (json!({"TaskInstanceIndex": null}), "MissingParameter", "TaskInstanceIndex"),
        (json!({"TaskInstanceIndex": -1}), "InvalidParameterValue.Negative", "TaskInstanceIndex"),
        (json!({"MetricName": null}), "MissingParameter", "MetricName"),
        (json!({"MetricName": "Cpu"}), "InvalidParameterValue", "MetricName"),
        (json!({"Dimensions": disk("diskname")}), "InvalidParameter.InvalidParameterCombination", "Dimensions"),
        (
            json!({"MetricName": "TargetDiskUsage", "Dimensions": disk("disk")}),
            "InvalidParameterValue",
            "Dimensions.0.Name",
        ),
        (
            json!({"MetricName": "TargetDiskUsage", "Dimensions": [disk("diskname")[0], disk("diskname")[0]]}),
            "InvalidParameterValue",
            "Dimensions",
        ),
        (json!({"StartTime": "yesterday"}), "InvalidParameterValue", "StartTime"),
        (json!({"EndTime": "2018-06-15 14:43"}), "InvalidParameterValue", "EndTime"),
        (
            json!({"StartTime": "2018-06-15T14:43:17Z", "EndTime": "2018-06-15T14:43:16Z"}),
            "InvalidParameterValue",
            "EndTime",
        ),
        (json!({"Period": 60}), "UnknownParameter", "Period"),
    ] {
        let error = describe_job_monitor_data(&request(more.clone())).unwrap_err();
        assert_eq!(error.code, code, "{more}: {}", error.message);
        assert!(error.message.starts_with(path), "{more}: {}", error.message);
    }
}
