//! `Placement` as it was sent.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What is wanted of a stored request; the rest of it is passed over.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Placement")]
    placement: Map<String, Value>,
}

/// The placement that the stored request `document` had, with every field that is documented.
pub(super) fn placement(zone: &str, document: &str) -> Value {
    let sent = serde_json::from_str::<Document>(document).map(|document| document.placement).unwrap_or_default();
    let field = |key: &str, absent: Value| match sent.get(key) {
        None | Some(Value::Null) => absent,
        Some(value) => value.clone(),
    };
    // A flattened request has numbers as texts.
    let project = match field("ProjectId", json!(0)) {
        Value::String(text) => json!(text.parse::<i64>().unwrap_or(0)),
        number => number,
    };
    json!({
        "Zone": zone,
        "ProjectId": project,
        "HostIds": field("HostIds", json!([])),
        "HostId": field("HostId", Value::Null),
        "DedicatedResourcePackTenancy": field("DedicatedResourcePackTenancy", Value::Null),
        "DedicatedResourcePackIds": field("DedicatedResourcePackIds", json!([])),
        "RackId": field("RackId", Value::Null),
    })
}
