//! Replies have every declared field, with its type.

use serde_json::Value;

use super::clients::{Caller, Client};
use super::reference::{self, Field, Reference};
use super::session::{self, Exchange};

#[test]
fn every_reply_of_batch_has_its_declared_fields_with_their_types() {
    assert_whole(session::exchanges());
}

#[test]
fn the_python_sdk_calls_every_action_and_reads_every_reply() {
    let server = session::server();
    let sdk = Client::Sdk(Box::new(server.official()));
    assert_whole(&session::run(&mut Caller::new(&server, sdk)));
}

#[test]
fn tccli_calls_every_action_and_prints_every_reply() {
    let server = session::server();
    assert_whole(&session::run(&mut Caller::new(&server, Client::Tccli)));
}

/// Asserts that the replies of Batch have what is declared, and nothing else.
fn assert_whole(exchanges: &[Exchange]) {
    let reference = reference::batch();
    let mut problems = Vec::new();
    for exchange in exchanges.iter().filter(|exchange| exchange.product == "batch") {
        let declared: Vec<Field> = reference.reply(&exchange.action).copied().collect();
        compare(&reference, &exchange.action, &declared, &exchange.reply, &mut problems);
        let known = |name: &String| *name == "RequestId" || declared.iter().any(|field| field.name == name);
        let fields = exchange.reply.as_object().expect("an object");
        problems.extend(
            fields
                .keys()
                .filter(|name| !known(name))
                .map(|name| format!("{}: {name} is not declared", exchange.action)),
        );
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_action_is_called_in_the_session() {
    let called = |listed: &server::api::Listed| {
        let product = if listed.product == "cmq v2" { "v2" } else { listed.product };
        session::exchanges().iter().any(|made| made.product == product && made.action == listed.action)
    };
    let missing: Vec<&str> = server::api::actions().filter(|listed| !called(listed)).map(|it| it.action).collect();
    assert_eq!(missing, [""; 0]);
}

fn compare(reference: &Reference, path: &str, declared: &[Field], object: &Value, problems: &mut Vec<String>) {
    for field in declared {
        let path = format!("{path}.{}", field.name);
        match object.get(field.name) {
            None => problems.push(format!("{path} is missing")),
            Some(Value::Null) if field.nullable => {}
            Some(value) => match field.element() {
                None => check(reference, &path, field.kind, value, problems),
                Some(kind) => match value.as_array() {
                    None => problems.push(format!("{path} is no list: {value}")),
                    Some(items) => items.iter().for_each(|item| {
                        // Gaps between attempts are null among the values of a curve.
                        if !(kind == "float" && item.is_null()) {
                            check(reference, &path, kind, item, problems);
                        }
                    }),
                },
            },
        }
    }
}

fn check(reference: &Reference, path: &str, kind: &str, value: &Value, problems: &mut Vec<String>) {
    let right = match kind {
        "string" => value.is_string(),
        "int64" => value.is_i64() || value.is_u64(),
        "uint64" => value.is_u64(),
        "float" => value.is_number(),
        "bool" => value.is_boolean(),
        _ => value.is_object(),
    };
    if !right {
        problems.push(format!("{path} is no {kind}: {value}"));
        return;
    }
    // What was submitted is shown as it was submitted: fields that were left out stay out.
    let echoed = ["Task", "EnvData", "MountDataDisk", "InputMapping", "Authentication", "Notification", "Placement"];
    if value.is_object() && !echoed.contains(&kind) {
        let declared: Vec<Field> = reference.data_type(kind).copied().collect();
        compare(reference, path, &declared, value, problems);
    }
}
