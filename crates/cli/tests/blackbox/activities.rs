//! How nodes came and went, as the official clients ask for it.

use serde_json::{Value, json};

use crate::support::official::Official;
use crate::support::requests::{running_environment, wait_for_nodes};
use crate::support::server::Server;
use crate::support::wait;

/// The activities of an environment once they are so many and none goes on, newest first.
fn settled(official: &mut Official, env: &str, many: usize) -> Vec<Value> {
    wait::until(&format!("{many} ended activities"), || {
        let reply =
            official.batch("DescribeComputeEnvActivities", json!({"EnvId": env})).expect("the environment exists");
        let set = reply["ActivitySet"].as_array().expect("a list").clone();
        let ended =
            set.iter().all(|activity| ["SUCCEED", "FAILED"].map(Value::from).contains(&activity["ActivityState"]));
        (ended && reply["TotalCount"] == many).then_some(set)
    })
}

#[test]
fn each_making_and_end_of_a_node_is_listed_with_its_cause() {
    let server = Server::start();
    let mut official = server.official();
    let env = running_environment(&mut official, 1);
    let scale = |official: &mut Official, nodes: u64| {
        official.batch("ModifyComputeEnv", json!({"EnvId": env, "DesiredComputeNodeCount": nodes})).expect("it exists");
    };
    scale(&mut official, 2);
    let view = wait_for_nodes(&mut official, &env, 2);
    let node = view["ComputeNodeSet"][0]["ComputeNodeId"].as_str().expect("an id").to_owned();
    official.batch("TerminateComputeNodes", json!({"EnvId": env, "ComputeNodeIds": [node]})).expect("it exists");
    settled(&mut official, &env, 4);
    wait_for_nodes(&mut official, &env, 2);
    scale(&mut official, 1);
    let set = settled(&mut official, &env, 5);
    let told: Vec<(String, &str)> = set
        .iter()
        .map(|one| {
            let cause = one["Cause"].as_str().expect("a text");
            let cause = cause.split(" node-").next().unwrap_or_default().to_owned();
            (cause, &one["ComputeNodeActivityType"].as_str().expect("a text")[..6])
        })
        .collect();
    let oldest: Vec<(&str, &str)> = told.iter().rev().map(|(cause, kind)| (cause.as_str(), *kind)).collect();
    assert_eq!(
        oldest[..2],
        [
            ("CreateComputeEnv: the capacity is 1", "CREATE"),
            ("ModifyComputeEnv: increase the capacity from 1 to 2", "CREATE"),
        ]
    );
    // They began in one commit, so in the same millisecond.
    assert!(oldest[2..4].contains(&("TerminateComputeNodes", "TERMIN")), "{oldest:?}");
    assert!(oldest[2..4].contains(&("CreateComputeNode", "CREATE")), "{oldest:?}");
    assert_eq!(oldest[4], ("ModifyComputeEnv: decrease the capacity from 2 to 1", "TERMIN"));
    for one in &set {
        assert_eq!((&one["ActivityState"], &one["StateReason"]), (&json!("SUCCEED"), &json!("")), "{one}");
        assert_eq!(one["EnvId"], env.as_str(), "{one}");
        let starts = |field: &str, prefix: &str| one[field].as_str().is_some_and(|text| text.starts_with(prefix));
        assert!(
            starts("ActivityId", "act-") && starts("InstanceId", "ins-") && starts("ComputeNodeId", "node-"),
            "{one}"
        );
        assert!(one["StartTime"].is_string() && one["EndTime"].is_string(), "{one}");
    }

    // The filter is one object as declared, and a list as it was before.
    let filter = json!({"Name": "compute-node-id", "Values": [node]});
    let printed =
        server.tccli(&["batch", "DescribeComputeEnvActivities", "--EnvId", &env, "--Filters", &filter.to_string()]);
    assert_eq!(printed["TotalCount"], 2, "made and terminated: {printed}");
    let listed = official.batch_as_is("DescribeComputeEnvActivities", json!({"EnvId": env, "Filters": [filter]}));
    assert_eq!(listed.expect("a list is fine")["TotalCount"], 2);
    let page = official
        .batch("DescribeComputeEnvActivities", json!({"EnvId": env, "Offset": 3, "Limit": 10}))
        .expect("a page");
    assert_eq!((&page["TotalCount"], page["ActivitySet"].as_array().map(Vec::len)), (&json!(5), Some(2)), "{page}");
}

#[test]
fn a_node_that_cannot_be_made_is_told_with_the_reason() {
    let server = Server::start_with("[nodes]\nlocal_capacity = 0");
    let mut official = server.official();
    let env = json!({"EnvName": "none", "DesiredComputeNodeCount": 1, "ResourceMaxRetryCount": 0,
        "EnvData": {"InstanceType": "S5.SMALL1"}});
    let request = json!({"Placement": {"Zone": "ap-guangzhou-2"}, "ComputeEnv": env});
    let made = official.batch("CreateComputeEnv", request).expect("a right request");
    let env = made["EnvId"].as_str().expect("an id");
    let set = settled(&mut official, env, 1);
    assert_eq!(set[0]["ActivityState"], "FAILED", "{set:?}");
    assert!(set[0]["StateReason"].as_str().is_some_and(|reason| reason.contains("capacity")), "{set:?}");
    official.batch("DeleteComputeEnv", json!({"EnvId": env})).expect("it exists");
}

#[test]
fn wrong_requests_for_activities_are_refused_with_the_documented_codes() {
    let server = Server::start();
    let mut official = server.official();
    let filter = |name: &str, value: &str| json!({"Name": name, "Values": [value]});
    let of = |filters: Value| json!({"EnvId": "env-00000000", "Filters": filters});
    for (request, code, path) in [
        (json!({}), "MissingParameter", "EnvId"),
        (json!({"EnvId": "env-1"}), "InvalidParameter.EnvIdMalformed", "EnvId"),
        (json!({"EnvId": "env-00000000"}), "ResourceNotFound.ComputeEnv", "EnvId"),
        (of(filter("compute-node-id", "node-1")), "InvalidParameter.ComputeNodeIdMalformed", "Filters.Values.0"),
        (
            of(json!([filter("compute-node-id", "node-1")])),
            "InvalidParameter.ComputeNodeIdMalformed",
            "Filters.0.Values.0",
        ),
        (of(filter("zone", "a")), "InvalidFilter", "Filters.Name"),
    ] {
        let refusal = official.batch_as_is("DescribeComputeEnvActivities", request).expect_err(path);
        assert_eq!(refusal.code, code, "{refusal}");
        assert!(refusal.message.contains(path), "{refusal}");
    }
}
