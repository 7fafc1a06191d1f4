//! `herald job`.

use std::fs;

use serde_json::{Value, json};

use super::{Client, new_environment};
use crate::support::server::Server;

/// A job's file: `command` in two instances of the task `say`.
fn job_file(env: &str, command: &str) -> String {
    let application = json!({"Command": command});
    json!({"JobName": "by-hand", "Tasks": [
        {"TaskName": "say", "EnvId": env, "TaskInstanceNum": 2, "Application": application}
    ]})
    .to_string()
}

#[test]
fn the_example_of_a_job_runs() {
    let server = Server::start();
    let bare = server.says("job init");
    bare.assert_printed(&["\"EnvId\": \"env-00000000\"", "// \"Notifications\": ["]);
    assert!(bare.err.contains("no environment found"), "{}", bare.all());
    let env = new_environment(&server, 1);
    server
        .says("job init --env env-12345678 --topic news")
        .assert_printed(&["env-12345678", "\"TopicName\": \"news\""]);
    let request = server.says("job init --json").json();
    assert_eq!(request["Job"]["Tasks"][0]["EnvId"], env.as_str(), "{request}");
    server.says("topic create news").one_line();
    let request = server.says("job init --json").json();
    assert_eq!(request["Job"]["Notifications"][0]["TopicName"], "news", "{request}");

    let example = server.says("job init");
    fs::write(server.folder().join("job.jsonc"), example.printed()).expect("a file in the test's own folder");
    let submitted = server.says("job submit job.jsonc --wait");
    let job = submitted.one_line();
    assert!(submitted.err.contains(&format!("{job} SUCCEED")), "{}", submitted.all());
    let logs = server.says(&format!("job logs {job} greet"));
    logs.assert_printed(&["==> greet 0 <==", "==> greet 2 <==", &format!("hello from greet.1 of {job}\n")]);
}

#[test]
fn jobs_are_submitted_and_shown() {
    let server = Server::start();
    let env = new_environment(&server, 1);
    server.says("job list").assert_told("no jobs");
    let file = job_file(&env, "echo out $BATCH_TASK_INSTANCE_INDEX; echo err >&2");
    let first = server.says_of("job submit -", &file).one_line();
    let reply = server.says_of("job submit - --json", &file).json();
    let second = reply["JobId"].as_str().expect("an id");
    assert_eq!(server.says(&format!("job wait {first}")).one_line(), "SUCCEED");
    let waited = server.says(&format!("job wait {second} --json")).json();
    assert_eq!((&waited["JobId"], &waited["JobState"]), (&json!(second), &json!("SUCCEED")), "{waited}");

    server.says("job list").assert_printed(&["ID ", "STATE", &first, second, "SUCCEED"]);
    server.says("job list --state RUNNING --state FAILED").assert_told("no jobs");
    let list = server.says("job list --json --state SUCCEED").json();
    assert_eq!((&list["TotalCount"], &list["JobSet"][0]["JobId"]), (&json!(2), &json!(second)), "newest first: {list}");
    server.says(&format!("job show {first}")).assert_printed(&["Job ", &first, "2 SUCCEED", "TASK ", "say"]);
    assert_eq!(server.says(&format!("job show {first} --json")).json()["JobState"], "SUCCEED");
    logs(&server, &first);
}

fn logs(server: &Server, job: &str) {
    let all = server.says(&format!("job logs {job} say"));
    assert_eq!(all.printed(), "==> say 0 <==\nout 0\n==> say 1 <==\nout 1\n");
    assert_eq!(server.says(&format!("job logs {job} say 1")).printed(), "out 1\n");
    assert_eq!(server.says(&format!("job logs {job} say 0 --stderr")).printed(), "err\n");
    let reply = server.says(&format!("job logs {job} say --json")).json();
    assert_eq!(reply["TaskInstanceLogSet"].as_array().map(Vec::len), Some(2), "{reply}");
    let reply = server.says(&format!("job logs {job} say 1 --json")).json();
    assert_eq!(reply["TaskInstanceLogSet"][0]["TaskInstanceIndex"], 1, "{reply}");
}

