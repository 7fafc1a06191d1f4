//! Task templates.

use std::sync::Arc;

use kernel::template::Template;

use crate::engine::{Engine, EngineError};
use crate::page::{Page, Span, TemplateFilter};
use crate::read::{Conditions, page};
use crate::rows::template;
use crate::statement::Value;

pub(crate) fn templates(
    engine: &mut dyn Engine,
    filter: &TemplateFilter,
    span: Span,
) -> Result<Page<Arc<Template>>, EngineError> {
    let mut conditions = Conditions::new();
    conditions.within("template.id", filter.ids.iter().map(|id| Value::from(*id)));
    conditions.within("template.name", filter.names.iter().map(Value::from));
    conditions.tagged("template_tag", "template", "template.id", &filter.tags);
    let (select, order) = (&template::TEXTS.select, "created desc, id desc");
    page(engine, "template", select, conditions, order, span, |row| template::read(row).map(Arc::new))
}
