//! `herald job terminate`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// End a job: what runs is stopped, what has not run never will
#[derive(clap::Args)]
pub(crate) struct Terminate {
    /// The job's id
    id: String,
}

impl Terminate {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.batch("TerminateJob", &json!({"JobId": self.id})).await?;
        cx.done(&reply, format_args!("{} is being terminated", self.id))
    }
}
