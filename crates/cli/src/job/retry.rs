//! `herald job retry`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Run the failed instances of failed jobs again: of all the jobs named, or of none
#[derive(clap::Args)]
pub(crate) struct Retry {
    /// The jobs' ids
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

impl Retry {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.batch("RetryJobs", &json!({"JobIds": self.ids})).await?;
        cx.done(
            &reply,
            format_args!("{} {} again", self.ids.join(", "), if self.ids.len() == 1 { "runs" } else { "run" }),
        )
    }
}
