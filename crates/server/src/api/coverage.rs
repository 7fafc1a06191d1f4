//! That everything CMQ's documentation names has a home here: every action, every field that goes in or comes out,
//! every error. The facts are in `reference.txt`; what has no home stands below with its reason.
//!
//! A field's home is the place in the source that reads or writes it by name, so this test reads the sources.

use std::fs;
use std::path::Path;

use super::actions;

const REFERENCE: &str = include_str!("cmq/reference.txt");

/// Fields that are never read or written.
const FIELDS: &[(&str, &str)] = &[("addr", "CMQ's TCP protocol is not spoken, so there is no address to tell")];

/// Errors of v2 that cannot arise.
const V2_ERRORS: &[(&str, &str)] = &[
    ("4000 10010", "10390 names the parameter that lacks"),
    ("4000 10110", "each parameter's own error is told"),
    ("4000 10280", "10430 names the action"),
    ("4000 10320", "unknown parameters are ignored, since clients add some of their own"),
    ("4000 10400", "10390 is told, wherever parameters are sent"),
    ("4000 10440", "there is one account, and no assistants"),
    ("4000 10630", "10500 is told; where posts may go is found out when they go"),
    ("4000 10670", "10490 is told of more than five tags"),
    ("4100 10031", "of the TCP protocol"),
    ("4100 10032", "of the TCP protocol"),
    ("4300 10040", "nothing is charged"),
    ("4420 10250", "there is no rate; 10460 is told when the server has too much to do"),
    ("4490 10770", "of transactions, which need the TCP protocol"),
    ("4490 10780", "of transactions, which need the TCP protocol"),
    ("4490 10790", "of transactions, which need the TCP protocol"),
    ("6000 10090", "a failure of the server is 10050, whatever was asked"),
    ("6000 10130", "a failure of the server is 10050, whatever was asked"),
    ("6000 10140", "a failure of the server is 10050, whatever was asked"),
    ("6000 10160", "a failure of the server is 10050, whatever was asked"),
    ("6000 10170", "a failure of the server is 10050, whatever was asked"),
    ("6000 10190", "a failure of the server is 10050, whatever was asked"),
    ("6040 10660", "a deleted thing's name is free at once"),
    ("6040 10750", "of transactions, which need the TCP protocol"),
    ("6040 10760", "of transactions, which need the TCP protocol"),
    ("6050 10740", "10490 and 10680 are told"),
    ("6070 10690", "nothing bounds messages that are delayed or received, but the queue's heap"),
];

/// Errors of API 3.0 that cannot arise.
const API3_ERRORS: &[(&str, &str)] = &[
    ("FailedOperation.CreateCluster", "of a cluster behind the service"),
    ("FailedOperation.CreateTopic", "of a broker behind the service"),
    ("FailedOperation.CreateSubscription", "of a broker behind the service"),
    ("FailedOperation.SetRetentionPolicy", "of a broker behind the service"),
    ("FailedOperation.SetTTL", "of a broker behind the service"),
    ("FailedOperation.DeleteCluster", "of a cluster behind the service"),
    ("FailedOperation.DeleteTopics", "of a broker behind the service"),
    ("FailedOperation.DeleteSubscriptions", "of a broker behind the service"),
    ("FailedOperation.CmqBackendError", "there is no other service behind"),
    ("FailedOperation.TryLater", "RequestLimitExceeded is told"),
    ("InternalError.BrokerService", "there is no broker behind"),
    ("ResourceNotFound.Environment", "there is one environment"),
    ("ResourceNotFound.Cluster", "there are no clusters"),
    ("ResourceUnavailable.CreateFailed", "what is made is there when it is answered"),
    ("ResourceUnavailable.FundRequired", "nothing is charged"),
    ("InvalidParameterValue.NoTaskId", "of tasks that move queues to the newer product"),
    ("ResourcesSoldOut", "nothing is sold"),
];

/// The lines of a part of the reference.
fn part(name: &str) -> impl Iterator<Item = &'static str> {
    let head = format!("[{name}]");
    let lines = REFERENCE.lines().skip_while(move |line| *line != head).skip(1);
    lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty())
}

/// The text of the sources in folders of the workspace's crates, without tests.
fn sources(folders: &[&str]) -> String {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut text = String::new();
    let mut folders: Vec<_> = folders.iter().map(|folder| crates.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.contains("tests") && name != "coverage.rs" {
                text.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
    text
}

fn is_excepted(exceptions: &[(&str, &str)], what: &str) -> bool {
    exceptions.iter().any(|(name, _)| *name == what)
}

#[test]
fn every_action_and_field_of_cmq_has_a_home() {
    let shared = "server/src/api/cmq";
    let homes = [
        ("cmq v2", sources(&["server/src/api/v2", shared])),
        ("tdmq", sources(&["server/src/api/tdmq", shared])),
        ("cmq", sources(&["server/src/api/cmq3", "server/src/api/tdmq", shared])),
    ];
    for (product, source) in homes {
        let mut count = 0;
        for line in part(product) {
            let mut words = line.split_whitespace().filter(|word| *word != ">");
            let action = words.next().unwrap();
            assert!(actions().any(|known| known.product == product && known.action == action), "{product} {action}");
            for field in words {
                let has_home = source.contains(&format!("\"{field}\""));
                assert_ne!(has_home, is_excepted(FIELDS, field), "{product} {action}: {field}");
            }
            count += 1;
        }
        let known = actions().filter(|known| known.product == product).count();
        assert_eq!(count, known, "{product}: the reference and the registry name as many");
    }
}

#[test]
fn every_error_of_cmq_can_arise_or_has_a_reason_not_to() {
    let (table, source) = (sources(&["wire/src/v2"]), sources(&["server/src", "wire/src"]));
    for line in part("errors of v2") {
        let (code, rest) = line.split_once(' ').unwrap();
        let (module, text) = rest.split_once(' ').unwrap();
        let row = format!(" = {code} {module} \"{text}\";");
        let at = table.find(&row).unwrap_or_else(|| panic!("no row says{row}"));
        let name = table[..at].rsplit(char::is_whitespace).next().unwrap();
        let arises = source.contains(&format!("V2Code::{name}"));
        assert_ne!(arises, is_excepted(V2_ERRORS, &format!("{code} {module}")), "{code} {module} {name}");
    }
    for code in part("errors of api 3.0") {
        let arises = source.contains(&format!("\"{code}\""));
        assert_ne!(arises, is_excepted(API3_ERRORS, code), "{code}");
    }
}
