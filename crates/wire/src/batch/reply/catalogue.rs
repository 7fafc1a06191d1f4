//! Instance types. What is a matter of Tencent's shop (prices, stock, bandwidth) is said as it is here: nothing costs
//! anything, and what is listed can be had.

use serde_json::{Value, json};

use crate::batch::env_data::CHARGES;

/// An instance type on offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<'a> {
    /// Its name, such as `S5.LARGE8`.
    pub name: &'a str,
    /// Its family, such as `S5`.
    pub family: &'a str,
    /// Cores.
    pub cpu: u32,
    /// Memory in GiB.
    pub mem_gb: u32,
}

/// The reply of `DescribeAvailableCvmInstanceTypes`: each type in each zone.
#[must_use]
pub fn describe_available_cvm_instance_types(offers: &[Offer<'_>], zones: &[String]) -> Value {
    let rows: Vec<Value> = pairs(offers, zones)
        .map(|(offer, zone)| {
            json!({
                "Mem": offer.mem_gb,
                "Cpu": offer.cpu,
                "InstanceType": offer.name,
                "Zone": zone,
                "InstanceFamily": offer.family,
            })
        })
        .collect();
    json!({"InstanceTypeConfigSet": rows})
}

/// The reply of `DescribeCvmZoneInstanceConfigInfos`: each type in each zone for each of these ways to pay; none named:
/// each there is.
#[must_use]
pub fn describe_cvm_zone_instance_config_infos(offers: &[Offer<'_>], zones: &[String], charges: &[&str]) -> Value {
    let charges = if charges.is_empty() { CHARGES.as_slice() } else { charges };
    let rows: Vec<Value> = pairs(offers, zones)
        .flat_map(|(offer, zone)| charges.iter().map(move |charge| config_info(offer, zone, charge)))
        .collect();
    json!({"InstanceTypeQuotaSet": rows})
}

/// The reply of `DescribeInstanceCategories`: families by category.
#[must_use]
pub fn describe_instance_categories(categories: &[(&str, Vec<&str>)]) -> Value {
    let rows: Vec<Value> = categories
        .iter()
        .map(|(category, families)| json!({"InstanceCategory": category, "InstanceFamilySet": families}))
        .collect();
    json!({"InstanceCategorySet": rows})
}

fn pairs<'a>(offers: &'a [Offer<'a>], zones: &'a [String]) -> impl Iterator<Item = (&'a Offer<'a>, &'a str)> {
    zones.iter().flat_map(move |zone| offers.iter().map(move |offer| (offer, zone.as_str())))
}

fn config_info(offer: &Offer<'_>, zone: &str, charge: &str) -> Value {
    json!({
        "Zone": zone,
        "InstanceType": offer.name,
        "InstanceChargeType": charge,
        "NetworkCard": 0,
        "Externals": {
            "ReleaseAddress": false,
            "UnsupportNetworks": [],
            "StorageBlockAttr": {"Type": "", "MinSize": 0, "MaxSize": 0},
        },
        "Cpu": offer.cpu,
        "Memory": offer.mem_gb,
        "InstanceFamily": offer.family,
        "TypeName": offer.family,
        "LocalDiskTypeList": [],
        "Status": "SELL",
        "Price": price(),
        "SoldOutReason": "",
        "InstanceBandwidth": 0.0,
        "InstancePps": 0,
        "StorageBlockAmount": 0,
        "CpuType": "",
        "Gpu": 0,
        "Fpga": 0,
        "Remark": "",
        "GpuCount": 0.0,
        "Frequency": "",
        "StatusCategory": "EnoughStock",
    })
}

/// Nothing, by the hour; as numbers with a point, as the API declares them.
fn price() -> Value {
    json!({
        "UnitPrice": 0.0,
        "ChargeUnit": "HOUR",
        "OriginalPrice": 0.0,
        "DiscountPrice": 0.0,
        "Discount": 0.0,
        "UnitPriceDiscount": 0.0,
        "UnitPriceSecondStep": 0.0,
        "UnitPriceDiscountSecondStep": 0.0,
        "UnitPriceThirdStep": 0.0,
        "UnitPriceDiscountThirdStep": 0.0,
        "OriginalPriceThreeYear": 0.0,
        "DiscountPriceThreeYear": 0.0,
        "DiscountThreeYear": 0.0,
        "OriginalPriceFiveYear": 0.0,
        "DiscountPriceFiveYear": 0.0,
        "DiscountFiveYear": 0.0,
        "OriginalPriceOneYear": 0.0,
        "DiscountPriceOneYear": 0.0,
        "DiscountOneYear": 0.0,
    })
}
