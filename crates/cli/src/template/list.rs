//! `herald template list`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Limit, Source};
use crate::reply::{items, text, time};
use crate::table::Table;

/// List task templates, newest first
#[derive(clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    limit: Limit,
}

const TEMPLATES: Source = Source {
    service: Service::Batch,
    action: "DescribeTaskTemplates",
    set: "TaskTemplateSet",
    things: "task templates",
};

impl List {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = TEMPLATES.fetch(cx, json!({}), &self.limit).await?;
        if cx.out.is_json() { cx.out.json(&reply) } else { cx.out.table(&table(&reply, &cx.zone)) }
    }
}

fn table(reply: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&["ID", "NAME", "TASK", "ENVIRONMENT", "CREATED"]);
    for template in items(reply, TEMPLATES.set) {
        let task = &template["TaskTemplateInfo"];
        table.row([
            text(template, "TaskTemplateId"),
            text(template, "TaskTemplateName"),
            text(task, "TaskName"),
            text(task, "EnvId"),
            time(template, "CreateTime", zone),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_told_in_a_line_each() {
        let templates = json!({"TaskTemplateSet": [{"TaskTemplateId": "task-tmpl-00000001", "TaskTemplateName": "say",
            "TaskTemplateInfo": {"TaskName": "greet", "EnvId": "env-00000001"}, "CreateTime": "2018-03-08T11:48:40Z"}]});
        let wanted = "\
ID                  NAME  TASK   ENVIRONMENT   CREATED
task-tmpl-00000001  say   greet  env-00000001  2018-03-08 11:48:40
";
        assert_eq!(table(&templates, &TimeZone::UTC).render(None), wanted);
    }
}
