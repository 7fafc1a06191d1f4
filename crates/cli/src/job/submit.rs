//! `herald job submit`.

use std::path::PathBuf;

use crate::context::Context;
use crate::failure::Failure;
use crate::reply::text;
use crate::{file, follow};

/// Submit a job and print its id
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Submit {
    /// The file; - is standard input
    file: PathBuf,
    /// Wait until the job has ended, and fail unless it succeeded
    #[arg(long)]
    wait: bool,
}

const MORE: &str = "\
The file holds JSON as the API takes it, the whole request of SubmitJob or just the Job. Comments, trailing \
commas, snake_case keys and event names like JobFailed are read too. `herald job init` prints an example.";

impl Submit {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let request = file::request(&self.file, "Job", cx.region())?;
        let reply = cx.client()?.batch("SubmitJob", &request).await?;
        let job = text(&reply, "JobId");
        match (cx.out.is_json(), self.wait) {
            (true, false) => cx.out.json(&reply)?,
            // One document is printed in all: the job at its end.
            (true, true) => cx.out.say(&job),
            (false, _) => cx.out.line(&job)?,
        }
        cx.out.flush()?;
        if !self.wait {
            return Ok(());
        }
        let view = follow::until_ended(cx, &job).await?;
        if cx.out.is_json() {
            cx.out.json(&view)?;
            cx.out.flush()?;
        }
        follow::must_have_succeeded(&view)
    }
}
