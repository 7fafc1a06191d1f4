//! `herald node list`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{items, text, time};
use crate::table::Table;

/// List an environment's nodes
#[derive(clap::Args)]
pub(crate) struct List {
    /// The environment's id
    env: String,
    /// How each node bounds and ends what runs there, as its agent says
    #[arg(long)]
    limits: bool,
}

impl List {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        if self.limits {
            return self.limits(cx).await;
        }
        let env = cx.client()?.batch("DescribeComputeEnv", &json!({"EnvId": self.env})).await?;
        if cx.out.is_json() {
            return cx.out.json(&env["ComputeNodeSet"]);
        }
        let table = table(&env, &cx.zone);
        if table.is_empty() {
            cx.out.say("no nodes");
        }
        cx.out.table(&table)
    }

    async fn limits(&self, cx: &mut Context) -> Result<(), Failure> {
        let nodes = cx.client()?.call(Service::Herald, "DescribeNodes", &json!({"EnvId": self.env})).await?;
        if cx.out.is_json() {
            return cx.out.json(&nodes["NodeSet"]);
        }
        let mut table = Table::new(&["NODE", "STATE", "DRAINED", "TYPE", "SLOTS", "LIMITS"]);
        for node in items(&nodes, "NodeSet") {
            let fields = ["ComputeNodeId", "ComputeNodeState", "Drained", "InstanceType", "Slots", "Limits"];
            table.row(fields.map(|field| text(node, field)));
        }
        if table.is_empty() {
            cx.out.say("no nodes");
        }
        cx.out.table(&table)
    }
}

/// The nodes of an environment as DescribeComputeEnv shows it.
pub(crate) fn table(env: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&["NODE", "STATE", "FREE SLOTS", "CPU", "MEM GB", "MACHINE", "ADDRESS", "SINCE"]);
    for node in items(env, "ComputeNodeSet") {
        table.row([
            text(node, "ComputeNodeId"),
            text(node, "ComputeNodeState"),
            text(node, "TaskInstanceNumAvailable"),
            text(node, "Cpu"),
            text(node, "Mem"),
            text(node, "ComputeNodeInstanceId"),
            text(node, "PrivateIpAddresses"),
            time(node, "ResourceCreatedTime", zone),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_told_in_a_line_each() {
        let env = json!({"ComputeNodeSet": [{"ComputeNodeId": "node-00000001", "ComputeNodeState": "RUNNING",
            "TaskInstanceNumAvailable": 1, "Cpu": 2, "Mem": 4, "ComputeNodeInstanceId": "ins-00000001",
            "PrivateIpAddresses": ["127.0.0.1"], "ResourceCreatedTime": "2018-03-08T11:48:40Z"}]});
        let wanted = "\
NODE           STATE    FREE SLOTS  CPU  MEM GB  MACHINE       ADDRESS    SINCE
node-00000001  RUNNING  1           2    4       ins-00000001  127.0.0.1  2018-03-08 11:48:40
";
        assert_eq!(table(&env, &TimeZone::UTC).render(None), wanted);
    }
}
