use kernel::change::EnvEdit;
use serde_json::{Value, json};

use super::{ENV, at_site, pairs, told, with};
use crate::api3::ApiError;
use crate::batch::{CreateComputeEnv, create_compute_env, env_id, job_id, modify_compute_env, terminate_compute_nodes};

fn create(request: &Value) -> Result<CreateComputeEnv, ApiError> {
    at_site(|site| create_compute_env(request, site))
}

fn right() -> Value {
    json!({
        "Placement": {"Zone": "ap-guangzhou-2"},
        "ComputeEnv": {"EnvName": "e", "DesiredComputeNodeCount": 2, "EnvData": {"InstanceType": "S5.LARGE8"}},
    })
}

#[test]
fn what_is_left_out_has_its_default() {
    let env = create(&with(right(), "ComputeEnv.EnvData", Value::Null)).unwrap();
    assert_eq!((env.name.as_str(), env.description.as_str(), env.desired, env.token), ("e", "", 2, None));
    assert_eq!(env.spec.instance_types.iter().map(|kind| kind.name.as_str()).collect::<Vec<_>>(), ["local"]);
    assert_eq!((env.spec.recreate, env.spec.max_recreations), (true, 7));
    assert_eq!(env.spec.zone, "ap-guangzhou-2");
}

#[test]
fn what_has_no_meaning_here_is_kept() {
    let data = json!({
        "InstanceTypes": ["S5.LARGE8", "local"], "ImageId": "img-bd78fy2t",
        "SystemDisk": {"DiskType": "CLOUD_SSD", "DiskSize": "50", "Encrypt": "FALSE"},
        "DataDisks": [{"DiskSize": 10, "DeleteWithInstance": true}],
        "VirtualPrivateCloud": {"VpcId": "DEFAULT", "SubnetId": "DEFAULT"},
        "InternetAccessible": {"PublicIpAssigned": "TRUE", "InternetMaxBandwidthOut": 1},
        "InstanceName": "n", "LoginSettings": {"Password": "secret1", "KeepImageLogin": "FALSE"},
        "SecurityGroupIds": ["sg-1"], "EnhancedService": {"MonitorService": {"Enabled": true}},
        "InstanceChargeType": "SPOTPAID",
        "InstanceMarketOptions": {"SpotOptions": {"MaxPrice": "0.12"}, "MarketType": "spot"},
    });
    let mut request = with(right(), "ComputeEnv.EnvData", data);
    for (field, value) in [
        ("EnvDescription", json!("d")),
        ("EnvType", json!("MANAGED")),
        ("MountDataDisks", json!([{"LocalPath": "/data", "FileSystemType": "EXT4"}])),
        ("ActionIfComputeNodeInactive", json!("RECREATE")),
        ("ResourceMaxRetryCount", json!(0)),
        ("Tags", json!([{"Key": "k", "Value": "v"}])),
        ("NotificationTarget", json!("CMQ")),
        ("Notifications", json!([{"TopicName": "t", "EventConfigs": [{"EventName": "COMPUTE_ENV_CREATED"}]}])),
    ] {
        request["ComputeEnv"][field] = value;
    }
    let env = create(&request).unwrap();
    let types: Vec<_> = env.spec.instance_types.iter().map(|kind| kind.name.as_str()).collect();
    assert_eq!((env.description.as_str(), types), ("d", vec!["S5.LARGE8", "local"]));
    assert_eq!((env.spec.max_recreations, &env.spec.tags), (0, &pairs(&[("k", "v")])));
    assert_eq!(env.spec.notifications[0].topic_name, "t");
    assert!(!env.spec.document.contains("secret1"));
    let kept: Value = serde_json::from_str(&env.spec.document).unwrap();
    assert_eq!(kept, with(request, "ComputeEnv.EnvData.LoginSettings.Password", json!("******")));
}

#[test]
fn a_type_may_be_asked_for_by_its_size() {
    let options = json!({"InstanceTypeOptions": {"CPU": 4, "Memory": "16", "InstanceCategories": ["ALL"]}});
    let env = create(&with(right(), "ComputeEnv.EnvData", options)).unwrap();
    let names: Vec<&str> = env.spec.instance_types.iter().map(|kind| kind.name.as_str()).collect();
    assert_eq!(names, ["A.4", "B.4"], "all of that size, in the order they are tried");
    let options = json!({"InstanceTypeOptions": {"CPU": 4, "Memory": 16, "InstanceCategories": ["COMPUTE"]}});
    let refused = told(create(&with(right(), "ComputeEnv.EnvData", options)));
    let path = "ComputeEnv.EnvData.InstanceTypeOptions.InstanceCategories";
    assert_eq!(refused, format!("InvalidParameterValue.InstanceType {path}"));
}

