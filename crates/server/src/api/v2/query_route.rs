//! `QueryQueueRoute` and `QueryTopicRoute`: where CMQ's TCP protocol is spoken. It is not spoken here.
//!
//! An empty list of addresses would let the Java TCP client and the Go client try on without telling anybody why, so
//! both are refused as actions that do not exist: each of them shows the code and the text.

use serde_json::Value;
use wire::v2::{V2Code, V2Error};

use super::Action;

pub(super) const QUEUE: Action = Action {
    name: "QueryQueueRoute",
    help: "Refused: it asks for the address of CMQ's TCP protocol, which is not spoken here.",
    call: |_, _| Box::pin(async { refused("QueryQueueRoute") }),
};

pub(super) const TOPIC: Action = Action {
    name: "QueryTopicRoute",
    help: "Refused: it asks for the address of CMQ's TCP protocol, which is not spoken here.",
    call: |_, _| Box::pin(async { refused("QueryTopicRoute") }),
};

fn refused(action: &str) -> Result<Value, V2Error> {
    Err(V2Code::UnknownAction.about(action).because("CMQ's TCP protocol is not spoken here; use HTTP"))
}
