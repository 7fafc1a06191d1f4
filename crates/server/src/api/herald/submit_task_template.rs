//! `SubmitTaskTemplate`. The server puts the template's task into the job, because it alone has the task's secrets:
//! whoever reads a template sees stars for them.

use kernel::command::{Command, Refusal, Reply};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::batch;

use crate::App;
use crate::api::api3::{Action, unexpected};
use crate::api::batch::{at_site, submit};

pub(super) const ACTION: Action = Action {
    name: "SubmitTaskTemplate",
    help: "Accepts a job of one task, that of a task template, and tells its id.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let request = batch::submit_task_template(params)?;
    let id = request.template;
    let Some(template) = app.state().template(id).cloned() else {
        let refusal = Refusal::NoTemplate { template: id, path: "TaskTemplateId".to_owned() };
        return Err(batch::refusal(&refusal));
    };
    let job = at_site(app, |site| request.with_task(&template.spec.task, site))?;
    match submit(app, Command::SubmitJob { spec: Box::new(job.spec), token: job.token }).await? {
        Reply::Job(id) => Ok(json!({"JobId": id})),
        other => Err(unexpected(&other)),
    }
}
