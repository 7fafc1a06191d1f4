//! `herald node token`.

use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::params;
use crate::reply::text;

/// Make a token with which one machine can join: `herald agent --join URL --token TOKEN --home DIR`
#[derive(clap::Args)]
pub(crate) struct Token {
    /// How long it is good, in seconds; an hour unless told otherwise
    #[arg(long, value_name = "S")]
    valid: Option<u64>,
}

impl Token {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = json!({});
        params::add(&mut params, [("ValidSeconds", self.valid.map(Value::from))]);
        let reply = cx.client()?.call(Service::Herald, "CreateJoinToken", &params).await?;
        if cx.out.is_json() {
            return cx.out.json(&reply);
        }
        cx.out.line(text(&reply, "Token"))
    }
}
