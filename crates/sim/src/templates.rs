//! What was promised of task templates: which are there, and under which name.

use std::collections::{BTreeMap, BTreeSet};

use kernel::id::TemplateId;
use kernel::state::State;

use crate::promises::{There, ensure};

/// All that were asked for.
#[derive(Default)]
pub(crate) struct Templates {
    known: BTreeMap<TemplateId, Kept>,
    /// Names of those of which nobody knows whether they were made.
    maybe: BTreeSet<String>,
}

/// One that was made.
struct Kept {
    there: There,
    /// The names that it may have: the last that was acknowledged, and those since of which nobody knows.
    names: BTreeSet<String>,
}

impl Templates {
    /// Those that were made, the erased ones too: whoever asks for one of them is refused.
    pub(crate) fn ids(&self) -> Vec<TemplateId> {
        self.known.keys().copied().collect()
    }

    pub(crate) fn made(&mut self, id: TemplateId, name: String) {
        self.known.insert(id, Kept { there: There::Yes, names: [name].into() });
    }

    pub(crate) fn maybe_made(&mut self, name: String) {
        self.maybe.insert(name);
    }

    /// `there`: how certain it is that it has this name now.
    pub(crate) fn named(&mut self, id: TemplateId, name: String, there: There) -> Result<(), String> {
        let Some(kept) = self.known.get_mut(&id) else { return Ok(()) };
        if there == There::Yes {
            // It was there to be named.
            ensure(kept.there != There::No, || format!("template {id} was changed after it was erased"))?;
            kept.there = There::Yes;
            kept.names.clear();
        }
        kept.names.insert(name);
        Ok(())
    }

    /// `done`: how certain it is that it is gone.
    pub(crate) fn gone(&mut self, id: TemplateId, done: There) {
        let Some(kept) = self.known.get_mut(&id) else { return };
        kept.there = match (done, kept.there) {
            (There::Yes, _) | (_, There::No) => There::No,
            _ => There::Maybe,
        };
    }

    /// Whether those in a state are those that were promised.
    pub(crate) fn hold(&self, state: &State) -> Result<(), String> {
        for (id, Kept { there, names }) in &self.known {
            let found = state.template(*id).map(|template| template.spec.name.as_str());
            let right = *there == There::Maybe || found.is_some() == (*there == There::Yes);
            ensure(right, || format!("template {id} should be there: {there:?}"))?;
            let right = found.is_none_or(|name| names.contains(name));
            ensure(right, || format!("template {id} is called {found:?}, and should be one of {names:?}"))?;
        }
        let nobodys =
            state.templates().find(|row| !self.known.contains_key(&row.id) && !self.maybe.contains(&row.spec.name));
        ensure(nobodys.is_none(), || format!("{nobodys:?} is there, and nobody made it"))
    }
}
