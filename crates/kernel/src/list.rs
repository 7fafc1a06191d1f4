//! What is asked of lists: who reads a request and who answers it from the store mean the same by it.

use crate::id::{EnvId, JobId, TemplateId};
use crate::phase::Phase;

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// How many to pass over.
    pub offset: u64,
    /// How many to give at most.
    pub limit: u64,
}

/// Which tags are wanted. Lists that are not empty must each be met by one tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tagged {
    /// A tag has one of these keys.
    pub keys: Vec<String>,
    /// A tag has one of these values.
    pub values: Vec<String>,
    /// For each entry: the tag with this key has one of these values.
    pub pairs: Vec<(String, Vec<String>)>,
}

/// Which jobs. An empty list asks nothing; all that are not empty must be met.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// Ids.
    pub ids: Vec<JobId>,
    /// Names, exactly.
    pub names: Vec<String>,
    /// States.
    pub phases: Vec<Phase>,
    /// Zones.
    pub zones: Vec<String>,
    /// Tags.
    pub tags: Tagged,
}

/// Which task templates. An empty list asks nothing; all that are not empty must be met.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateFilter {
    /// Ids.
    pub ids: Vec<TemplateId>,
    /// Names, exactly.
    pub names: Vec<String>,
    /// Tags.
    pub tags: Tagged,
}

/// Which environments. An empty list asks nothing; all that are not empty must be met.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EnvFilter {
    /// Ids.
    pub ids: Vec<EnvId>,
    /// Names, exactly.
    pub names: Vec<String>,
    /// Zones.
    pub zones: Vec<String>,
    /// Tags.
    pub tags: Tagged,
}
