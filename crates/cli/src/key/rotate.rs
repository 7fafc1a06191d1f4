//! `herald key rotate`.

use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::params;

/// Give a key pair another secret, and print it this once; the old one stays valid for a time
#[derive(clap::Args)]
pub(crate) struct Rotate {
    /// The key pair's public half
    #[arg(value_name = "SECRET_ID")]
    id: String,
    /// How long the old secret stays valid, in seconds; a day unless told otherwise
    #[arg(long, value_name = "S")]
    keep: Option<u64>,
}

impl Rotate {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = json!({"SecretId": self.id});
        params::add(&mut params, [("KeepOldSeconds", self.keep.map(Value::from))]);
        let reply = cx.client()?.call(Service::Herald, "RotateAccessKey", &params).await?;
        cx.made(&reply, "SecretKey")
    }
}
