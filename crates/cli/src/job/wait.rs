//! `herald job wait`.

use crate::context::Context;
use crate::failure::Failure;
use crate::follow;
use crate::reply::text;

/// Wait until a job has ended, print its state, and fail unless it is SUCCEED
#[derive(clap::Args)]
pub(crate) struct Wait {
    /// The job's id
    id: String,
}

impl Wait {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let view = follow::until_ended(cx, &self.id).await?;
        let printed = if cx.out.is_json() { cx.out.json(&view) } else { cx.out.line(text(&view, "JobState")) }
            .and_then(|()| cx.out.flush());
        // How the job ended is said by the exit status also where nobody reads.
        follow::must_have_succeeded(&view)?;
        printed
    }
}
