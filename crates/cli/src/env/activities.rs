//! `herald env activities`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Limit, Source};
use crate::reply::{items, text, time};
use crate::table::Table;

/// List how an environment's nodes came and went, newest first
#[derive(clap::Args)]
pub(crate) struct Activities {
    /// The environment's id
    id: String,
    /// Only what happened to this node
    #[arg(long, value_name = "ID")]
    node: Option<String>,
    #[command(flatten)]
    limit: Limit,
}

const ACTIVITIES: Source = Source {
    service: Service::Batch,
    action: "DescribeComputeEnvActivities",
    set: "ActivitySet",
    things: "activities",
};

impl Activities {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = json!({"EnvId": self.id});
        if let Some(node) = self.node {
            params["Filters"] = json!({"Name": "compute-node-id", "Values": [node]});
        }
        let reply = ACTIVITIES.fetch(cx, params, &self.limit).await?;
        if cx.out.is_json() { cx.out.json(&reply) } else { cx.out.table(&table(&reply, &cx.zone)) }
    }
}

fn table(reply: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&["BEGAN", "NODE", "WHAT", "STATE", "CAUSE", "REASON"]);
    for activity in items(reply, ACTIVITIES.set) {
        let what = text(activity, "ComputeNodeActivityType");
        table.row([
            time(activity, "StartTime", zone),
            text(activity, "ComputeNodeId"),
            what.trim_end_matches("_COMPUTE_NODE").to_owned(),
            text(activity, "ActivityState"),
            text(activity, "Cause"),
            text(activity, "StateReason"),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activities_are_told_in_a_line_each() {
        let reply = json!({"ActivitySet": [{"ComputeNodeId": "node-00000001", "StateReason": "",
            "ComputeNodeActivityType": "CREATE_COMPUTE_NODE", "ActivityState": "SUCCEED",
            "Cause": "CreateComputeEnv: the capacity is 1", "StartTime": "2018-03-08T11:48:40Z"}]});
        let told = table(&reply, &TimeZone::UTC).render(None);
        let line: Vec<&str> = told.lines().nth(1).expect("a line").split("  ").map(str::trim).collect();
        let wanted =
            ["2018-03-08 11:48:40", "node-00000001", "CREATE", "SUCCEED", "CreateComputeEnv: the capacity is 1"];
        assert_eq!(line[..5], wanted);
    }
}
