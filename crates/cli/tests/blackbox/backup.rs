//! A backup taken while jobs run, restored in the place of the data that are lost.

use std::fs;

use serde_json::json;

use crate::support::field::Field;
use crate::support::requests::wait_for_nodes;

#[test]
fn a_server_on_restored_data_goes_on_from_the_backup() {
    let mut field = Field::start("[nodes]\nbeat_ms = 200\nsilent_ms = 2000\n[jobs]\nretry_pause_s = 0\n", 1);
    let done = field.task("done", "echo done", 1);
    let done = field.submit(&[done], json!({"JobName": "done"}));
    field.wait_for(&done, "SUCCEED");
    let (lost, kept) = (field.mark("lost"), field.task("kept", "true", 1));
    let long = lost.on(field.task("long", "sleep 3600", 1));
    let long = field.submit(&[long], json!({"JobName": "long"}));
    field.wait_for(&long, "RUNNING");
    lost.wait_for(1);
    let made = field.server.herald(&["backup", "it.backup", "--data", "data", "--outputs"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // What comes after it is not in it.
    let after = field.submit(std::slice::from_ref(&kept), json!({"JobName": "after"}));

    // The disk is lost, with the nodes that had their folders on it.
    field.server.kill9();
    let home = field.server.folder().to_owned();
    fs::rename(home.join("data"), home.join("gone")).expect("a folder of the test");
    lost.wait_until_gone();
    let restored = field.server.herald(&["restore", "it.backup", "--data", "data"]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    field.server.restart();
    field.official = field.server.official();

    let said = field.server.herald(&["job", "logs", &done, "done"]);
    assert_eq!(String::from_utf8_lossy(&said.stdout), "done\n");
    let unknown = field.official.batch("DescribeJob", json!({"JobId": after})).expect_err("it came after");
    assert_eq!(unknown.code, "ResourceNotFound.Job");
    // What ran is lost with its node, in whose place there is another.
    field.wait_for(&long, "FAILED");
    let reason = field.instances(&long, "long")[0]["StateReason"].clone();
    assert!(reason.as_str().is_some_and(|reason| reason.starts_with("NodeLost")), "{reason}");
    let env = field.env.clone();
    wait_for_nodes(&mut field.official, &env, 1);
    let next = field.submit(&[kept], json!({"JobName": "next"}));
    field.wait_for(&next, "SUCCEED");
}
