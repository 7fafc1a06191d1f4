//! Every error code of Batch is answered where its condition arises; those whose condition cannot arise here stand in
//! one list, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::clients::{Caller, Client};
use super::reference;
use super::session::filled;
use crate::support::server::Server;
use crate::support::wait;

/// Codes whose condition cannot arise on machines of one's own.
pub(super) const CANNOT_ARISE: &[(&str, &str)] = &[
    ("InternalError", "only a fault of the server itself answers it; such faults are injected elsewhere"),
    ("InternalError.CallCam", "keys are checked by the server itself; there is no service to call"),
    ("InternalError.CallCpmAPI", "there are no bare-metal machines to rent"),
    ("InternalError.CallCvm", "nodes are processes; there is no service of virtual machines to call"),
    ("InternalError.CallTagAPI", "tags are rows of the server's own; there is no service to call"),
    ("InvalidParameterValue.InvalidDataTypeAny", "no field takes data of any form"),
    ("UnauthorizedOperation.UserNotAllowedToUseBatch", "whoever has a key may use it"),
    ("UnsupportedOperation.AcceptOtherRequest", "requests are decided one after another; none waits for another's end"),
    ("UnsupportedOperation.ComputeEnvOperation", "an environment with nodes can be deleted; its nodes go with it"),
    ("UnsupportedOperation.TerminateOperationWithEnvId", "instances of tasks with EnvId can be terminated"),
];

/// Codes whose condition lasts too short a time to be met from outside, and the tests of the kernel that meet it.
const MET_ELSEWHERE: &[(&str, &str)] = &[(
    "UnsupportedOperation.NotEnoughComputeNodesToTerminate",
    "kernel::decide::tests::nodes_that_are_being_made_are_not_enough_to_shrink_by",
)];

/// Requests that are refused, each with the code that it is refused with, after some that prepare them.
const REFUSED: &str = include_str!("../../samples/api/refused.json");

#[derive(Deserialize)]
struct Step {
    action: String,
    with: Value,
    /// The code of the refusal; nothing where the request is right and only prepares others.
    #[serde(default)]
    code: Option<String>,
    /// What the message must begin with: the field's path.
    #[serde(default)]
    at: String,
    /// The value that must stand at this JSON pointer of the reply; the call is repeated until it does.
    #[serde(default)]
    until: Option<(String, Value)>,
    /// Values of the reply that are kept under these names, by their JSON pointers.
    #[serde(default)]
    keep: BTreeMap<String, String>,
}

#[test]
fn every_error_code_of_batch_is_answered_or_cannot_arise() {
    let server = server();
    assert_refused(Caller::new(&server, Client::None), &[]);
}

#[test]
fn the_python_sdk_is_told_every_error_code_of_batch() {
    let server = server();
    // The SDK sends no parameter that it does not know.
    assert_refused(Caller::new(&server, Client::Sdk(Box::new(server.official()))), &["UnknownParameter"]);
}

/// One wrong request of every action: starting `tccli` takes far longer than any answer.
#[test]
fn tccli_is_told_what_is_wrong_for_every_action() {
    let server = server();
    let mut caller = Caller::new(&server, Client::Tccli);
    let mut refused = BTreeSet::new();
    let mut chosen: Vec<Step> = steps();
    // The last of each: some of the first are true for a short time only.
    chosen.reverse();
    chosen.retain(|step| match step.code.as_deref() {
        None => true,
        // `tccli` sends no parameter that it does not know.
        Some("UnknownParameter") => false,
        Some(_) => refused.insert(step.action.clone()),
    });
    chosen.reverse();
    let unrefused: Vec<&str> =
        reference::batch().actions().into_iter().filter(|action| !refused.contains(*action)).collect();
    assert_eq!(unrefused, ["DescribeInstanceCategories"], "that one has no parameter");
    let (_, problems) = play(&mut caller, &chosen);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn steps() -> Vec<Step> {
    serde_json::from_str(REFUSED).expect("a list of steps")
}

fn server() -> Server {
    Server::start_with(include_str!("../../samples/api/refused.toml"))
}

/// Asserts that each step is answered as told, and that every code is among the answers but these.
fn assert_refused(mut caller: Caller<'_>, unsent: &[&str]) {
    let is_sent = |step: &Step| step.code.as_deref().is_none_or(|code| !unsent.contains(&code));
    let steps: Vec<Step> = steps().into_iter().filter(is_sent).collect();
    let (seen, mut problems) = play(&mut caller, &steps);
    for known in &reference::batch().codes {
        if unsent.contains(&known.code) {
            continue;
        }
        let excused = CANNOT_ARISE.iter().chain(MET_ELSEWHERE).any(|(code, _)| *code == known.code);
        match (seen.contains(known.code), excused) {
            (false, false) => problems.push(format!("{} is never answered", known.code)),
            (true, true) => problems.push(format!("{} is said not to arise, and was answered", known.code)),
            _ => {}
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Calls one step after the other: the codes that were answered as told, and what was answered otherwise.
fn play(caller: &mut Caller<'_>, steps: &[Step]) -> (BTreeSet<String>, Vec<String>) {
    let (mut kept, mut seen, mut problems) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
    for step in steps {
        let request = filled(&step.with, &kept);
        let answer = match &step.until {
            None => caller.call("batch", &step.action, &request),
            Some((pointer, value)) => wait::until(&format!("{} {pointer} {value}", step.action), || {
                let answer = caller.call("batch", &step.action, &request);
                answer.as_ref().is_ok_and(|reply| reply.pointer(pointer) == Some(value)).then_some(answer)
            }),
        };
        match (answer, &step.code) {
            (Ok(reply), None) => {
                let value = |pointer: &String| reply.pointer(pointer).cloned().unwrap_or_default();
                kept.extend(step.keep.iter().map(|(name, pointer)| (name.clone(), value(pointer))));
            }
            (Err((code, message)), Some(wanted)) if code == *wanted && message.starts_with(&step.at) => {
                seen.insert(code);
            }
            (answer, wanted) => problems.push(format!("{} {request}: {answer:?}, wanted {wanted:?}", step.action)),
        }
    }
    (seen, problems)
}
