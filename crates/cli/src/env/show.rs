//! `herald env show`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::node;
use crate::reply::{counts, text, time};
use crate::table::Table;

/// Show an environment and its nodes
#[derive(clap::Args)]
pub(crate) struct Show {
    /// The environment's id
    id: String,
}

impl Show {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let env = cx.client()?.batch("DescribeComputeEnv", &json!({"EnvId": self.id})).await?;
        if cx.out.is_json() {
            return cx.out.json(&env);
        }
        cx.out.table(&head(&env, &cx.zone))?;
        let nodes = node::table(&env, &cx.zone);
        if !nodes.is_empty() {
            cx.out.line("")?;
            cx.out.table(&nodes)?;
        }
        Ok(())
    }
}

fn head(env: &Value, zone: &TimeZone) -> Table {
    Table::of_pairs([
        ("Environment", text(env, "EnvId")),
        ("Name", text(env, "EnvName")),
        ("Type", text(env, "EnvType")),
        ("Zone", text(&env["Placement"], "Zone")),
        ("Created", time(env, "CreateTime", zone)),
        ("Next action", text(env, "NextAction")),
        ("Wanted nodes", text(env, "DesiredComputeNodeCount")),
        ("Nodes", counts(&env["ComputeNodeMetrics"])),
    ])
}