#[test]
fn wrong_environments_are_refused_with_code_and_path() {
    let data = |field: &str| format!("ComputeEnv.EnvData.{field}");
    let value = "InvalidParameterValue";
    let combination = "InvalidParameter.InvalidParameterCombination";
    let unsupported = "UnsupportedOperation";
    let cases = [
        ("ComputeEnv", json!(null), "MissingParameter", "ComputeEnv".to_owned()),
        ("ComputeEnv.EnvName", json!(null), "MissingParameter", "ComputeEnv.EnvName".into()),
        ("ComputeEnv.EnvName", json!(""), value, "ComputeEnv.EnvName".into()),
        ("ComputeEnv.EnvName", json!("x".repeat(61)), "InvalidParameter.EnvNameTooLong", "ComputeEnv.EnvName".into()),
        (
            "ComputeEnv.EnvDescription",
            json!("x".repeat(201)),
            "InvalidParameter.EnvDescriptionTooLong",
            "ComputeEnv.EnvDescription".into(),
        ),
        (
            "ComputeEnv.DesiredComputeNodeCount",
            json!(null),
            "MissingParameter",
            "ComputeEnv.DesiredComputeNodeCount".into(),
        ),
        (
            "ComputeEnv.DesiredComputeNodeCount",
            json!(-1),
            "InvalidParameterValue.Negative",
            "ComputeEnv.DesiredComputeNodeCount".into(),
        ),
        ("ComputeEnv.DesiredComputeNodeCount", json!(2001), value, "ComputeEnv.DesiredComputeNodeCount".into()),
        ("ComputeEnv.EnvType", json!("UNMANAGED"), value, "ComputeEnv.EnvType".into()),
        ("ComputeEnv.EnvType", json!("THPC_QUEUE"), unsupported, "ComputeEnv.EnvType".into()),
        (
            "ComputeEnv.ActionIfComputeNodeInactive",
            json!("KEEP"),
            value,
            "ComputeEnv.ActionIfComputeNodeInactive".into(),
        ),
        ("ComputeEnv.ResourceMaxRetryCount", json!(101), value, "ComputeEnv.ResourceMaxRetryCount".into()),
        ("ComputeEnv.InputMappings", json!([{}]), "MissingParameter", "ComputeEnv.InputMappings.0.SourcePath".into()),
        ("ComputeEnv.Authentications", json!([{}]), "MissingParameter", "ComputeEnv.Authentications.0.Scene".into()),
        ("ComputeEnv.MountDataDisks", json!([{}]), "MissingParameter", "ComputeEnv.MountDataDisks.0.LocalPath".into()),
        ("ComputeEnv.Name", json!("n"), "UnknownParameter", "ComputeEnv.Name".into()),
        (
            "ComputeEnv.Notifications",
            json!([{"TopicName": "t", "EventConfigs": [{"EventName": "JOB_FAILED"}]}]),
            value,
            "ComputeEnv.Notifications.0.EventConfigs.0.EventName".into(),
        ),
        ("ComputeEnv.EnvData.InstanceType", json!("S5"), "InvalidParameterValue.InstanceType", data("InstanceType")),
        ("ComputeEnv.EnvData.InstanceTypes", json!(["local"]), combination, data("InstanceTypes")),
        (
            "ComputeEnv.EnvData",
            json!({"InstanceTypes": []}),
            "InvalidParameterValue.InstanceTypesEmpty",
            data("InstanceTypes"),
        ),
        (
            "ComputeEnv.EnvData",
            json!({"InstanceTypes": ["local", "local"]}),
            "InvalidParameterValue.InstanceTypeDuplicate",
            data("InstanceTypes.1"),
        ),
        (
            "ComputeEnv.EnvData",
            json!({"InstanceTypes": ["local", "x"]}),
            "InvalidParameterValue.InstanceType",
            data("InstanceTypes.1"),
        ),
        (
            "ComputeEnv.EnvData",
            json!({"InstanceTypeOptions": {"CPU": 4}}),
            "MissingParameter",
            data("InstanceTypeOptions.Memory"),
        ),
        (
            "ComputeEnv.EnvData",
            json!({"InstanceTypeOptions": {"CPU": 0, "Memory": 1}}),
            value,
            data("InstanceTypeOptions.CPU"),
        ),
        ("ComputeEnv.EnvData.ImageId", json!("img-1"), "InvalidParameter.ImageIdMalformed", data("ImageId")),
        (
            "ComputeEnv.EnvData.SystemDisk",
            json!({"DiskType": "FLOPPY"}),
            "InvalidParameter.CvmParameters",
            data("SystemDisk.DiskType"),
        ),
        (
            "ComputeEnv.EnvData.InstanceMarketOptions",
            json!({"SpotOptions": {"MaxPrice": "0.1.2"}}),
            "InvalidParameterValue.NotFloat",
            data("InstanceMarketOptions.SpotOptions.MaxPrice"),
        ),
        (
            "ComputeEnv.EnvData.InstanceChargeType",
            json!("PREPAID"),
            "InvalidParameterValue.UnsupportedBatchInstanceChargeType",
            data("InstanceChargeType"),
        ),
        (
            "ComputeEnv.EnvData.Zones",
            json!(["ap-beijing-1"]),
            "InvalidParameterValue.InvalidZoneMismatchRegion",
            data("Zones.0"),
        ),
        ("ComputeEnv.EnvData.DataDisks", json!([{"DiskSize": 1, "X": 1}]), "UnknownParameter", data("DataDisks.0.X")),
        ("ComputeEnv.EnvData.DataDisks", json!([{}]), "MissingParameter", data("DataDisks.0.DiskSize")),
        (
            "ComputeEnv.EnvData.LoginSettings",
            json!({"Password": "p", "KeyIds": ["k"]}),
            combination,
            data("LoginSettings.KeyIds"),
        ),
        (
            "ComputeEnv.EnvData.EnhancedService",
            json!({"MonitorService": {"Enabled": 1}}),
            "InvalidParameter",
            data("EnhancedService.MonitorService.Enabled"),
        ),
    ];
    for (path, value, code, told_path) in cases {
        let request = with(right(), path, value);
        assert_eq!(told(create(&request)), format!("{code} {told_path}"), "{path}");
    }
}

