//! `herald template delete`.

use serde_json::json;

use super::find;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::text;

/// Delete a task template; jobs made from it go on
#[derive(clap::Args)]
pub(crate) struct Delete {
    /// The template's id or name
    #[arg(value_name = "ID")]
    template: String,
}

impl Delete {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let id = text(&find(cx, &self.template).await?, "TaskTemplateId");
        let reply = cx.client()?.batch("DeleteTaskTemplates", &json!({"TaskTemplateIds": [id]})).await?;
        cx.done(&reply, format_args!("{id} is deleted"))
    }
}
