//! Machines of one's own: they join, are attached to an environment, run its jobs, come back after kills, and are
//! detached again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;

use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};

use crate::support::field::{Field, wait_for_file};
use crate::support::machine::{Machine, command};
use crate::support::requests::wait_for_nodes;
use crate::support::server::Server;
use crate::support::wait;

/// Runs that failed are repeated at once, and a silent node is given up soon.
const QUICK: &str = "[nodes]\nbeat_ms = 100\nsilent_ms = 4000\n[jobs]\nretry_pause_s = 0\n";

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn token(server: &Server) -> String {
    stdout(&server.herald(&["node", "token"]))
}

fn machines(server: &Server) -> Vec<Value> {
    serde_json::from_str(&stdout(&server.herald(&["node", "machines", "--json"]))).expect("a list")
}

fn attach(field: &mut Field, id: &str) {
    let instances = json!([{"InstanceId": id}]);
    let reply = field.official.batch("AttachInstances", json!({"EnvId": field.env, "Instances": instances}));
    reply.expect("a machine that is free");
}

fn code(field: &mut Field, action: &str, more: &Value) -> String {
    let mut request = more.clone();
    request["EnvId"] = json!(field.env);
    field.official.batch(action, request).expect_err("a refusal").code
}

fn waiting(gate: &std::path::Path) -> String {
    format!("while ! [ -e {} ]; do sleep 0.05; done", gate.display())
}

#[test]
fn an_attached_machine_runs_jobs_and_outlives_kills_of_the_server_and_of_its_own_agents() {
    let mut field = Field::start(QUICK, 0);
    let token = token(&field.server);
    let mut machine = Machine::start(&field.server, Some(&token));
    let identity = field.path("machine/machine.json");
    assert_eq!(fs::metadata(&identity).unwrap().permissions().mode() & 0o777, 0o600);
    let id = machine.id.clone();
    let instances = json!([{"InstanceId": id}]).to_string();
    field.server.tccli(&["batch", "AttachInstances", "--EnvId", &field.env, "--Instances", &instances]);
    let view = wait_for_nodes(&mut field.official, &field.env, 1);
    assert_eq!((&view["AttachedComputeNodeCount"], &view["DesiredComputeNodeCount"]), (&json!(1), &json!(0)));
    let node = &view["ComputeNodeSet"][0];
    assert_eq!((&node["ResourceOrigin"], &node["ComputeNodeInstanceId"]), (&json!("USER_ATTACHED"), &json!(id)));
    let listed = field.official.batch("DescribeComputeEnvs", json!({})).expect("a list");
    assert_eq!(listed["ComputeEnvSet"][0]["AttachedComputeNodeCount"], 1);
    assert_eq!(machines(&field.server)[0]["EnvId"], json!(field.env));

    // It runs where the machine's folder is.
    let place = field.path("place");
    let task = field.task("where", &format!("pwd > {}", place.display()), 1);
    let job = field.submit(&[task], json!({}));
    field.wait_for(&job, "SUCCEED");
    let place = fs::read_to_string(place).unwrap();
    assert!(PathBuf::from(place.trim()).starts_with(field.path("machine").canonicalize().unwrap()), "{place}");

    // Server and agent are killed while a run goes on, which goes on.
    let (gate, began) = (field.path("gate"), field.path("began"));
    let task = field.task("wait", &format!("echo x >> {}; {}", began.display(), waiting(&gate)), 1);
    let job = field.submit(&[task], json!({}));
    wait_for_file(&began);
    field.server.kill9();
    machine.signal(Signal::SIGKILL);
    field.server.restart();
    field.official.turn_to(field.server.address());
    let mut machine = Machine::start(&field.server, None);
    assert_eq!(machine.id, id, "it comes back as the same instance");
    fs::write(&gate, "").unwrap();
    field.wait_for(&job, "SUCCEED");
    assert_eq!(fs::read_to_string(&began).unwrap(), "x\n", "it ran once");

    // The machine goes away, and comes back.
    machine.signal(Signal::SIGTERM);
    wait::until("an ABNORMAL node", || (field.view()["ComputeNodeMetrics"]["AbnormalCount"] == 1).then_some(()));
    let _machine = Machine::start(&field.server, None);
    wait_for_nodes(&mut field.official, &field.env, 1);
    let task = field.task("again", "true", 3);
    let job = field.submit(&[task], json!({}));
    field.wait_for(&job, "SUCCEED");
}

#[test]
fn a_run_whose_attached_agent_is_killed_fails_and_the_node_comes_back() {
    let mut field = Field::start(QUICK, 0);
    let token = token(&field.server);
    let machine = Machine::start(&field.server, Some(&token));
    attach(&mut field, &machine.id);
    wait_for_nodes(&mut field.official, &field.env, 1);
    let mark = field.mark("run");
    let task = mark.on(field.task("endless", "sleep 1000", 1));
    let job = field.submit(&[task], json!({}));
    let node = field.node_of(&job);
    let home = field.path("machine").canonicalize().unwrap().join("nodes").join(&node);
    let agent = crate::support::processes::started_under(&home);
    let agent = agent.into_iter().find(|pid| crate::support::field::is_agent(*pid)).expect("the node's agent");
    kill(agent, Signal::SIGKILL).unwrap();
    field.wait_for(&job, "FAILED");
    assert_eq!(field.instances(&job, "endless")[0]["StateReason"], "NodeLost");
    mark.assert_gone();
    wait_for_nodes(&mut field.official, &field.env, 1);
    assert_eq!(field.nodes(), [node], "it is the same node, not another one");
}

