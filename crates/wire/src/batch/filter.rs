//! `Filters` of lists. Filters are AND-ed, the values of one are OR-ed.

use kernel::list::{EnvFilter, JobFilter, Tagged, TemplateFilter};
use kernel::phase::Phase;

use super::{Site, check, ids, placement};
use crate::api3::ApiError;
use crate::fields::{Reader, shortened};
use crate::limits::{FILTER_VALUES, FILTERS};

/// The code of a filter whose values cannot be.
const INVALID: &str = "InvalidParameterValue.InvalidFilter";

pub(super) fn jobs(request: &Reader<'_>, site: &Site<'_>) -> Result<JobFilter, ApiError> {
    let mut wanted = JobFilter::default();
    each(request, &["job-id", "job-name", "job-state", "zone", "tag-key", "tag-value", "tag:<key>"], |filter| {
        match filter.name.as_str() {
            "job-id" => wanted.ids = filter.each(|key, text| ids::parsed(request, key, text))?,
            "job-name" => wanted.names = filter.values,
            "job-state" => wanted.phases = phases(request, &filter)?,
            "zone" => wanted.zones = zones(request, filter, site).map_err(elsewhere)?,
            _ => return Ok(tagged(&mut wanted.tags, filter)),
        }
        Ok(true)
    })?;
    Ok(wanted)
}

pub(super) fn templates(request: &Reader<'_>) -> Result<TemplateFilter, ApiError> {
    let mut wanted = TemplateFilter::default();
    each(request, &["task-template-name", "tag-key", "tag-value", "tag:<key>"], |filter| {
        if filter.name != "task-template-name" {
            return Ok(tagged(&mut wanted.tags, filter));
        }
        wanted.names = filter.values;
        Ok(true)
    })?;
    Ok(wanted)
}

/// `None`: what is asked for does not exist here, bare-metal environments.
pub(super) fn envs(request: &Reader<'_>, site: &Site<'_>) -> Result<Option<EnvFilter>, ApiError> {
    let (mut wanted, mut here) = (EnvFilter::default(), true);
    each(request, &["zone", "env-id", "env-name", "resource-type", "tag-key", "tag-value", "tag:<key>"], |filter| {
        match filter.name.as_str() {
            "env-id" => wanted.ids = filter.each(|key, text| ids::parsed(request, key, text))?,
            "env-name" => wanted.names = filter.values,
            "zone" => wanted.zones = zones(request, filter, site).map_err(elsewhere)?,
            "resource-type" => {
                let wants_cvm = filter.each(|key, text| match text {
                    "CVM" => Ok(true),
                    "CPM" => Ok(false),
                    _ => {
                        let reason = format!("expected CVM or CPM, found \"{}\"", shortened(text));
                        Err(request.refuse(key, "InvalidParameterValue.ResourceType", reason))
                    }
                })?;
                here = wants_cvm.contains(&true);
            }
            _ => return Ok(tagged(&mut wanted.tags, filter)),
        }
        Ok(true)
    })?;
    Ok(here.then_some(wanted))
}

/// Environments of which it is asked what they were to be.
pub(super) fn create_infos(request: &Reader<'_>, site: &Site<'_>) -> Result<EnvFilter, ApiError> {
    let mut wanted = EnvFilter::default();
    each(request, &["zone", "env-id", "env-name"], |filter| {
        match filter.name.as_str() {
            "env-id" => wanted.ids = filter.each(|key, text| ids::parsed(request, key, text))?,
            "env-name" => wanted.names = filter.values,
            "zone" => wanted.zones = zones(request, filter, site).map_err(elsewhere)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(wanted)
}

/// States of instances. Tencent's English pages call the filter `task-instance-type`.
pub(super) fn instances(request: &Reader<'_>) -> Result<Vec<Phase>, ApiError> {
    let mut wanted = Vec::new();
    each(request, &["task-instance-state", "task-instance-type"], |filter| {
        let known = matches!(filter.name.as_str(), "task-instance-state" | "task-instance-type");
        if known {
            wanted = phases(request, &filter)?;
        }
        Ok(known)
    })?;
    Ok(wanted)
}

/// One filter as it was given.
pub(super) struct Filter {
    position: usize,
    pub(super) name: String,
    pub(super) values: Vec<String>,
}

impl Filter {
    /// Converts each value; `convert` is told the path of the value in the request.
    pub(super) fn each<T>(&self, convert: impl Fn(&str, &str) -> Result<T, ApiError>) -> Result<Vec<T>, ApiError> {
        let values = self.values.iter().enumerate();
        values.map(|(at, value)| convert(&format!("Filters.{}.Values.{at}", self.position), value)).collect()
    }
}

/// Reads the request's filters and gives them to `take`, which says whether it knows the filter's name.
pub(super) fn each(
    request: &Reader<'_>,
    names: &[&str],
    mut take: impl FnMut(Filter) -> Result<bool, ApiError>,
) -> Result<(), ApiError> {
    let filters = request.objects("Filters", |filter| {
        let values = filter.has("Values").then(|| filter.strings("Values")).transpose()?;
        Ok((filter.required_string("Name")?, values))
    })?;
    check::count(request, "Filters", filters.len(), FILTERS)?;
    let mut seen: Vec<String> = Vec::new();
    for (position, (name, values)) in filters.into_iter().enumerate() {
        let path = |field: &str| format!("Filters.{position}.{field}");
        if seen.contains(&name) {
            let reason = format!("`{}` is given twice; one filter may have many values", shortened(&name));
            return Err(request.refuse(&path("Name"), INVALID, reason));
        }
        seen.push(name.clone());
        let values = request.required(&path("Values"), values)?;
        if values.is_empty() {
            return Err(request.refuse(&path("Values"), INVALID, "at least one value is required"));
        }
        check::count(request, &path("Values"), values.len(), FILTER_VALUES)?;
        if !take(Filter { position, name: name.clone(), values })? {
            let reason = format!("expected one of {}, found \"{}\"", names.join(", "), shortened(&name));
            return Err(request.refuse(&path("Name"), "InvalidFilter", reason));
        }
    }
    Ok(())
}

fn phases(request: &Reader<'_>, filter: &Filter) -> Result<Vec<Phase>, ApiError> {
    filter.each(|key, text| {
        text.parse().map_err(|()| {
            let words = Phase::ALL.map(Phase::as_str).join(", ");
            request.refuse(key, INVALID, format!("expected one of {words}, found \"{}\"", shortened(text)))
        })
    })
}

/// Jobs and environments know one code for a zone that is not here, in whichever region it may be.
fn elsewhere(error: ApiError) -> ApiError {
    if error.code == "InvalidParameterValue.InvalidZoneMismatchRegion" {
        return ApiError::new("InvalidZone.MismatchRegion", error.message);
    }
    error
}

pub(super) fn zones(request: &Reader<'_>, filter: Filter, site: &Site<'_>) -> Result<Vec<String>, ApiError> {
    filter.each(|key, zone| placement::check_zone(request, key, zone, site))?;
    Ok(filter.values)
}

/// Takes a filter of tags; false when it is none.
fn tagged(tags: &mut Tagged, filter: Filter) -> bool {
    match filter.name.as_str() {
        "tag-key" => tags.keys = filter.values,
        "tag-value" => tags.values = filter.values,
        name => match name.strip_prefix("tag:") {
            Some(key) => tags.pairs.push((key.to_owned(), filter.values)),
            None => return false,
        },
    }
    true
}
