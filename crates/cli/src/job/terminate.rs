//! `herald job terminate`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::follow;
use crate::reply::text;

/// End a job, or one instance of it: what runs is stopped, what has not run never will
#[derive(clap::Args)]
pub(crate) struct Terminate {
    /// The job's id
    id: String,
    /// Only an instance of this task
    #[arg(long, value_name = "TASK", requires = "index")]
    task: Option<String>,
    /// Only the instance of the task that has this index
    #[arg(long, value_name = "N", requires = "task")]
    index: Option<u64>,
}

impl Terminate {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let client = cx.client()?;
        if let (Some(task), Some(index)) = (&self.task, self.index) {
            let params = json!({"JobId": self.id, "TaskName": task, "TaskInstanceIndex": index});
            let reply = client.batch("TerminateTaskInstance", &params).await?;
            return cx.done(&reply, format_args!("instance {index} of {task} of {} is being terminated", self.id));
        }
        let before = client.batch("DescribeJob", &json!({"JobId": self.id})).await?;
        let reply = client.batch("TerminateJob", &json!({"JobId": self.id})).await?;
        if follow::has_ended(&text(&before, "JobState")) {
            let told = format!("{} had ended already: {}", self.id, text(&before, "JobState"));
            return cx.done(&reply, told);
        }
        cx.done(&reply, format_args!("{} is being terminated", self.id))
    }
}
