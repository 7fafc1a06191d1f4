//! `herald env` and `herald node`.

use serde_json::Value;

use super::{Client, environment_file, new_environment};
use crate::support::server::Server;
use crate::support::wait;

#[test]
fn environments_are_made_and_shown() {
    let server = Server::start();
    server.says("env list").assert_told("no environments");
    assert_eq!(server.says("env list --json").json()["TotalCount"], 0);
    let first = new_environment(&server, 1);
    let made = server.says_of("env create - --json", &environment_file(0)).json();
    let second = made["EnvId"].as_str().expect("an id");
    assert!(first.starts_with("env-") && second.starts_with("env-"), "{first} {second}");

    server.says("env list").assert_printed(&["ID ", "WANTED", &first, second, "by-hand"]);
    let list = server.says("env list --json").json();
    assert_eq!(list["TotalCount"], 2, "{list}");
    assert_eq!(
        (&list["ComputeEnvSet"][0]["EnvId"], &list["ComputeEnvSet"][1]["EnvId"]),
        (&made["EnvId"], &first.into())
    );
    let one = server.says("env list --limit 1 --json");
    assert_eq!(one.json()["ComputeEnvSet"].as_array().map(Vec::len), Some(1));
    assert!(one.err.contains("1 of 2 environments; --limit 2 shows all"), "{}", one.all());
    server.says(&format!("env show {second}")).assert_printed(&["Environment", second, "Wanted nodes  0"]);
    assert_eq!(server.says(&format!("env show {second} --json")).json()["EnvId"], second);
    server.says(&format!("node list {second}")).assert_told("no nodes");
    server.says(&format!("node list {second} --limits")).assert_told("no nodes");
    assert_eq!(server.says(&format!("node list {second} --json")).json(), Value::Array(Vec::new()));
}

#[test]
fn environments_are_scaled_and_deleted() {
    let server = Server::start();
    let env = new_environment(&server, 0);
    server.says(&format!("env scale {env} 1")).assert_told(&format!("{env} is to have 1 nodes"));
    assert!(server.says(&format!("env scale {env} 2 --json")).json()["RequestId"].is_string());
    let nodes = running_nodes(&server, &env, 2);
    server.says(&format!("node list {env}")).assert_printed(&["NODE ", "RUNNING", &nodes[0], &nodes[1]]);
    server.says(&format!("node list {env} --limits")).assert_printed(&["LIMITS", "S5.SMALL1", "memory (cgroup v"]);
    let told = server.says(&format!("node list {env} --limits --json")).json();
    assert!(told[0]["Limits"].as_str().is_some_and(|limits| limits.starts_with("cpu (cgroup v")), "{told}");
    server.says(&format!("env show {env}")).assert_printed(&["Wanted nodes  2", "2 RUNNING", &nodes[0]]);
    server.says(&format!("node terminate {env} {}", nodes[0])).assert_told(&format!("{} being terminated", nodes[0]));
    assert!(server.says(&format!("node terminate {env} {} --json", nodes[1])).json()["RequestId"].is_string());
    let others = running_nodes(&server, &env, 2);
    assert!(others.iter().all(|node| !nodes.contains(node)), "{others:?} in the place of {nodes:?}");

    let activities = format!("env activities {env}");
    server.says(&activities).assert_printed(&[
        "CAUSE",
        "ModifyComputeEnv: increase the capacity from 0 to 1",
        &nodes[0],
    ]);
    let of_one = server.says(&format!("{activities} --node {} --json", nodes[0])).json();
    assert_eq!(of_one["TotalCount"], 2, "made and terminated: {of_one}");

    let empty = new_environment(&server, 0);
    server.says(&format!("env delete {env}")).assert_told(&format!("{env} is being deleted"));
    assert!(server.says(&format!("env delete {empty} --json")).json()["RequestId"].is_string());
    let is_empty = || (server.says("env list --json").json()["TotalCount"] == 0).then_some(());
    wait::until("the end of the environments", is_empty);
}

/// Waits until an environment has just so many nodes, all running, and returns their ids.
fn running_nodes(server: &Server, env: &str, nodes: usize) -> Vec<String> {
    wait::until("running nodes", || {
        let list = server.says(&format!("node list {env} --json")).json();
        let list = list.as_array().expect("a list");
        let run = list.len() == nodes && list.iter().all(|node| node["ComputeNodeState"] == "RUNNING");
        run.then(|| list.iter().map(|node| node["ComputeNodeId"].as_str().expect("an id").to_owned()).collect())
    })
}
