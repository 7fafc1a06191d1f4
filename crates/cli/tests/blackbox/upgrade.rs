//! A server on the data of an earlier release, as it was when that was killed: jobs ended and running, messages taken and
//! not, posts that nobody has answered yet.
//!
//! `samples/data/schema-N.sql` is such a database as text, with schema N: made by a release with that schema, killed
//! while a job ran. Its moments are laid so that it was killed a minute ago, or all it keeps would be too old one day.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::events::{Log, drain, event};
use crate::support::requests::{submit, task, wait_for_job, wait_for_nodes};
use crate::support::server::Server;
use crate::support::signed::Signed;
use crate::support::wait;

/// Agents that are soon missed.
const IMPATIENT: &str = "[nodes]\nbeat_ms = 200\nsilent_ms = 2000\n[jobs]\nretry_pause_s = 0\n";
/// The database, when it was killed, in milliseconds, and what it holds.
const SCHEMA_1: &str = include_str!("../samples/data/schema-1.sql");
const KILLED: i64 = 1_795_760_279_534;
const DONE: &str = "job-hbb0yc58";
const BAD: &str = "job-s6kgtej2";
const LONG: &str = "job-wwmrodh0";
const ENV: &str = "env-lodkuxbg";
/// Attempts of each post that nobody has answered.
const ATTEMPTS: u64 = 5;
/// Numbers so near to the moment of the kill are moments too.
const NEAR_MS: i64 = 10 * 86_400_000;

/// The text with each moment in it moved by so many milliseconds.
fn moved(sql: &str, by: i64) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let end = rest[start..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |length| start + length);
        let digits = &rest[start..end];
        text.push_str(&rest[..start]);
        match digits.parse::<i64>() {
            Ok(moment) if (moment - KILLED).abs() < NEAR_MS => text.push_str(&(moment + by).to_string()),
            _ => text.push_str(digits),
        }
        rest = &rest[end..];
    }
    text + rest
}

/// A server whose database is that of the earlier release.
fn upgraded() -> Server {
    let mut server = Server::start_with(IMPATIENT);
    assert!(server.stop().success());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let by = i64::try_from(now).expect("a moment") - 60_000 - KILLED;
    let data = server.folder().join("data");
    for file in fs::read_dir(&data).expect("the data folder").map(|entry| entry.expect("an entry").path()) {
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("herald.db")) {
            fs::remove_file(file).expect("a file of the test");
        }
    }
    let database = rusqlite::Connection::open(data.join("herald.db")).expect("a database");
    database.execute_batch(&moved(SCHEMA_1, by)).expect("the sample is sound");
    database.pragma_update(None, "journal_mode", "wal").expect("it was in this mode");
    drop(database);
    server.restart();
    server
}

#[test]
fn what_an_earlier_release_has_left_goes_on() {
    let server = upgraded();
    let client = Signed::new(&server);
    let mut official = server.official();

    // What had ended is told as it was.
    for (job, state) in [(DONE, "SUCCEED"), (BAD, "FAILED")] {
        let told = client.call("batch", "DescribeJob", &json!({"JobId": job})).expect("it is there");
        assert_eq!(told["JobState"], state, "{told}");
    }
    let task_of = json!({"JobId": BAD, "TaskName": "fail"});
    let told = client.call("batch", "DescribeTask", &task_of).expect("it is there");
    assert_eq!(told["TaskInstanceSet"][0]["ExitCode"], 3, "{told}");

    // What ran has lost its node, and is told so; what it told before is there once, without a gap.
    let ended = wait_for_job(&mut official, LONG, &["FAILED"]);
    assert!(ended["StateReason"].as_str().is_some_and(|why| why.contains("first")), "{ended}");
    let is_end = |text: &String| text.contains("JOB_FAILED") && text.contains(LONG);
    let texts = drain(&mut official, "events", |texts| texts.iter().any(is_end));
    let events: Vec<Value> = texts.iter().map(|text| event(text)).collect();
    Log::of(DONE, events.clone()).assert_whole(4);
    Log::of(BAD, events.clone()).assert_whole(1);
    let long = Log::of(LONG, events);
    long.assert_whole(2);
    assert_eq!(long.names(), ["JOB_RUNNING", "JOB_FAILED"]);

    // What was received and not deleted comes again; nothing that waited is lost.
    let mut news = drain(&mut official, "inbox", |texts| texts.len() == 3);
    news.sort();
    assert_eq!(news, ["news 1", "news 2", "news 3"]);
    let of = json!({"TopicName": "news", "SubscriptionName": "to-nobody"});
    wait::until("its posts to be tried again", || {
        let told = client.call("herald", "DescribeDeliveries", &of).expect("it is there");
        let deliveries = told["DeliverySet"].as_array().expect("a list");
        assert_eq!(deliveries.len(), 3, "{told}");
        deliveries.iter().all(|delivery| delivery["Attempts"].as_u64() > Some(ATTEMPTS)).then_some(())
    });

    // The environment has a new node in place of the lost one, and takes jobs; so do the new features.
    wait_for_nodes(&mut official, ENV, 1);
    let job = submit(&mut official, &json!({"JobName": "new", "Tasks": [task("say", ENV, "echo new", 1)]}));
    wait_for_job(&mut official, &job, &["SUCCEED"]);
    client.call("herald", "CreateAccessKey", &json!({"Roles": ["read"]})).expect("the schema has it");
}
