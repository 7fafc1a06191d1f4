//! `herald job submit`.

use std::path::PathBuf;

use serde_json::json;

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::text;
use crate::{file, follow, template};

/// Submit a job and print its id
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Submit {
    /// The file; - is standard input
    #[arg(required_unless_present = "template")]
    file: Option<PathBuf>,
    /// Make a job of one task, that of the task template with this id or name; a file then holds the rest of the Job
    #[arg(long, value_name = "T")]
    template: Option<String>,
    /// Wait until the job has ended, and fail unless it succeeded
    #[arg(long)]
    wait: bool,
}

const MORE: &str = "\
The file holds JSON as the API takes it, the whole request of SubmitJob or just the Job. Comments, trailing \
commas, snake_case keys and event names like JobFailed are read too. `herald job init` prints an example.";

impl Submit {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut request = match &self.file {
            Some(file) => file::request(file, "Job", cx.region())?,
            None => json!({"Job": {}}),
        };
        let reply = match &self.template {
            None => cx.client()?.batch("SubmitJob", &request).await?,
            Some(template) => {
                file::place(&mut request, cx.region());
                request["TaskTemplateId"] = template::find(cx, template).await?["TaskTemplateId"].take();
                cx.client()?.call(Service::Herald, "SubmitTaskTemplate", &request).await?
            }
        };
        let job = text(&reply, "JobId");
        let printed = match (cx.out.is_json(), self.wait) {
            (true, false) => cx.out.json(&reply),
            // One document is printed in all: the job at its end.
            (true, true) => {
                cx.out.say(&job);
                Ok(())
            }
            (false, _) => cx.out.line(&job),
        };
        let printed = printed.and_then(|()| cx.out.flush());
        if !self.wait {
            return printed;
        }
        // How the job ends is said by the exit status also where nobody reads.
        let view = follow::until_ended(cx, &job).await?;
        let shown = if cx.out.is_json() { cx.out.json(&view).and_then(|()| cx.out.flush()) } else { Ok(()) };
        follow::must_have_succeeded(&view)?;
        printed.and(shown)
    }
}
