//! `herald template create`.

use std::path::PathBuf;

use serde_json::Value;

use crate::context::Context;
use crate::failure::Failure;
use crate::file;
use crate::reply::text;

const MORE: &str = r#"The file holds a task as it stands in a job, or the whole request of CreateTaskTemplate. Comments, trailing commas and snake_case keys are read too.

Example:
  {
    "TaskName": "greet",
    "EnvId": "env-00000000",
    "Application": { "Command": "echo hello" } // what the job's one task will run
  }"#;

/// Keep a task to make jobs from, and print its template's id
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Create {
    /// The file; - is standard input
    file: PathBuf,
    /// The template's name; else what the file says, or the task's name
    #[arg(long)]
    name: Option<String>,
}

impl Create {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut request = file::object(&self.file, "TaskTemplateInfo")?;
        name(&mut request, self.name);
        let reply = cx.client()?.batch("CreateTaskTemplate", &request).await?;
        cx.made(&reply, "TaskTemplateId")
    }
}

/// Gives the template the name that it is to have.
fn name(request: &mut Value, told: Option<String>) {
    let own = || text(&request["TaskTemplateInfo"], "TaskName");
    if let Some(name) = told {
        request["TaskTemplateName"] = name.into();
    } else if request["TaskTemplateName"].is_null() && !own().is_empty() {
        request["TaskTemplateName"] = own().into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_example_can_be_read() {
        let (_, example) = MORE.split_once("Example:").unwrap();
        assert_eq!(wire::file::read(example).unwrap()["TaskName"], "greet");
    }

    #[test]
    fn a_template_is_called_as_told_or_as_it_says_or_as_its_task() {
        for (request, told, wanted) in [
            (json!({"TaskTemplateName": "own", "TaskTemplateInfo": {"TaskName": "t"}}), Some("told"), json!("told")),
            (json!({"TaskTemplateName": "own", "TaskTemplateInfo": {"TaskName": "t"}}), None, json!("own")),
            (json!({"TaskTemplateInfo": {"TaskName": "t"}}), None, json!("t")),
            (json!({"TaskTemplateInfo": {}}), None, Value::Null),
        ] {
            let mut request = request;
            name(&mut request, told.map(str::to_owned));
            assert_eq!(request["TaskTemplateName"], wanted);
        }
    }
}