#[test]
fn a_job_that_fails_fails_those_who_wait_for_it() {
    let server = Server::start();
    let env = new_environment(&server, 1);
    let file = job_file(&env, "echo broken >&2; exit 3");
    let plain = server.says_of("job submit - --wait", &file);
    assert_eq!(plain.status, Some(1), "{}", plain.all());
    let job = plain.out.trim();
    assert!(plain.err.contains(&format!("{job} ended FAILED: task say: 2 of 2 instances failed")), "{}", plain.all());
    assert!(plain.err.contains(&format!("`herald job show {job}` tells more")), "{}", plain.all());
    let shown = server.says(&format!("job show {job}"));
    shown.assert_printed(&["Reason", "FAILED TASK", "ExitCode: 3"]);
    assert!(shown.err.contains(&format!("herald job logs {job} TASK INSTANCE --stderr")), "{}", shown.all());

    let as_json = server.says_of("job submit - --wait --json", &file);
    assert_eq!(as_json.status, Some(1), "{}", as_json.all());
    let view: Value = serde_json::from_str(&as_json.out).expect("one document");
    assert_eq!(view["JobState"], "FAILED", "{view}");
    let waited = server.says(&format!("job wait {job}"));
    assert_eq!((waited.status, waited.out.as_str()), (Some(1), "FAILED\n"), "{}", waited.all());
}

#[test]
fn how_a_job_ended_is_said_also_where_nobody_reads() {
    let server = Server::start();
    let env = new_environment(&server, 1);
    for (command, status, told) in [("exit 3", 1, "ended FAILED"), ("true", 0, "SUCCEED")] {
        let file = job_file(&env, command);
        for line in ["job submit - --wait", "job submit - --wait --json"] {
            let said = server.says_unread(line, &file);
            assert_eq!(said.status, Some(status), "{}", said.all());
            assert!(said.err.contains(told), "{}", said.all());
        }
        let job = server.says_of("job submit -", &file).one_line();
        let said = server.says_unread(&format!("job wait {job}"), "");
        assert_eq!(said.status, Some(status), "{}", said.all());
    }
    assert_eq!(server.says_unread("job list", "").status, Some(0), "a closed pipe is no failure");
}

#[test]
fn jobs_are_terminated_and_deleted() {
    let server = Server::start();
    let env = new_environment(&server, 1);
    let file = job_file(&env, "sleep 1000");
    let [plain, other] = ["job submit -"; 2].map(|line| server.says_of(line, &file).one_line());
    server.says(&format!("job delete {plain}")).assert_failed(1, &["ResourceInUse.Job", "`herald job terminate ID`"]);
    server.says(&format!("job terminate {plain}")).assert_told(&format!("{plain} is being terminated"));
    assert!(server.says(&format!("job terminate {other} --json")).json()["RequestId"].is_string());
    for job in [&plain, &other] {
        let waited = server.says(&format!("job wait {job}"));
        assert_eq!((waited.status, waited.out.as_str()), (Some(1), "FAILED\n"), "{}", waited.all());
    }
    server.says(&format!("job delete {plain}")).assert_told(&format!("{plain} is deleted"));
    assert!(server.says(&format!("job delete {other} --json")).json()["RequestId"].is_string());
    assert_eq!(server.says("job list --json").json()["TotalCount"], 0);
}

#[test]
fn jobs_are_explained_ended_in_part_and_retried() {
    let server = Server::start();
    let env = new_environment(&server, 1);
    let gate = server.folder().join("gate");
    let file = job_file(&env, &format!("[ -e {} ] || sleep 1000", gate.display()));
    let job = server.says_of("job submit -", &file).one_line();
    server.says(&format!("job explain {job}")).assert_printed(&["Job ", &job, "WHY", "say "]);
    server.says("job explain job-00000000").assert_failed(1, &["ResourceNotFound.Job"]);
    server.says(&format!("job retry {job}")).assert_failed(1, &["UnsupportedOperation", "only a FAILED job"]);
    server.says(&format!("job terminate {job} --task say")).assert_failed(2, &["--index"]);
    let said = server.says(&format!("job terminate {job} --task say --index 1"));
    said.assert_told(&format!("instance 1 of say of {job} is being terminated"));
    server.says(&format!("job terminate {job} --task say --index 2")).assert_failed(1, &["TaskInstanceIndex"]);
    assert!(server.says(&format!("job terminate {job} --task say --index 0 --json")).json()["RequestId"].is_string());
    assert_eq!(server.says(&format!("job wait {job}")).out, "FAILED\n");
    fs::write(gate, "").expect("a file in the test's own folder");
    server.says(&format!("job retry {job}")).assert_told(&format!("{job} runs again"));
    assert_eq!(server.says(&format!("job wait {job}")).one_line(), "SUCCEED");
    let explained = server.says(&format!("job explain {job} --json")).json();
    assert_eq!(explained["TaskSet"][0]["Reason"], "Finished", "{explained}");
    server.says("job list --name by-hand --state SUCCEED").assert_printed(&[&job]);
    server.says("job list --name else").assert_told("no jobs");
    server.says("job list --tag team=a").assert_told("no jobs");
}
