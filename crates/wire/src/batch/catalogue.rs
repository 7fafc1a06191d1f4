//! Requests about instance types.

use serde_json::Value;

use super::env_data::CHARGES;
use super::{Site, filter};
use crate::api3::ApiError;
use crate::fields::{self, shortened};

/// Which instance types are asked for. An empty list asks nothing; all that are not empty must be met.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TypeFilter {
    /// Zones.
    pub zones: Vec<String>,
    /// Families, such as `S5`.
    pub families: Vec<String>,
    /// Names, such as `S5.LARGE8`.
    pub types: Vec<String>,
    /// How they are paid for.
    pub charges: Vec<&'static str>,
}

/// Reads the parameters of `DescribeAvailableCvmInstanceTypes`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn describe_available_cvm_instance_types(params: &Value, site: &Site<'_>) -> Result<TypeFilter, ApiError> {
    read(params, site, &["zone", "instance-family"])
}

/// Reads the parameters of `DescribeCvmZoneInstanceConfigInfos`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn describe_cvm_zone_instance_config_infos(params: &Value, site: &Site<'_>) -> Result<TypeFilter, ApiError> {
    read(params, site, &["zone", "instance-family", "instance-type", "instance-charge-type"])
}

/// Reads a request that has no parameters.
///
/// # Errors
/// `UnknownParameter`.
pub fn describe_instance_categories(params: &Value) -> Result<(), ApiError> {
    fields::read(params, "", |_| Ok(()))
}

fn read(params: &Value, site: &Site<'_>, names: &[&str]) -> Result<TypeFilter, ApiError> {
    fields::read(params, "", |request| {
        let mut wanted = TypeFilter::default();
        filter::each(request, names, |filter| {
            match filter.name.as_str() {
                name if !names.contains(&name) => return Ok(false),
                "zone" => wanted.zones = filter::zones(request, filter, site)?,
                "instance-family" => wanted.families = filter.values,
                "instance-type" => wanted.types = filter.values,
                _ => {
                    wanted.charges = filter.each(|key, text| {
                        CHARGES.into_iter().find(|charge| *charge == text).ok_or_else(|| {
                            let reason = format!("expected {}, found \"{}\"", CHARGES.join(" or "), shortened(text));
                            request.refuse(key, "InvalidParameterValue.UnsupportedBatchInstanceChargeType", reason)
                        })
                    })?;
                }
            }
            Ok(true)
        })?;
        Ok(wanted)
    })
}
