//! `herald node token`.

use serde_json::json;

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::text;

/// Show the token that machines join with: `herald agent --join URL --token TOKEN --home DIR`
#[derive(clap::Args)]
pub(crate) struct Token {}

impl Token {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.call(Service::Herald, "DescribeJoinToken", &json!({})).await?;
        if cx.out.is_json() {
            return cx.out.json(&reply);
        }
        cx.out.line(text(&reply, "Token"))
    }
}
