//! Task templates: what was asked for, and tags.

use std::sync::{Arc, LazyLock};

use kernel::id::TemplateId;
use kernel::template::Template;

use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, Table, Texts, json, values};

pub(crate) static TEXTS: LazyLock<Texts> =
    LazyLock::new(|| Table { name: "template", key: &["id"], columns: &["created", "name", "spec"] }.texts());

/// Tags never change.
pub(crate) fn put(template: &Template, fresh: bool) -> Vec<Statement<'_>> {
    let Template { id, spec, created } = template;
    let mut statements = vec![TEXTS.write(fresh, values![*id, *created, &spec.name, json(&**spec)])];
    if fresh {
        for (place, (key, value)) in (0u32..).zip(&spec.tags) {
            let text = "insert into template_tag (template, place, key, value) values (?1, ?2, ?3, ?4)";
            statements.push(Statement::new(text, values![*id, place, key, value]));
        }
    }
    statements
}

pub(crate) fn delete(id: TemplateId) -> Vec<Statement<'static>> {
    vec![
        Statement::new(&*TEXTS.delete, values![id]),
        Statement::new("delete from template_tag where template = ?1", values![id]),
    ]
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Template, Corrupt> {
    let (id, created, _name) = (cells.id(TemplateId::from_number)?, cells.time()?, cells.string()?);
    Ok(Template { id, created, spec: Arc::new(cells.json()?) })
}
