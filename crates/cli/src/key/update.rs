//! `herald key update`.

use serde_json::json;

use super::grant::{Bounds, Role};
use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;

/// Change what a key pair may do; what is not named stays
#[derive(clap::Args)]
pub(crate) struct Update {
    /// The key pair's public half
    #[arg(value_name = "SECRET_ID")]
    id: String,
    /// What it may do, in place of what it may now; may be given several times
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
    roles: Vec<Role>,
    /// For all topics again
    #[arg(long, conflicts_with = "topics")]
    any_topic: bool,
    /// For all queues again
    #[arg(long, conflicts_with = "queues")]
    any_queue: bool,
    /// For all environments again
    #[arg(long, conflicts_with = "environments")]
    any_env: bool,
    #[command(flatten)]
    bounds: Bounds,
}

impl Update {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = json!({"SecretId": self.id});
        self.bounds.add(&self.roles, &mut params);
        let all = [("Topics", self.any_topic), ("Queues", self.any_queue), ("Environments", self.any_env)];
        for (field, _) in all.into_iter().filter(|(_, all)| *all) {
            params[field] = json!([]);
        }
        let reply = cx.client()?.call(Service::Herald, "ModifyAccessKey", &params).await?;
        cx.done(&reply, format_args!("{} is changed", self.id))
    }
}
