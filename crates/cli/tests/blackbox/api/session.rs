//! The session that the pages of the API show: one call of every action, in an order in which each has something to
//! say, against a server of its own.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::clients::{Caller, Client};
use crate::support::machine::Machine;
use crate::support::server::Server;
use crate::support::wait;

/// A call and its reply.
pub(super) struct Exchange {
    /// `batch`, `tdmq`, `cmq`, `herald`, or `v2`.
    pub(super) product: String,
    pub(super) action: String,
    pub(super) request: Value,
    pub(super) reply: Value,
    /// Whether it is to be shown: it is not when it only prepares another.
    pub(super) shown: bool,
}

/// The steps: `call` is `product.action`; `with` its parameters, in which `$name` stands for what an earlier step has
/// kept under that name, `$now_s` and `$now_ms` for the moment of its beginning; `machine` has a machine join and keeps
/// its id under that name; `refused` is the code that refuses the call; `keep` keeps values of the reply by their JSON pointers; `until` repeats the call until the
/// value at a pointer is as told; `quiet` leaves the step out of the pages.
const STEPS: &str = include_str!("../../samples/api/session.json");

/// The exchanges of the session, made once.
pub(super) fn exchanges() -> &'static [Exchange] {
    static MADE: OnceLock<Vec<Exchange>> = OnceLock::new();
    MADE.get_or_init(|| {
        let server = server();
        let mut caller = Caller::new(&server, Client::None);
        run(&mut caller)
    })
}

/// A server for the session.
pub(super) fn server() -> Server {
    Server::start_with(include_str!("../../samples/api/herald.toml"))
}

/// Has the session called.
pub(super) fn run(caller: &mut Caller<'_>) -> Vec<Exchange> {
    let steps: Vec<Map<String, Value>> = serde_json::from_str(STEPS).expect("a list of steps");
    let began = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let mut kept = BTreeMap::from([
        ("now_s".to_owned(), Value::from(began.as_secs())),
        ("now_ms".to_owned(), Value::from(began.as_secs() * 1_000)),
    ]);
    let (mut machines, mut exchanges) = (Vec::new(), Vec::new());
    for step in &steps {
        if let Some(name) = step.get("machine").and_then(Value::as_str) {
            let machine = Machine::start(caller.server, kept.get("token").and_then(Value::as_str));
            kept.insert(name.to_owned(), Value::from(machine.id.clone()));
            machines.push(machine);
        } else {
            exchanges.push(exchange(caller, step, &mut kept));
        }
    }
    exchanges
}

/// Replaces `$name` by what is kept under that name, at any depth.
pub(super) fn filled(value: &Value, kept: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('$') {
            Some(name) => kept.get(name).unwrap_or_else(|| panic!("nothing is kept as {name}")).clone(),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| filled(item, kept)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), filled(value, kept))).collect())
        }
        other => other.clone(),
    }
}

fn exchange(caller: &mut Caller<'_>, step: &Map<String, Value>, kept: &mut BTreeMap<String, Value>) -> Exchange {
    let (product, action) = step["call"].as_str().and_then(|call| call.split_once('.')).expect("product.action");
    let request = filled(step.get("with").unwrap_or(&Value::Object(Map::new())), kept);
    let refused = step.get("refused");
    let mut call = || match (caller.call(product, action, &request), refused) {
        (Ok(reply), None) => reply,
        (Err((code, message)), Some(expected)) if *expected == code => {
            json!({"Error": {"Code": code, "Message": message}})
        }
        (outcome, _) => panic!("{product}.{action} {request}: {outcome:?}"),
    };
    let reply = match step.get("until") {
        None => call(),
        Some(until) => wait::until(&format!("{product}.{action} {until}"), || {
            let reply = call();
            (reply.pointer(until[0].as_str().expect("a pointer")) == Some(&until[1])).then_some(reply)
        }),
    };
    for (name, pointer) in step.get("keep").and_then(Value::as_object).into_iter().flatten() {
        let pointer = pointer.as_str().expect("a pointer");
        let value = reply.pointer(pointer).unwrap_or_else(|| panic!("{action}: no {pointer} in {reply}"));
        kept.insert(name.clone(), value.clone());
    }
    let shown = step.get("quiet").is_none();
    Exchange { product: product.to_owned(), action: action.to_owned(), request, reply, shown }
}
