//! The way that Tencent Batch's page on event notices writes `notifications` is accepted as it stands: by the
//! command line in a file, and by the API in a request's body.

use std::fs;

use serde_json::{Value, json};

use crate::support::events::{Log, drain, event};
use crate::support::requests::{running_environment, topic_with_queue, wait_for_job};
use crate::support::server::Server;

/// A job in that writing, whose command fails; it names an environment that a test puts its own in the place of.
const SAMPLE: &str = include_str!("../samples/notifications.jsonc");

#[test]
fn the_command_line_takes_it_in_a_file() {
    let server = Server::start();
    let mut official = server.official();
    topic_with_queue(&mut official, "job-message", "inbox");
    let env = running_environment(&mut official, 1);
    let file = server.folder().join("job.jsonc");
    fs::write(&file, SAMPLE.replace("env-00000000", &env)).expect("a file in the test's own folder");

    let output = server.herald(&["job", "submit", file.to_str().expect("UTF-8"), "--wait", "--json"]);
    assert_eq!(output.status.code(), Some(1), "the job failed, and so does the command that waited: {output:?}");
    let jobs = official.batch("DescribeJobs", json!({})).expect("a right request");
    assert_eq!(jobs["TotalCount"], 1, "{jobs}");
    let job = jobs["JobSet"][0]["JobId"].as_str().expect("an id");
    assert!(String::from_utf8_lossy(&output.stdout).contains(job), "{output:?}");
    let texts = drain(&mut official, "inbox", |texts| !texts.is_empty());
    let log = Log::of(job, texts.iter().map(|text| event(text)));
    log.assert_whole(1);
    assert_eq!(log.names(), ["JOB_FAILED"]);
}

#[test]
fn the_api_takes_it_in_a_body() {
    let server = Server::start();
    let mut official = server.official();
    topic_with_queue(&mut official, "job-message", "inbox");
    let env = running_environment(&mut official, 1);
    let body = SAMPLE.replace("env-00000000", &env).replace("exit 3", "exit 0");

    let reply = official.raw("SubmitJob", &body, 0, 0);
    let job = reply["body"]["Response"]["JobId"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned();
    wait_for_job(&mut official, &job, &["SUCCEED"]);
    let texts = drain(&mut official, "inbox", |texts| !texts.is_empty());
    let log = Log::of(&job, texts.iter().map(|text| event(text)));
    log.assert_whole(1);
    let wanted: Value = json!([{"Name": "verdict", "Value": "all figures are in"}]);
    for event in log.events() {
        assert_eq!((&event["EventName"], &event["EventVars"]), (&json!("JOB_SUCCEED"), &wanted), "{event}");
    }
}
