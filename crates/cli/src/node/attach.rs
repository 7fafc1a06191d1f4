//! `herald node attach` and `herald node detach`.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;

/// Make machines that joined nodes of an environment
#[derive(clap::Args)]
pub(crate) struct Attach {
    /// The environment's id
    env: String,
    /// The machines' ids
    #[arg(required = true)]
    machines: Vec<String>,
}

/// Take attached machines out of an environment; what runs there is ended
#[derive(clap::Args)]
pub(crate) struct Detach {
    /// The environment's id
    env: String,
    /// The machines' ids
    #[arg(required = true)]
    machines: Vec<String>,
}

impl Attach {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let instances: Vec<Value> = self.machines.iter().map(|id| json!({"InstanceId": id})).collect();
        let params = json!({"EnvId": self.env, "Instances": instances});
        let reply = cx.client()?.batch("AttachInstances", &params).await?;
        cx.done(&reply, format_args!("{} being attached", self.machines.join(", ")))
    }
}

impl Detach {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let params = json!({"EnvId": self.env, "InstanceIds": self.machines});
        let reply = cx.client()?.batch("DetachInstances", &params).await?;
        cx.done(&reply, format_args!("{} being detached", self.machines.join(", ")))
    }
}
