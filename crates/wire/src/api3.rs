//! Replies of API 3.0: `{"Response":{…,"RequestId":"…"}}`, for errors too, always with status 200.
//!
//! The official Python SDK and tccli see an error only in a reply whose status is 200 and whose content
//! type is exactly [`CONTENT_TYPE`]; the Python SDK fails on an error without `RequestId`.

use serde_json::{Map, Value, json};

/// The content type of every reply, without a charset.
pub const CONTENT_TYPE: &str = "application/json";

/// What a request is refused with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// A code that Tencent Cloud documents, e.g. `InvalidParameter.TaskName`.
    pub code: &'static str,
    /// For people: where (the field's path), what, and what would be right.
    pub message: String,
}

impl ApiError {
    /// An error with this code and message.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// The body of a success. `fields` is an object; any other value gives a reply without fields.
#[must_use]
pub fn reply(fields: Value, request_id: &str) -> Vec<u8> {
    let fields = match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    envelope(fields, request_id)
}

/// The body of a refusal.
#[must_use]
pub fn error_reply(error: &ApiError, request_id: &str) -> Vec<u8> {
    let mut fields = Map::new();
    fields.insert("Error".into(), json!({"Code": error.code, "Message": error.message}));
    envelope(fields, request_id)
}

fn envelope(mut fields: Map<String, Value>, request_id: &str) -> Vec<u8> {
    fields.insert("RequestId".into(), request_id.into());
    serde_json::to_vec(&json!({"Response": fields})).expect("a JSON value can always be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_the_envelope_that_the_clients_read() {
        let body = reply(json!({"JobId": "job-0000000a", "Tasks": []}), "r-1");
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"Response":{"JobId":"job-0000000a","Tasks":[],"RequestId":"r-1"}}"#
        );
        let error = ApiError::new("InvalidParameter", "no \"x\"");
        assert_eq!(
            String::from_utf8(error_reply(&error, "r-2")).unwrap(),
            r#"{"Response":{"Error":{"Code":"InvalidParameter","Message":"no \"x\""},"RequestId":"r-2"}}"#
        );
    }
}
