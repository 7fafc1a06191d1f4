//! Starting and stopping a server.

use crate::support::requests::{edge, placement, running_environment, submit, task, wait_for_job};
use crate::support::server::{Server, herald};
use serde_json::json;
use std::fs;
use std::process::Command;

#[test]
fn healthz_and_readyz_answer_when_the_line_is_printed() {
    let server = Server::start();
    for path in ["healthz", "readyz"] {
        let fetch = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).status)";
        let mut python = Command::new(crate::support::official::python());
        python.args(["-c", fetch, &format!("{}/{path}", server.endpoint())]);
        let output = crate::support::official::alone(&mut python, server.folder()).output().expect("Python runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "200", "{path}: {output:?}");
    }
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let server = Server::start();
    let data = server.folder().join("data");
    let mut second = herald(server.folder());
    let output = second.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).output().expect("herald runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("data"), "the message names the data folder: {told}");
}

#[test]
fn a_stopped_server_leaves_its_instances_running_and_knows_them_again() {
    let mut server = Server::start();
    let mut official = server.official();
    let env = running_environment(&mut official, 1);
    let (note, gate) = (server.folder().join("note"), server.folder().join("gate"));
    // The instance runs until the test opens the gate, which it does while no server is there.
    let (note_path, gate_path) = (note.display(), gate.display());
    let command = format!(
        "echo started >> {note_path}; while ! [ -e {gate_path} ]; do sleep 0.05; done; echo ended >> {note_path}"
    );
    let tasks = [task("wait", &env, &command, 1), task("after", &env, "true", 1)];
    let job = submit(&mut official, &json!({"Tasks": tasks, "Dependences": [edge("wait", "after")]}));
    wait_for_job(&mut official, &job, &["RUNNING"]);

    let status = server.stop();
    assert_eq!(status.code(), Some(0), "SIGTERM ends a server in order");
    crate::support::wait::until("the start of the instance", || note.exists().then_some(()));
    fs::write(&gate, "").expect("the gate opens");
    let ended = || fs::read_to_string(&note).is_ok_and(|text| text == "started\nended\n").then_some(());
    crate::support::wait::until("the end of the instance without a server", ended);

    server.restart();
    official.turn_to(server.address());
    wait_for_job(&mut official, &job, &["SUCCEED"]);
    let request = json!({"Placement": placement(), "Job": {"Tasks": [task("again", &env, "true", 1)]}});
    let reply = official.batch("SubmitJob", request).expect("the server takes work again");
    wait_for_job(&mut official, reply["JobId"].as_str().expect("an id"), &["SUCCEED"]);
}
