//! A task template: a task kept under a name, to make jobs from.

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateEdit {
    /// Its name.
    pub name: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// The task, as JSON text.
    pub task: Option<String>,
}
