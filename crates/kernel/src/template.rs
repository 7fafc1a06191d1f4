//! A task template: a task kept under a name, to make jobs from.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::TemplateId;
use crate::time::Timestamp;

/// A template as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// What it is. Replaced as a whole when it changes.
    pub spec: Arc<TemplateSpec>,
    /// When it was made.
    pub created: Timestamp,
}

/// What was asked for, checked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateSpec {
    /// Its name. Others may have the same, as with jobs and environments: the id tells them apart.
    pub name: String,
    /// Its description; may be empty.
    pub description: String,
    /// The task as it was sent, as JSON text. It is a right one; whether its environment exists is looked at when a
    /// job is made from it.
    pub task: String,
    /// Tags, as pairs of key and value.
    pub tags: Vec<(String, String)>,
}

/// What changes on a template; `None` stays.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct TemplateEdit {
    /// Its name.
    pub name: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// The task, as JSON text.
    pub task: Option<String>,
}

/// Without the task, which may hold keys and passwords.
impl fmt::Debug for TemplateSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateSpec")
            .field("name", &self.name)
            .field("description", &self.description)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

/// Without the task, which may hold keys and passwords.
impl fmt::Debug for TemplateEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateEdit")
            .field("name", &self.name)
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}
