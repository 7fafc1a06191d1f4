//! `herald sub rotate-secret`.

use serde_json::json;

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;

/// Sign posts with another secret, and print it; posts bear the old one's signature too for a time
#[derive(clap::Args)]
pub(crate) struct RotateSecret {
    /// The topic's name
    topic: String,
    /// The subscription's name
    name: String,
    /// This secret, instead of one that the server makes: whsec_ and 24 to 64 bytes in Base64
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// How long the old secret stays valid, in seconds; a day unless told otherwise
    #[arg(long, value_name = "S")]
    keep: Option<u64>,
}

impl RotateSecret {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = json!({"TopicName": self.topic, "SubscriptionName": self.name});
        if let Some(secret) = &self.secret {
            params["SignatureSecret"] = json!(secret);
        }
        if let Some(keep) = self.keep {
            params["KeepOldSeconds"] = json!(keep);
        }
        let reply = cx.client()?.call(Service::Herald, "RotateSubscriptionSecret", &params).await?;
        cx.made(&reply, "SignatureSecret")
    }
}