#[test]
fn a_detached_machine_is_free_again() {
    let mut field = Field::start(QUICK, 1);
    let token = token(&field.server);
    let machine = Machine::start(&field.server, Some(&token));
    let made = field.view()["ComputeNodeSet"][0]["ComputeNodeInstanceId"].clone();
    attach(&mut field, &machine.id);
    wait_for_nodes(&mut field.official, &field.env, 2);
    let mark = field.mark("run");
    // More than the node that was made can hold.
    let task = mark.on(field.task("endless", "sleep 1000", 32));
    let job = field.submit(&[task], json!({}));
    let on_machine = |field: &mut Field| {
        let all = field.instances(&job, "endless");
        all.into_iter()
            .find(|run| run["ComputeNodeInstanceId"] == json!(machine.id) && run["TaskInstanceState"] == "RUNNING")
    };
    let run = wait::until("a run on the machine", || on_machine(&mut field));
    let index = usize::try_from(run["TaskInstanceIndex"].as_u64().unwrap()).unwrap();

    assert_eq!(code(&mut field, "DetachInstances", &json!({"InstanceIds": [made]})), "UnsupportedOperation");
    let scale = json!({"EnvId": field.env, "DesiredComputeNodeCount": 0});
    field.official.batch("ModifyComputeEnv", scale).expect("the node that was made goes, the machine stays");
    wait_for_nodes(&mut field.official, &field.env, 1);
    assert_eq!(field.view()["AttachedComputeNodeCount"], 1);
    field
        .official
        .batch("DetachInstances", json!({"EnvId": field.env, "InstanceIds": [machine.id]}))
        .expect("attached");
    let wanted = json!("NodeDetached");
    wait::until("the end of the run", || {
        (field.instances(&job, "endless")[index]["StateReason"] == wanted).then_some(())
    });
    wait::until("no node", || field.nodes().is_empty().then_some(()));
    mark.assert_gone();
    let known = &machines(&field.server)[0];
    assert_eq!((&known["Connected"], &known["EnvId"]), (&json!(true), &Value::Null));

    attach(&mut field, &machine.id);
    wait_for_nodes(&mut field.official, &field.env, 1);
    field.official.batch("DeleteComputeEnv", json!({"EnvId": field.env})).expect("the environment exists");
    wait::until("a free machine", || machines(&field.server)[0]["EnvId"].is_null().then_some(()));
}

#[test]
fn what_cannot_be_attached_or_joined_is_refused_with_the_reason() {
    let mut field = Field::start(QUICK, 0);
    let wrong = command(&field.server, "wrong", Some("nonsense")).output().expect("herald runs");
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(wrong.status.code() == Some(1) && told.contains("herald node token"), "{told}");
    let none = command(&field.server, "none", None).output().expect("herald runs");
    assert!(String::from_utf8_lossy(&none.stderr).contains("--token"), "{none:?}");
    assert_eq!(machines(&field.server), [] as [Value; 0]);

    let instances =
        |ids: &[&str]| json!({"Instances": ids.iter().map(|id| json!({"InstanceId": id})).collect::<Vec<_>>()});
    let not_allowed = "UnsupportedOperation.InstancesNotAllowToAttach";
    assert_eq!(code(&mut field, "AttachInstances", &instances(&["ins-00000001"])), not_allowed);
    let twice = "InvalidParameterValue.InstanceIdDuplicated";
    assert_eq!(code(&mut field, "AttachInstances", &instances(&["ins-00000001", "ins-00000001"])), twice);
    assert_eq!(code(&mut field, "AttachInstances", &instances(&["i-1"])), "InvalidParameterValue");
    assert_eq!(code(&mut field, "AttachInstances", &instances(&[])), "MissingParameter");
    let ids = json!({"InstanceIds": ["ins-00000001", "ins-00000001"]});
    assert_eq!(code(&mut field, "DetachInstances", &ids), twice);

    let token = token(&field.server);
    let mut machine = Machine::start(&field.server, Some(&token));
    let id = machine.id.clone();
    machine.signal(Signal::SIGTERM);
    wait::until("its going", || (machines(&field.server)[0]["Connected"] == json!(false)).then_some(()));
    assert_eq!(code(&mut field, "AttachInstances", &instances(&[&id])), not_allowed);
    let machine = Machine::start(&field.server, None);
    attach(&mut field, &machine.id);
    assert_eq!(code(&mut field, "AttachInstances", &instances(&[&id])), not_allowed);
}
