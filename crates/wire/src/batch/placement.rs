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
        check_zone(placement, "Zone", &zone, site)?;
        check(placement, ECHOED)?;
        Ok(zone)
    })
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
