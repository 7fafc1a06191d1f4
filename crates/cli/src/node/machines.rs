//! `herald node machines`.

use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{items, text, time};
use crate::table::Table;

/// List the machines that joined
#[derive(clap::Args)]
pub(crate) struct Machines {}

impl Machines {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.call(Service::Herald, "DescribeMachines", &json!({})).await?;
        if cx.out.is_json() {
            return cx.out.json(&reply["MachineSet"]);
        }
        let mut table =
            Table::new(&["MACHINE", "NAME", "CONNECTED", "SINCE", "CPU", "MEM GB", "SLOTS", "ENV", "NODE", "STATE"]);
        for machine in items(&reply, "MachineSet") {
            table.row([
                text(machine, "InstanceId"),
                text(machine, "Name"),
                yes_or_no(machine),
                time(machine, "ConnectedTime", &cx.zone),
                text(machine, "Cpu"),
                text(machine, "Mem"),
                text(machine, "Slots"),
                text(machine, "EnvId"),
                text(machine, "ComputeNodeId"),
                text(machine, "ComputeNodeState"),
            ]);
        }
        if table.is_empty() {
            cx.out.say("no machines");
        }
        cx.out.table(&table)
    }
}

fn yes_or_no(machine: &Value) -> String {
    if machine["Connected"] == json!(true) { "yes".to_owned() } else { "no".to_owned() }
}
