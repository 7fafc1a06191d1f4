//! Instance types, as the official clients ask for them.

use serde_json::{Value, json};

use crate::support::server::Server;

const TYPES: &str = r#"
zones = ["ap-guangzhou-1", "ap-guangzhou-2"]
[nodes.types."S5.LARGE8"]
cpu = 4
mem_gb = 8
[nodes.types."C3.LARGE8"]
cpu = 4
mem_gb = 8
category = "COMPUTE_3"
[nodes.types.workbench]
cpu = 2
mem_gb = 16
family = "own"
"#;

fn names(set: &Value) -> Vec<&str> {
    let set = set.as_array().expect("a list");
    set.iter().map(|row| row["InstanceType"].as_str().expect("a name")).collect()
}

#[test]
fn the_configured_types_are_listed_with_every_declared_field() {
    let server = Server::start_with(TYPES);
    let mut official = server.official();
    let all = server.tccli(&["batch", "DescribeAvailableCvmInstanceTypes"]);
    let set = &all["InstanceTypeConfigSet"];
    let zone = ["C3.LARGE8", "S5.LARGE8", "local", "workbench"];
    assert_eq!(names(set), [zone, zone].concat(), "each type in each zone: {all}");
    let wanted =
        json!({"Mem": 8, "Cpu": 4, "InstanceType": "C3.LARGE8", "Zone": "ap-guangzhou-1", "InstanceFamily": "C3"});
    assert_eq!(set[0], wanted);
    let filters =
        json!([{"Name": "zone", "Values": ["ap-guangzhou-2"]}, {"Name": "instance-family", "Values": ["own", "S5"]}]);
    let some =
        official.batch("DescribeAvailableCvmInstanceTypes", json!({"Filters": filters})).expect("a right request");
    assert_eq!(names(&some["InstanceTypeConfigSet"]), ["S5.LARGE8", "workbench"], "{some}");

    let filters = json!([{"Name": "zone", "Values": ["ap-guangzhou-1"]},
        {"Name": "instance-type", "Values": ["S5.LARGE8", "SA2.2XLARGE16", "nonsense"]}]);
    let infos = official.batch("DescribeCvmZoneInstanceConfigInfos", json!({"Filters": filters})).expect("right");
    let set = &infos["InstanceTypeQuotaSet"];
    assert_eq!(names(set), ["S5.LARGE8", "S5.LARGE8", "SA2.2XLARGE16", "SA2.2XLARGE16"], "also what a name tells");
    let row = &set[0];
    assert_eq!((&row["InstanceChargeType"], &row["Status"]), (&json!("POSTPAID_BY_HOUR"), &json!("SELL")), "{row}");
    assert_eq!((&row["Memory"], &row["InstanceFamily"]), (&json!(8), &json!("S5")), "{row}");
    let all_told = row.as_object().expect("an object").iter().all(|(_, value)| !value.is_null());
    assert!(all_told && row["LocalDiskTypeList"] == json!([]), "{row}");
    assert!(row["Price"]["UnitPrice"].is_f64() && row["Price"]["ChargeUnit"] == "HOUR", "{row}");
    assert_eq!(row["Externals"]["UnsupportNetworks"], json!([]), "{row}");
    let spot = json!([{"Name": "instance-charge-type", "Values": ["SPOTPAID"]}, {"Name": "instance-family", "Values": ["C3"]}]);
    let infos = official.batch("DescribeCvmZoneInstanceConfigInfos", json!({"Filters": spot})).expect("right");
    assert_eq!(names(&infos["InstanceTypeQuotaSet"]), ["C3.LARGE8", "C3.LARGE8"], "{infos}");

    let categories = server.tccli(&["batch", "DescribeInstanceCategories"]);
    let wanted = json!([{"InstanceCategory": "COMPUTE_3", "InstanceFamilySet": ["C3"]},
        {"InstanceCategory": "GENERAL", "InstanceFamilySet": ["S5", "local", "own"]}]);
    assert_eq!(categories["InstanceCategorySet"], wanted);
}

#[test]
fn wrong_filters_of_types_are_refused_with_the_documented_codes() {
    let server = Server::start();
    let mut official = server.official();
    let (available, infos) = ("DescribeAvailableCvmInstanceTypes", "DescribeCvmZoneInstanceConfigInfos");
    for (action, name, value, code) in [
        (available, "instance-type", "S5.LARGE8", "InvalidFilter"),
        (available, "colour", "red", "InvalidFilter"),
        (available, "zone", "ap-guangzhou-77", "InvalidZone.MismatchRegion"),
        (available, "zone", "eu-mars-1", "InvalidParameterValue.InvalidZoneMismatchRegion"),
        (infos, "instance-charge-type", "PREPAID", "InvalidParameterValue.UnsupportedBatchInstanceChargeType"),
        (infos, "instance-charge", "SPOTPAID", "InvalidFilter"),
    ] {
        let refusal = official.batch(action, json!({"Filters": [{"Name": name, "Values": [value]}]})).expect_err(code);
        assert_eq!(refusal.code, code, "{refusal}");
        assert!(refusal.message.contains("Filters.0"), "{refusal}");
    }
    let refusal = official.batch_as_is("DescribeInstanceCategories", json!({"Limit": 1})).expect_err("no parameters");
    assert_eq!(refusal.code, "UnknownParameter", "{refusal}");
}
