//! `herald key create`.

use serde_json::json;

use super::grant::{Bounds, Role};
use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::text;
use crate::table::Table;

/// Make a key pair, and print it; its secret is told this once
#[derive(clap::Args)]
pub(crate) struct Create {
    /// What it may do; may be given several times
    #[arg(long = "role", value_name = "ROLE", required = true, value_delimiter = ',')]
    roles: Vec<Role>,
    #[command(flatten)]
    bounds: Bounds,
}

impl Create {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = json!({});
        self.bounds.add(&self.roles, &mut params);
        let reply = cx.client()?.call(Service::Herald, "CreateAccessKey", &params).await?;
        if cx.out.is_json() {
            return cx.out.json(&reply);
        }
        cx.out.table(&Table::of_pairs([
            ("HERALD_SECRET_ID", text(&reply, "SecretId")),
            ("HERALD_SECRET_KEY", text(&reply, "SecretKey")),
        ]))
    }
}
