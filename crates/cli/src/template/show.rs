//! `herald template show`.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::find;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{items, text, time};
use crate::table::Table;

/// Show a task template; secrets in it are shown as stars
#[derive(clap::Args)]
pub(crate) struct Show {
    /// The template's id or name
    #[arg(value_name = "ID")]
    template: String,
}

impl Show {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let template = find(cx, &self.template).await?;
        if cx.out.is_json() {
            return cx.out.json(&template);
        }
        cx.out.table(&head(&template, &cx.zone))?;
        cx.out.line("")?;
        cx.out.json(&template["TaskTemplateInfo"])
    }
}

fn head(template: &Value, zone: &TimeZone) -> Table {
    let tags = items(template, "Tags").iter().map(|tag| format!("{}={}", text(tag, "Key"), text(tag, "Value")));
    Table::of_pairs([
        ("Template", text(template, "TaskTemplateId")),
        ("Name", text(template, "TaskTemplateName")),
        ("Description", text(template, "TaskTemplateDescription")),
        ("Tags", tags.collect::<Vec<_>>().join(", ")),
        ("Created", time(template, "CreateTime", zone)),
    ])
}
