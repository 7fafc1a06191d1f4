//! `herald env list`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Limit, Source};
use crate::reply::{counts, items, text, time};
use crate::table::Table;

/// List environments, newest first
#[derive(clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    limit: Limit,
}

const ENVS: Source =
    Source { service: Service::Batch, action: "DescribeComputeEnvs", set: "ComputeEnvSet", things: "environments" };

impl List {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = ENVS.fetch(cx, json!({}), &self.limit).await?;
        if cx.out.is_json() { cx.out.json(&reply) } else { cx.out.table(&table(&reply, &cx.zone)) }
    }
}

fn table(reply: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&["ID", "NAME", "WANTED", "NODES", "NEXT ACTION", "CREATED"]);
    for env in items(reply, ENVS.set) {
        table.row([
            text(env, "EnvId"),
            text(env, "EnvName"),
            text(env, "DesiredComputeNodeCount"),
            counts(&env["ComputeNodeMetrics"]),
            text(env, "NextAction"),
            time(env, "CreateTime", zone),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_told_in_a_line_each() {
        let envs = json!({"ComputeEnvSet": [{"EnvId": "env-00000001", "EnvName": "two", "DesiredComputeNodeCount": 2,
            "ComputeNodeMetrics": {"RunningCount": 1, "CreatingCount": 1}, "NextAction": "",
            "CreateTime": "2018-03-08T11:48:40Z"}]});
        let wanted = "\
ID            NAME  WANTED  NODES                  NEXT ACTION  CREATED
env-00000001  two   2       1 RUNNING, 1 CREATING               2018-03-08 11:48:40
";
        assert_eq!(table(&envs, &TimeZone::UTC).render(None), wanted);
    }
}
