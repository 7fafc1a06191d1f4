//! Task templates.

use std::sync::Arc;

use kernel::template::Template;
use serde_json::{Value, json};

use super::tags;
use crate::batch::declared::TASK;
use crate::batch::schema;
use crate::time::Utc;

/// The reply of `DescribeTaskTemplates`: some of `total` templates.
#[must_use]
pub fn describe_task_templates(total: u64, templates: &[Arc<Template>]) -> Value {
    let templates: Vec<Value> = templates
        .iter()
        .map(|template| {
            let task: Value = serde_json::from_str(&template.spec.task).unwrap_or_default();
            json!({
                "TaskTemplateId": template.id,
                "TaskTemplateName": template.spec.name,
                "TaskTemplateDescription": template.spec.description,
                "TaskTemplateInfo": schema::given(&task, TASK),
                "CreateTime": Utc(template.created),
                "Tags": tags(&template.spec.tags),
            })
        })
        .collect();
    json!({"TaskTemplateSet": templates, "TotalCount": total})
}
