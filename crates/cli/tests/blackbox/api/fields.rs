//! Every declared field of a request is read: a value of a wrong type there is refused, and not as unknown.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::reference::{self, Effect, Field, Reference};
use crate::support::server::Server;
use crate::support::signed::Signed;

/// For each action requests that are right, and which together have every object that a request of it can have.
const REQUESTS: &str = include_str!("../../samples/api/requests.json");

#[test]
fn every_declared_field_of_a_request_of_batch_is_read() {
    let server = Server::start();
    let client = Signed::new(&server);
    let reference = reference::batch();
    let requests = requests();
    let mut problems = Vec::new();
    for action in reference.actions() {
        for path in paths(&reference, action) {
            let placed = |request: &Value| {
                let mut request = request.clone();
                place(&mut request, &path, wrong(path.last().expect("a field"))).then_some(request)
            };
            let answers: Vec<Refusal> = requests[action]
                .iter()
                .filter_map(placed)
                .map(|request| refusal(&client, action, &request, &path))
                .collect();
            // Where a request has something that excludes the field, that may be said first; so one is enough.
            let fine = |answer: &Refusal| matches!(answer, Refusal::OfItsType);
            let wrong = |answer: &Refusal| matches!(answer, Refusal::None | Refusal::Unknown);
            if !answers.iter().any(fine) || answers.iter().any(wrong) {
                problems.push(format!("{action} {}: {answers:?}", dotted(&path)));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The requests by action. A template's task can have what a job's can.
fn requests() -> BTreeMap<String, Vec<Value>> {
    let mut requests: BTreeMap<String, Vec<Value>> = serde_json::from_str(REQUESTS).expect("requests by action");
    let tasks: Vec<Value> = requests["SubmitJob"].iter().map(|request| request["Job"]["Tasks"][0].clone()).collect();
    let tags = json!([{"Key": "k", "Value": "v"}]);
    let made = |task: &Value| json!({"TaskTemplateName": "t", "TaskTemplateInfo": task, "Tags": tags});
    let modified = |task: &Value| json!({"TaskTemplateId": "task-tmpl-00000000", "TaskTemplateInfo": task});
    requests.insert("CreateTaskTemplate".to_owned(), tasks.iter().map(made).collect());
    requests.insert("ModifyTaskTemplate".to_owned(), tasks.iter().map(modified).collect());
    requests
}

/// How a request with a wrong value in a field is refused.
#[derive(Debug)]
enum Refusal {
    /// For the value's type, by the field's path.
    OfItsType,
    /// As an unknown field.
    Unknown,
    /// Not at all.
    None,
    /// Otherwise; shown when no request is refused as it should be.
    Otherwise(#[expect(dead_code, reason = "shown by Debug")] String),
}

fn refusal(client: &Signed, action: &str, request: &Value, path: &[&Field]) -> Refusal {
    match client.call("batch", action, request) {
        Ok(_) => Refusal::None,
        Err((code, message)) if code == "InvalidParameter" && message.starts_with(&numbered(path)) => {
            Refusal::OfItsType
        }
        Err((code, _)) if code == "UnknownParameter" => Refusal::Unknown,
        Err((code, message)) => Refusal::Otherwise(format!("{code}: {message}")),
    }
}

#[test]
fn every_undeclared_field_of_a_request_of_batch_is_refused() {
    let server = Server::start();
    let client = Signed::new(&server);
    let refusal = client.call("batch", "DescribeJobs", &json!({"JobIDs": []})).expect_err("an unknown field");
    assert_eq!(refusal.0, "UnknownParameter");
    assert!(refusal.1.starts_with("JobIDs"), "{}", refusal.1);
}

/// The ways to all fields of an action's request, also those within data types.
fn paths<'a>(reference: &'a Reference, action: &str) -> Vec<Vec<&'a Field>> {
    let mut done = Vec::new();
    let mut open: Vec<Vec<&Field>> = reference.request(action).map(|field| vec![field]).collect();
    while let Some(path) = open.pop() {
        let last = path.last().expect("not empty");
        if last.effect == Effect::Output {
            continue;
        }
        let kind = last.element().unwrap_or(last.kind);
        open.extend(reference.data_type(kind).map(|field| path.iter().copied().chain([field]).collect()));
        done.push(path);
    }
    done
}

/// A value that no field of this type can have.
fn wrong(field: &Field) -> Value {
    match (field.element(), field.kind) {
        (None, "string") => json!({"a": 1}),
        (None, "int64" | "uint64" | "float" | "bool") => json!("neither"),
        _ => json!(7),
    }
}

/// Puts a value at the end of a path, in the first element of each list on the way. False when there is no such
/// place.
fn place(request: &mut Value, path: &[&Field], value: Value) -> bool {
    let (last, way) = path.split_last().expect("a field");
    let mut at = request;
    for field in way {
        let Some(next) = at.get_mut(field.name) else { return false };
        at = if next.is_array() { &mut next[0] } else { next };
    }
    let Some(fields) = at.as_object_mut() else { return false };
    fields.insert(last.name.to_owned(), value);
    true
}

/// The path as messages name it.
fn numbered(path: &[&Field]) -> String {
    let (last, way) = path.split_last().expect("a field");
    let way = way
        .iter()
        .map(|field| if field.element().is_some() { format!("{}.0.", field.name) } else { format!("{}.", field.name) });
    way.collect::<String>() + last.name
}

fn dotted(path: &[&Field]) -> String {
    path.iter().map(|field| field.name).collect::<Vec<_>>().join(".")
}
