//! `Placement`: where a job or environment is to be.

use super::Site;
use super::schema::{Field, Kind, check};
use crate::api3::ApiError;
use crate::fields::{Reader, shortened};

/// What has no meaning on one's own machines: stored and echoed. Tencent gives `HostId` and `RackId` in replies only;
/// a reply that is sent back is not refused for them.
const ECHOED: &[Field] = &[
    Field::new("ProjectId", Kind::Integer),
    Field::new("HostIds", Kind::Texts),
    Field::new("HostId", Kind::Text),
    Field::new("DedicatedResourcePackTenancy", Kind::Text),
    Field::new("DedicatedResourcePackIds", Kind::Texts),
    Field::new("RackId", Kind::Text),
];

/// The zone that the request's `Placement` names.
pub(super) fn zone(request: &Reader<'_>, site: &Site<'_>) -> Result<String, ApiError> {
    request.required_object("Placement", |placement| {
        let zone = placement.required_string("Zone")?;
        available_zone(placement, "Zone", &zone, site)?;
        check(placement, ECHOED)?;
        Ok(zone)
    })
}

/// Refuses a zone in which nothing can be had: of the region, by its name, but not offered here; or none at all.
pub(super) fn available_zone(reader: &Reader<'_>, key: &str, zone: &str, site: &Site<'_>) -> Result<(), ApiError> {
    let number = zone.strip_prefix(site.region).and_then(|rest| rest.strip_prefix('-'));
    let is_zone = number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    if is_zone && !site.zones.iter().any(|known| known == zone) {
        let reason = format!("\"{}\" is not offered here; there are {}", shortened(zone), site.zones.join(", "));
        return Err(reader.refuse(key, "InvalidParameterValue.UnavailableZone", reason));
    }
    check_zone(reader, key, zone, site)
}

/// Refuses a zone that is not one of the installation's.
pub(super) fn check_zone(reader: &Reader<'_>, key: &str, zone: &str, site: &Site<'_>) -> Result<(), ApiError> {
    if site.zones.iter().any(|known| known == zone) {
        return Ok(());
    }
    let in_region = zone.strip_prefix(site.region).is_some_and(|rest| rest.starts_with('-'));
    let code = if in_region { "InvalidZone.MismatchRegion" } else { "InvalidParameterValue.InvalidZoneMismatchRegion" };
    let reason = format!("\"{}\" is none of the zones here: {}", shortened(zone), site.zones.join(", "));
    Err(reader.refuse(key, code, reason))
}
