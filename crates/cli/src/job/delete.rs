//! `herald job delete`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Erase a job that has ended
#[derive(clap::Args)]
pub(crate) struct Delete {
    /// The job's id
    id: String,
}

impl Delete {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.batch("DeleteJob", &json!({"JobId": self.id})).await?;
        cx.done(&reply, format_args!("{} is deleted", self.id))
    }
}
