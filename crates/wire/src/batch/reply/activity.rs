//! Activities of environments.

use kernel::activity::Activity;
use serde_json::{Value, json};

use crate::time::Utc;

/// The reply of `DescribeComputeEnvActivities`: some of `total` activities.
#[must_use]
pub fn describe_compute_env_activities(total: u64, activities: &[Activity]) -> Value {
    let activities: Vec<Value> = activities
        .iter()
        .map(|activity| {
            json!({
                "ActivityId": activity.id,
                "ComputeNodeId": activity.key.node,
                "ComputeNodeActivityType": activity.key.kind.as_str(),
                "EnvId": activity.env,
                "Cause": activity.cause,
                "ActivityState": activity.state.as_str(),
                "StateReason": activity.reason,
                "StartTime": Utc(activity.started),
                "EndTime": activity.ended.map(Utc),
                "InstanceId": activity.machine,
            })
        })
        .collect();
    json!({"ActivitySet": activities, "TotalCount": total})
}
