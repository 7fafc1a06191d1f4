//! `herald sub rotate-secret`.

use serde_json::Value;

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::named::Named;
use crate::params;

/// Sign posts with another secret, and print it; posts bear the old one's signature too for a time
#[derive(clap::Args)]
pub(crate) struct RotateSecret {
    #[command(flatten)]
    named: Named,
    /// This secret, instead of one that the server makes: whsec_ and 24 to 64 bytes in Base64. Others on this machine
    /// can see a command line; better set the variable
    #[arg(long, value_name = "SECRET", env = "HERALD_SIGNATURE_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// How long the old secret stays valid, in seconds; a day unless told otherwise
    #[arg(long, value_name = "S")]
    keep: Option<u64>,
}

impl RotateSecret {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = self.named.params();
        let fields =
            [("SignatureSecret", self.secret.map(Value::from)), ("KeepOldSeconds", self.keep.map(Value::from))];
        params::add(&mut params, fields);
        let reply = cx.client()?.call(Service::Herald, "RotateSubscriptionSecret", &params).await?;
        cx.made(&reply, "SignatureSecret")
    }
}
