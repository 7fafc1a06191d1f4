//! What environments were asked to be, echoed to the official clients, however the request was sent.

use serde_json::{Value, json};

use crate::support::official::{Api3, TC3_POST};
use crate::support::requests::{environment, notifications, placement};
use crate::support::server::Server;

fn rich() -> Value {
    let mut env = environment("rich", 0);
    env["EnvDescription"] = json!("with everything");
    env["EnvData"]["SystemDisk"] = json!({"DiskType": "CLOUD_SSD", "DiskSize": 50});
    env["EnvData"]["DataDisks"] = json!([{"DiskSize": 100, "DeleteWithInstance": true}]);
    env["EnvData"]["LoginSettings"] = json!({"Password": "hush-hush"});
    env["MountDataDisks"] = json!([{"LocalPath": "/data", "FileSystemType": "EXT4"}]);
    env["Tags"] = json!([{"Key": "team", "Value": "a"}]);
    env["Notifications"] = notifications("news", &["COMPUTE_ENV_CREATED"]);
    env
}

#[test]
fn environments_tell_what_they_were_asked_to_be() {
    let server = Server::start();
    let mut official = server.official();
    official.tdmq("CreateCmqTopic", json!({"TopicName": "news"})).expect("a new topic");
    let get = Api3 { method: "GET", ..TC3_POST };
    for (way, number) in [(TC3_POST, 1), (get, 2)] {
        let request = json!({"Placement": placement(), "ComputeEnv": rich()});
        let made = official.api(way, "batch", "CreateComputeEnv", request).expect("a right request");
        let env = made["EnvId"].as_str().expect("an id").to_owned();
        let edit = json!({"EnvId": env, "EnvName": format!("now-{number}"), "DesiredComputeNodeCount": 1});
        official.batch("ModifyComputeEnv", edit).expect("the environment exists");
        let info = official.batch("DescribeComputeEnvCreateInfo", json!({"EnvId": env})).expect("it exists");
        assert_eq!(info["EnvName"], "rich", "as it was asked for: {info}");
        assert_eq!((&info["DesiredComputeNodeCount"], &info["EnvType"]), (&json!(0), &json!("MANAGED")), "{info}");
        assert_eq!(info["EnvDescription"], "with everything");
        let data = &info["EnvData"];
        assert_eq!(
            (&data["SystemDisk"]["DiskSize"], &data["InstanceType"]),
            (&json!(50), &json!("S5.SMALL1")),
            "{info}"
        );
        assert_eq!(data["DataDisks"][0]["DeleteWithInstance"], true, "{info}");
        assert_ne!(data["LoginSettings"]["Password"], "hush-hush", "{info}");
        assert_eq!(info["MountDataDisks"], json!([{"LocalPath": "/data", "FileSystemType": "EXT4"}]), "{info}");
        assert_eq!((&info["InputMappings"], &info["Authentications"]), (&json!([]), &json!([])), "{info}");
        assert_eq!(info["Tags"], rich()["Tags"], "{info}");
        let told = &info["Notifications"][0];
        assert_eq!(told["TopicName"], "news", "{info}");
        assert_eq!(told["EventConfigs"][0]["EventName"], "COMPUTE_ENV_CREATED", "{info}");
    }
    let filter = json!([{"Name": "env-name", "Values": ["now-1"]}, {"Name": "zone", "Values": ["ap-guangzhou-2"]}]);
    let found = server.tccli(&["batch", "DescribeComputeEnvCreateInfos", "--Filters", &filter.to_string()]);
    assert_eq!(found["TotalCount"], 1, "{found}");
    assert_eq!(found["ComputeEnvCreateInfoSet"][0]["EnvName"], "rich", "{found}");
    let page = official.batch("DescribeComputeEnvCreateInfos", json!({"Offset": 1, "Limit": 5})).expect("a page");
    assert_eq!((&page["TotalCount"], page["ComputeEnvCreateInfoSet"].as_array().map(Vec::len)), (&json!(2), Some(1)));
    for (request, code) in [
        (json!({"Filters": [{"Name": "tag-key", "Values": ["team"]}]}), "InvalidFilter"),
        (json!({"Filters": [{"Name": "zone", "Values": ["nowhere"]}]}), "InvalidZone.MismatchRegion"),
        (json!({"EnvIds": ["env-1"]}), "InvalidParameter.EnvIdMalformed"),
    ] {
        let refusal = official.batch("DescribeComputeEnvCreateInfos", request).expect_err(code);
        assert_eq!(refusal.code, code, "{refusal}");
    }
    let refusal = official.batch("DescribeComputeEnvCreateInfo", json!({"EnvId": "env-00000000"})).expect_err("none");
    assert_eq!(refusal.code, "ResourceNotFound.ComputeEnv", "{refusal}");
}
