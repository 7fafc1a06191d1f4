//! `herald template`.

mod create;
mod delete;
mod list;
mod show;

use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{items, text};
use create::Create;
use delete::Delete;
use list::List;
use show::Show;

crate::noun::noun! {
    /// Task templates: tasks kept to make jobs from
    Template: Create, List, Show, Delete
}

/// What every template's id begins with.
const ID: &str = "task-tmpl-";

/// The template with this id, or the only one with this name.
pub(crate) async fn find(cx: &Context, name: &str) -> Result<Value, Failure> {
    let filter = if name.starts_with(ID) {
        json!({"TaskTemplateIds": [name]})
    } else {
        json!({"Filters": [{"Name": "task-template-name", "Values": [name]}]})
    };
    let reply = cx.client()?.call(Service::Batch, "DescribeTaskTemplates", &filter).await?;
    match items(&reply, "TaskTemplateSet") {
        [one] => Ok(one.clone()),
        [] => Err(Failure::NotThere(format!("there is no task template `{name}`; `herald template list` shows them"))),
        many => {
            let ids: Vec<String> = many.iter().map(|template| text(template, "TaskTemplateId")).collect();
            Err(Failure::NotThere(format!("`{name}` is the name of more than one template: {}", ids.join(", "))))
        }
    }
}
