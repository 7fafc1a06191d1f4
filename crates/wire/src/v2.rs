//! CMQ v2: parameters, errors and replies.
//!
//! A reply is JSON with `code` (0 is success), `message` (empty, or the module's number in brackets and a
//! text), `requestId` (a string of digits: clients fail on a number) and `clientRequestId` (a number: Go
//! fails on a string). Its status is always 200, for errors too.

mod codes;
mod params;

use serde_json::{Map, Value};

pub use codes::{V2Code, V2Error};
pub use params::Params;

/// Whether a request's action is this one. Clients differ in their capitals (the Java SDK sends
/// `ClearSUbscriptionFIlterTags`).
#[must_use]
pub fn same_action(given: &str, action: &str) -> bool {
    given.eq_ignore_ascii_case(action)
}

/// The body of a success. `fields` is an object; any other value gives a reply without fields of its own.
/// `client_request_id` is what the client sent, or 0.
#[must_use]
pub fn reply(fields: Value, request_id: u64, client_request_id: u64) -> Vec<u8> {
    let fields = match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    envelope(0, String::new(), fields, request_id, client_request_id)
}

/// The body of a refusal.
#[must_use]
pub fn error_reply(error: &V2Error, request_id: u64, client_request_id: u64) -> Vec<u8> {
    envelope(error.code, error.to_string(), error.fields.clone(), request_id, client_request_id)
}

fn envelope(code: u32, message: String, fields: Map<String, Value>, request_id: u64, client: u64) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("code".into(), code.into());
    body.insert("message".into(), message.into());
    body.insert("requestId".into(), request_id.to_string().into());
    body.insert("clientRequestId".into(), client.into());
    body.extend(fields);
    serde_json::to_vec(&body).expect("a JSON value can always be written")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(body: Vec<u8>) -> String {
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn replies_have_the_fields_and_types_that_clients_need() {
        assert_eq!(
            text(reply(json!({"msgId": "7"}), 39_410_804_591_689_893, 0)),
            r#"{"code":0,"message":"","requestId":"39410804591689893","clientRequestId":0,"msgId":"7"}"#
        );
        assert_eq!(
            text(error_reply(&V2Code::NoMessage.error(), 1, 3_884_610_186)),
            r#"{"code":7000,"message":"(10200)no message","requestId":"1","clientRequestId":3884610186}"#
        );
        let failed = V2Code::DeletePartlyFailed.error().with("errorList", json!([]));
        assert_eq!(
            text(error_reply(&failed, 1, 0)),
            concat!(
                r#"{"code":6010,"message":"(10150)delete message partially failed","#,
                r#""requestId":"1","clientRequestId":0,"errorList":[]}"#
            )
        );
    }

    #[test]
    fn actions_are_compared_without_case() {
        assert!(same_action("ClearSUbscriptionFIlterTags", "ClearSubscriptionFilterTags"));
        assert!(!same_action("SendMessages", "SendMessage"));
    }
}