#[test]
fn changes_of_an_environment_are_read() {
    let request = json!({"EnvId": ENV, "DesiredComputeNodeCount": 0, "EnvName": "n"});
    let modify = at_site(|site| modify_compute_env(&request, site)).unwrap();
    assert_eq!(modify.env.to_string(), ENV);
    assert_eq!(modify.edit, EnvEdit { name: Some("n".into()), desired: Some(0), ..EnvEdit::default() });
    for (path, value, refusal) in [
        ("EnvId", json!(null), "MissingParameter EnvId"),
        ("EnvName", json!(""), "InvalidParameterValue EnvName"),
        ("EnvData", json!({}), "MissingParameter EnvData.InstanceTypes"),
        ("EnvData", json!({"InstanceTypes": []}), "InvalidParameterValue.InstanceTypesEmpty EnvData.InstanceTypes"),
        (
            "EnvData",
            json!({"InstanceTypes": ["local", "local"]}),
            "InvalidParameterValue.InstanceTypeDuplicate EnvData.InstanceTypes.1",
        ),
        (
            "EnvData",
            json!({"InstanceTypes": ["local", "vast"]}),
            "InvalidParameterValue.InstanceType EnvData.InstanceTypes.1",
        ),
        ("EnvData", json!({"InstanceTypes": ["local"], "Zones": []}), "UnknownParameter EnvData.Zones"),
        ("DesiredComputeNodeCount", json!(2001), "InvalidParameterValue.LimitExceeded DesiredComputeNodeCount"),
        ("DesiredComputeNodeCount", json!("-1"), "InvalidParameterValue.Negative DesiredComputeNodeCount"),
    ] {
        assert_eq!(told(at_site(|site| modify_compute_env(&with(request.clone(), path, value), site))), refusal);
    }
}

#[test]
fn ids_are_read() {
    assert_eq!(job_id(&json!({"JobId": "job-0000000z"})).unwrap().to_string(), "job-0000000z");
    assert_eq!(told(job_id(&json!({"JobId": "job-1"}))), "InvalidParameter.JobIdMalformed JobId");
    assert_eq!(told(job_id(&json!({}))), "MissingParameter JobId");
    assert_eq!(told(job_id(&json!({"JobId": "job-0000000z", "Job": 1}))), "UnknownParameter Job");
    assert_eq!(told(env_id(&json!({"EnvId": "job-0000000z"}))), "InvalidParameter.EnvIdMalformed EnvId");
    let nodes = |ids: &[&str]| terminate_compute_nodes(&json!({"EnvId": ENV, "ComputeNodeIds": ids}));
    assert_eq!(nodes(&["node-00000001", "node-00000002"]).unwrap().nodes.len(), 2);
    assert_eq!(told(nodes(&[])), "MissingParameter ComputeNodeIds");
    assert_eq!(told(nodes(&["node-1"])), "InvalidParameter.ComputeNodeIdMalformed ComputeNodeIds.0");
    assert_eq!(told(nodes(&["node-00000001", "node-00000001"])), "InvalidParameterValue ComputeNodeIds.1");
}
