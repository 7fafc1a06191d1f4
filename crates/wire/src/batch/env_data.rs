//! `EnvData`: what kind of machine a node is.
//!
//! Only the instance type has an effect here; it says how large a node is. Images, disks, networks, log-ins and prices
//! are Tencent's virtual machines': they are checked as declared, stored and echoed.

use kernel::environment::NodeType;

use super::check::{self, COMBINATION, VALUE};
use super::declared::{ENV_DATA, LOGIN};
use super::placement::available_zone;
use super::schema::check;
use super::{Site, check::one_of};
use crate::api3::ApiError;
use crate::fields::{Reader, shortened};
use crate::limits::{INSTANCE_TYPES, NODE_SIZE};

/// The type of an environment that names none: the machine that Herald runs on.
const LOCAL: &str = "local";

/// The instance types of an environment, in the order they are tried.
pub(super) fn instance_types(env: &Reader<'_>, site: &Site<'_>) -> Result<Vec<NodeType>, ApiError> {
    let types = env.object("EnvData", |data| {
        echoed(data, site)?;
        chosen(data, site)
    })?;
    match types.unwrap_or_default() {
        types if types.is_empty() => Ok(vec![node_type(env, "EnvData.InstanceType", LOCAL, site)?]),
        types => Ok(types),
    }
}

/// The types that are named, in one of the three ways there are.
fn chosen(data: &Reader<'_>, site: &Site<'_>) -> Result<Vec<NodeType>, ApiError> {
    exclude(data, &["InstanceType", "InstanceTypes", "InstanceTypeOptions"])?;
    if let Some(name) = data.string("InstanceType")? {
        return Ok(vec![node_type(data, "InstanceType", &name, site)?]);
    }
    if let Some(of_size) = data.object("InstanceTypeOptions", |options| of_size(options, site))? {
        return Ok(of_size);
    }
    Ok(named_types(data, site)?.unwrap_or_default())
}

/// The types of a list of names.
pub(super) fn named_types(data: &Reader<'_>, site: &Site<'_>) -> Result<Option<Vec<NodeType>>, ApiError> {
    if !data.has("InstanceTypes") {
        return Ok(None);
    }
    let names = data.strings("InstanceTypes")?;
    if names.is_empty() {
        let reason = "at least one instance type is required";
        return Err(data.refuse("InstanceTypes", "InvalidParameterValue.InstanceTypesEmpty", reason));
    }
    check::count(data, "InstanceTypes", names.len(), INSTANCE_TYPES)?;
    let path = |at: usize| format!("InstanceTypes.{at}");
    if let Some(at) = (1..names.len()).find(|at| names[..*at].contains(&names[*at])) {
        let reason = format!("`{}` is given twice", shortened(&names[at]));
        return Err(data.refuse(&path(at), "InvalidParameterValue.InstanceTypeDuplicate", reason));
    }
    names
        .iter()
        .enumerate()
        .map(|(at, name)| node_type(data, &path(at), name, site))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn node_type(reader: &Reader<'_>, key: &str, name: &str, site: &Site<'_>) -> Result<NodeType, ApiError> {
    (site.node_type)(name).ok_or_else(|| {
        let reason = format!(
            "\"{}\" is no instance type here; a name like S5.LARGE8 tells its size, other names are configured",
            shortened(name)
        );
        reader.refuse(key, "InvalidParameterValue.InstanceType", reason)
    })
}

/// Types that are asked for by their size, in the order they are tried.
fn of_size(options: &Reader<'_>, site: &Site<'_>) -> Result<Vec<NodeType>, ApiError> {
    let size = |key: &str| {
        let size = check::within(options, key, 1, NODE_SIZE, VALUE)?;
        let size = options.required(key, size)?;
        Ok(u32::try_from(size).expect("limited to less"))
    };
    let (cpu, mem_gb) = (size("CPU")?, size("Memory")?);
    let categories: Vec<&str> = std::iter::once("ALL").chain(CATEGORIES).collect();
    let mut wanted = options.strings("InstanceCategories")?;
    for (at, category) in wanted.iter().enumerate() {
        if !categories.contains(&category.as_str()) {
            let reason = format!("expected one of {}, found \"{}\"", categories.join(", "), shortened(category));
            return Err(options.refuse(&format!("InstanceCategories.{at}"), VALUE, reason));
        }
    }
    if wanted.iter().any(|category| category == "ALL") {
        wanted.clear();
    }
    let mut types = (site.types_of_size)(cpu, mem_gb, &wanted);
    types.truncate(INSTANCE_TYPES);
    if types.is_empty() {
        let reason = format!("no instance type of {} has {cpu} cores and {mem_gb} GiB", wanted.join(" or "));
        return Err(options.refuse("InstanceCategories", "InvalidParameterValue.InstanceType", reason));
    }
    Ok(types)
}

/// What is stored and echoed.
fn echoed(data: &Reader<'_>, site: &Site<'_>) -> Result<(), ApiError> {
    exclude(data, &["VirtualPrivateCloud", "VirtualPrivateClouds", "Zones"])?;
    for (at, zone) in data.strings("Zones")?.iter().enumerate() {
        available_zone(data, &format!("Zones.{at}"), zone, site)?;
    }
    if let Some(id) = data.string("ImageId")?.filter(|id| !is_image_id(id)) {
        let reason = format!("expected `img-` and 8 characters of 0-9a-z, found \"{}\"", shortened(&id));
        return Err(data.refuse("ImageId", "InvalidParameter.ImageIdMalformed", reason));
    }
    if let Some(kind) = data.string("InstanceChargeType")?.filter(|kind| !CHARGES.contains(&kind.as_str())) {
        let reason = format!("expected {}, found \"{}\"", CHARGES.join(" or "), shortened(&kind));
        let code = "InvalidParameterValue.UnsupportedBatchInstanceChargeType";
        return Err(data.refuse("InstanceChargeType", code, reason));
    }
    data.object("LoginSettings", |login| {
        exclude(login, &["Password", "KeyIds"])?;
        one_of(login, "KeepImageLogin", &[("TRUE", ()), ("FALSE", ())])?;
        check(login, LOGIN)
    })?;
    check(data, ENV_DATA)
}

/// The categories of instance families.
pub const CATEGORIES: [&str; 6] = ["GENERAL", "GENERAL_2", "GENERAL_3", "COMPUTE", "COMPUTE_2", "COMPUTE_3"];

/// How instances are paid for.
pub(super) const CHARGES: [&str; 2] = ["POSTPAID_BY_HOUR", "SPOTPAID"];

fn is_image_id(id: &str) -> bool {
    let digits = id.strip_prefix("img-").unwrap_or_default();
    digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
}

/// Refuses the second of fields of which only one may be given.
fn exclude(reader: &Reader<'_>, keys: &[&str]) -> Result<(), ApiError> {
    let mut given = keys.iter().filter(|key| reader.has(key));
    match (given.next(), given.next()) {
        (Some(first), Some(second)) => Err(reader.refuse(second, COMBINATION, format!("exclusive with {first}"))),
        _ => Ok(()),
    }
}
