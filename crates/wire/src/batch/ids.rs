//! Ids in requests, and the codes of those that are malformed.

use std::fmt::Display;
use std::str::FromStr;

use kernel::id::{EnvId, JobId, MachineId, MalformedId, NodeId, TemplateId};
use serde_json::Value;

use super::check::{self, VALUE};
use crate::api3::ApiError;
use crate::fields::{self, Reader};
use crate::limits::REQUEST_IDS;

/// An id that requests name.
pub(super) trait Id: FromStr<Err = MalformedId> {
    /// The code of a malformed one.
    const MALFORMED: &'static str;
}

impl Id for JobId {
    const MALFORMED: &'static str = "InvalidParameter.JobIdMalformed";
}

impl Id for TemplateId {
    const MALFORMED: &'static str = "InvalidParameter.TaskTemplateIdMalformed";
}

impl Id for EnvId {
    const MALFORMED: &'static str = "InvalidParameter.EnvIdMalformed";
}

impl Id for NodeId {
    const MALFORMED: &'static str = "InvalidParameter.ComputeNodeIdMalformed";
}

impl Id for MachineId {
    const MALFORMED: &'static str = VALUE;
}

/// Reads the text of a field, or of a list's element, as an id.
pub(super) fn parsed<T: Id>(reader: &Reader<'_>, key: &str, text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|malformed| reader.refuse(key, T::MALFORMED, malformed))
}

/// An id that must be given.
pub(super) fn required<T: Id>(reader: &Reader<'_>, key: &str) -> Result<T, ApiError> {
    parsed(reader, key, &reader.required_string(key)?)
}

/// A list of ids; empty when it is not given.
pub(super) fn list<T: Id>(reader: &Reader<'_>, key: &str) -> Result<Vec<T>, ApiError> {
    let texts = reader.strings(key)?;
    let texts = texts.iter().enumerate();
    texts.map(|(at, text)| parsed(reader, &format!("{key}.{at}"), text)).collect()
}

/// A list of ids of things of a kind: at least one, not too many, none twice.
pub(super) fn distinct<T: Id + PartialEq + Display>(
    reader: &Reader<'_>,
    key: &str,
    kind: &str,
) -> Result<Vec<T>, ApiError> {
    let ids: Vec<T> = list(reader, key)?;
    if ids.is_empty() {
        return Err(reader.refuse(key, "MissingParameter", format!("at least one {kind} is required")));
    }
    check::count(reader, key, ids.len(), REQUEST_IDS)?;
    match (1..ids.len()).find(|at| ids[..*at].contains(&ids[*at])) {
        Some(at) => Err(reader.refuse(&format!("{key}.{at}"), VALUE, format!("{} is given twice", ids[at]))),
        None => Ok(ids),
    }
}

/// Reads a request that has a `JobId` and nothing else.
///
/// # Errors
/// `MissingParameter`, `InvalidParameter.JobIdMalformed`, `UnknownParameter`.
pub fn job_id(params: &Value) -> Result<JobId, ApiError> {
    fields::read(params, "", |request| required(request, "JobId"))
}

/// Reads a request that has an `EnvId` and nothing else.
///
/// # Errors
/// `MissingParameter`, `InvalidParameter.EnvIdMalformed`, `UnknownParameter`.
pub fn env_id(params: &Value) -> Result<EnvId, ApiError> {
    fields::read(params, "", |request| required(request, "EnvId"))
}
