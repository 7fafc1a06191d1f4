//! Task templates: kept, changed, erased.

use std::sync::Arc;

use crate::change::What;
use crate::command::{Refusal, Reply};
use crate::decide::Draft;
use crate::id::TemplateId;
use crate::template::{Template, TemplateEdit, TemplateSpec};

pub(super) fn create(draft: &mut Draft<'_>, spec: TemplateSpec) -> Result<Reply, Refusal> {
    let quota = draft.settings.template_quota;
    if draft.state.templates.len() as u64 >= quota {
        return Err(Refusal::TemplateQuota(quota));
    }
    let id = TemplateId::draw(draft.rng);
    let template = Template { id, spec: Arc::new(spec), created: draft.now };
    draft.record(What::TemplateCreated(template));
    Ok(Reply::Template(id))
}

/// All of the edit, or nothing.
pub(super) fn modify(draft: &mut Draft<'_>, id: TemplateId, edit: TemplateEdit) -> Result<Reply, Refusal> {
    let path = || "TaskTemplateId".to_owned();
    let had = draft.state.template(id).ok_or_else(|| Refusal::NoTemplate { template: id, path: path() })?;
    let edit = TemplateEdit {
        name: edit.name.filter(|name| *name != had.spec.name),
        description: edit.description.filter(|text| *text != had.spec.description),
        task: edit.task.filter(|task| *task != had.spec.task),
    };
    if edit != TemplateEdit::default() {
        draft.record(What::TemplateModified(id, edit));
    }
    Ok(Reply::Done)
}

/// All of them, or none.
pub(super) fn delete(draft: &mut Draft<'_>, ids: &[TemplateId]) -> Result<Reply, Refusal> {
    for (position, id) in ids.iter().enumerate() {
        if draft.state.template(*id).is_none() {
            return Err(Refusal::NoTemplate { template: *id, path: format!("TaskTemplateIds.{position}") });
        }
    }
    for id in ids {
        draft.record(What::TemplateDeleted(*id));
    }
    Ok(Reply::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::decide::Settings;
    use crate::testing::World;

    fn spec(name: &str) -> TemplateSpec {
        TemplateSpec { name: name.into(), description: "d".into(), task: "{}".into(), tags: Vec::new() }
    }

    fn ok(world: &mut World, command: Command) -> Reply {
        world.run(command).unwrap()
    }

    fn refused(world: &mut World, command: Command) -> Refusal {
        world.run(command).unwrap_err()
    }

    fn made(world: &mut World, name: &str) -> TemplateId {
        match ok(world, Command::CreateTemplate(Box::new(spec(name)))) {
            Reply::Template(id) => id,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_edit_changes_what_it_names_and_leaves_the_rest() {
        let mut world = World::new(1);
        let id = made(&mut world, "one");
        let created = world.state.template(id).unwrap().created;
        for (edit, wanted) in [
            (TemplateEdit { name: Some("two".into()), ..TemplateEdit::default() }, ("two", "d", "{}")),
            (TemplateEdit { task: Some("{\"a\":1}".into()), ..TemplateEdit::default() }, ("two", "d", "{\"a\":1}")),
            (TemplateEdit { description: Some(String::new()), ..TemplateEdit::default() }, ("two", "", "{\"a\":1}")),
        ] {
            ok(&mut world, Command::ModifyTemplate(id, edit));
            let template = world.state.template(id).unwrap();
            let spec = &template.spec;
            assert_eq!((spec.name.as_str(), spec.description.as_str(), spec.task.as_str()), wanted);
            assert_eq!(template.created, created);
        }
    }

    #[test]
    fn templates_are_deleted_together_or_not_at_all() {
        let mut world = World::new(1);
        let (one, two) = (made(&mut world, "same"), made(&mut world, "same"));
        ok(&mut world, Command::DeleteTemplates(vec![two]));
        let refusal = refused(&mut world, Command::DeleteTemplates(vec![one, two]));
        assert_eq!(refusal, Refusal::NoTemplate { template: two, path: "TaskTemplateIds.1".into() });
        assert!(world.state.template(one).is_some());
        let refusal = refused(&mut world, Command::ModifyTemplate(two, TemplateEdit::default()));
        assert_eq!(refusal, Refusal::NoTemplate { template: two, path: "TaskTemplateId".into() });
    }

    #[test]
    fn there_are_no_more_templates_than_the_quota_allows() {
        let mut world = World::new(1);
        world.settings = Settings { template_quota: 2, ..Settings::default() };
        let first = made(&mut world, "a");
        made(&mut world, "b");
        assert_eq!(refused(&mut world, Command::CreateTemplate(Box::new(spec("c")))), Refusal::TemplateQuota(2));
        ok(&mut world, Command::DeleteTemplates(vec![first]));
        made(&mut world, "c");
    }
}
