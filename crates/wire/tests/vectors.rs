//! Requests captured from the official clients, with the signatures those clients made: the Batch SDK for
//! Python and tccli (`batch-*`, `cmq-tccli-*`), the TDMQ and CMQ SDKs for Python (`cmq-api3-*`), and
//! `qcloud-cmq-sdk-py3` (`cmq-py3-*`). Each must verify at its own time, and stop to when anything is changed.

#![expect(clippy::unwrap_used, reason = "a capture that cannot be read fails the test")]

use std::fs;
use std::path::Path;

use serde_json::Value;
use wire::auth::{self, AuthError};
use wire::call::{Api3Call, Call, V2Call};
use wire::request::HttpRequest;

/// One captured request.
struct Capture {
    /// File and number, for messages.
    name: String,
    number: usize,
    request: HttpRequest,
}

/// All requests of the files whose name begins so.
fn captures(prefix: &str) -> Vec<Capture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut captures = Vec::new();
    for path in files {
        let file = path.file_name().unwrap().to_str().unwrap();
        if !file.starts_with(prefix) || !file.ends_with(".txt") || file.ends_with("-results.txt") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        // One raw request, or many behind a line `==== #1 Action` each.
        let records: Vec<&str> = if text.starts_with("==== #") {
            text.split("==== #").skip(1).map(|record| record.split_once('\n').unwrap().1).collect()
        } else {
            vec![&text]
        };
        captures.extend(records.into_iter().enumerate().map(|(at, record)| Capture {
            name: format!("{file} #{}", at + 1),
            number: at + 1,
            request: parsed(record),
        }));
    }
    captures
}

fn parsed(record: &str) -> HttpRequest {
    let (head, rest) = record.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let mut start = lines.next().unwrap().split(' ');
    let (method, target) = (start.next().unwrap(), start.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers: Vec<(String, String)> = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let mut request =
        HttpRequest { method: method.into(), path: path.into(), query: query.into(), headers, body: Vec::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body = rest.as_bytes()[..length].to_vec();
    request
}

fn api3(request: &HttpRequest) -> Api3Call {
    match Call::read(request.clone()) {
        Ok(Call::Api3(call)) => call,
        other => panic!("not a call of API 3.0: {other:?}"),
    }
}

fn v2(request: &HttpRequest) -> V2Call {
    match Call::read(request.clone()) {
        Ok(Call::V2(call)) => call,
        other => panic!("not a call of CMQ v2: {other:?}"),
    }
}

fn key_of(secret_id: &str) -> &'static str {
    match secret_id {
        "AKIDEXAMPLE" => "SKEXAMPLE",
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE" => "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        other => panic!("whose id is {other}?"),
    }
}

/// Verifies a call of either protocol with its own key, at its own time.
fn verify(request: &HttpRequest) -> Result<(), AuthError> {
    match Call::read(request.clone()).unwrap() {
        Call::Api3(call) => auth::api3::verify(&call, key_of(&call.secret_id), call.timestamp),
        Call::V2(call) => auth::v2::verify(&call, key_of(&call.secret_id), call.timestamp),
        Call::None => panic!("not a call"),
    }
}

/// The request with `from` replaced wherever it stands.
fn replaced(request: &HttpRequest, from: &str, to: &str) -> HttpRequest {
    let text = |text: &String| text.replace(from, to);
    HttpRequest {
        method: request.method.clone(),
        path: request.path.clone(),
        query: text(&request.query),
        headers: request.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        body: text(&String::from_utf8(request.body.clone()).unwrap()).into_bytes(),
    }
}

fn api3_captures() -> Vec<Capture> {
    let mut all = captures("batch-");
    all.extend(captures("cmq-api3-"));
    all.extend(captures("cmq-tccli-"));
    assert_eq!(all.len(), 16 + 5 * 22 + 2);
    all
}

/// The clients' own defect: with bytes for a body, numbers 16 and 17 sign Python's `b'…'` form of it.
fn signed_wrong(capture: &Capture) -> bool {
    capture.name.starts_with("cmq-py3-sdk") && matches!(capture.number, 16 | 17)
}

fn v2_captures() -> Vec<Capture> {
    let all = captures("cmq-py3-");
    assert_eq!(all.len(), 4 * 34 + 3 * 2);
    all
}

#[test]
fn every_captured_call_of_api3_verifies() {
    for capture in api3_captures() {
        assert_eq!(verify(&capture.request), Ok(()), "{}", capture.name);
        let params = api3(&capture.request).params();
        assert!(params.is_ok_and(|params| params.is_object()), "{}", capture.name);
    }
}

#[test]
fn every_captured_call_of_v2_verifies_but_those_signed_wrong() {
    let captures = v2_captures();
    for capture in &captures {
        let wanted = if signed_wrong(capture) { Err(AuthError::Mismatch) } else { Ok(()) };
        assert_eq!(verify(&capture.request), wanted, "{}", capture.name);
    }
    assert_eq!(captures.iter().filter(|capture| signed_wrong(capture)).count(), 4 * 2);
}

#[test]
fn a_changed_call_of_api3_is_refused() {
    for Capture { name, request, .. } in api3_captures() {
        let call = api3(&request);
        let (secret_key, time) = (key_of(&call.secret_id), call.timestamp);
        let code = |call: &Api3Call, secret_key: &str, now: i64| {
            auth::api3::verify(call, secret_key, now).map_err(|error| error.api3().code)
        };
        let mismatch = Err("AuthFailure.SignatureFailure");
        assert_eq!(code(&call, "another", time), mismatch, "{name}");
        for now in [time - 301, time + 301] {
            assert_eq!(code(&call, secret_key, now), Err("AuthFailure.SignatureExpire"), "{name}");
        }
        assert_eq!(code(&call, secret_key, time + 300), Ok(()), "{name}");
        let host = request.header("host").unwrap();
        let later = replaced(&request, &time.to_string(), &(time + 1).to_string());
        for changed in [later, replaced(&request, host, "127.0.0.2:80")] {
            assert_eq!(code(&api3(&changed), secret_key, time), mismatch, "{name}");
        }
        let longer = with_more_of_its_parameters(&request);
        let wanted = if name.contains("unsigned-payload") { Ok(()) } else { mismatch };
        assert_eq!(code(&api3(&longer), secret_key, time), wanted, "{name}");
    }
}

#[test]
fn a_changed_call_of_v2_is_refused() {
    for Capture { name, request, .. } in v2_captures().iter().filter(|capture| !signed_wrong(capture)) {
        let call = v2(request);
        let (secret_key, time) = (key_of(&call.secret_id), call.timestamp);
        let code = |call: &V2Call, secret_key: &str, now: i64| {
            let refusal = auth::v2::verify(call, secret_key, now);
            refusal.map_err(|error| (error.v2().code, error.v2().module))
        };
        let refused = Err((4100, 10030));
        assert_eq!(code(&call, "another", time), refused, "{name}");
        assert_eq!(code(&call, secret_key, time + 301), refused, "{name}");
        let host = request.header("host").unwrap();
        let later = replaced(request, &time.to_string(), &(time + 1).to_string());
        let longer = with_more_of_its_parameters(request);
        for changed in [later, longer, replaced(request, host, "127.0.0.2:80")] {
            assert_eq!(code(&v2(&changed), secret_key, time), refused, "{name}");
        }
    }
}

/// The request with a blank behind its JSON, or one more parameter in its form or query.
fn with_more_of_its_parameters(request: &HttpRequest) -> HttpRequest {
    let mut request = request.clone();
    if request.method == "GET" {
        request.query += "&x=1";
    } else if request.body.starts_with(b"{") {
        request.body.push(b' ');
    } else {
        request.body.extend_from_slice(b"&x=1");
    }
    request
}

#[test]
fn the_day_and_the_kind_of_a_header_signature_are_checked() {
    let request = &captures("batch-tc3-post-sdk.txt")[0].request;
    let code = |from: &str, to: &str| match Call::read(replaced(request, from, to)) {
        Ok(Call::Api3(call)) => {
            auth::api3::verify(&call, "SKEXAMPLE", call.timestamp).err().map(|error| error.api3().code)
        }
        Err(wire::call::ReadError::Api3(error)) => Some(error.code),
        other => panic!("{other:?}"),
    };
    assert_eq!(code("", ""), None);
    assert_eq!(code("/2026-11-21/", "/2026-11-20/"), Some("AuthFailure.SignatureExpire"));
    assert_eq!(code("/batch/", "/tdmq/"), Some("AuthFailure.SignatureFailure"));
    let invalid = Some("AuthFailure.InvalidAuthorization");
    assert_eq!(code("/tc3_request", "/tc4_request"), invalid);
    assert_eq!(code("TC3-HMAC-SHA256 ", "TC3-HMAC-SHA512 "), invalid);
    assert_eq!(code("SignedHeaders=content-type;host", "SignedHeaders=content-type"), invalid);
    assert_eq!(code("content-type;host", "content-type;host;x-absent"), invalid);
    assert_eq!(code(" Signature=", " Sign="), invalid);
    let mut skipped = request.clone();
    skipped.headers.retain(|(name, _)| name != "authorization");
    for value in ["SKIP", ""] {
        let mut skipped = skipped.clone();
        skipped.headers.push(("authorization".into(), value.into()));
        let error = Call::read(skipped).unwrap_err();
        assert!(error.to_string().starts_with("AuthFailure.InvalidAuthorization"), "{error}");
    }
    let error = Call::read(skipped).unwrap_err();
    assert!(error.to_string().starts_with("AuthFailure.InvalidAuthorization"), "{error}");
}

/// The same job, sent as JSON and flat: the parameters are the same but for numbers as strings.
#[test]
fn flat_parameters_are_rebuilt_as_the_client_had_them() {
    let json = api3(&captures("batch-tc3-post-sdk.txt")[0].request).params().unwrap();
    assert_eq!(json["Job"]["Tasks"][0]["TaskInstanceNum"], 2);
    assert_eq!(json["Job"]["JobName"], "hello 你好");
    for file in [
        "batch-tc3-get-sdk.txt",
        "batch-hmacsha1-get-sdk.txt",
        "batch-hmacsha1-post-sdk.txt",
        "batch-hmacsha256-post-sdk.txt",
    ] {
        let call = api3(&captures(file)[0].request);
        assert!(call.flattened());
        assert_eq!(call.params(), Ok(with_strings(&json)), "{file}");
        assert_eq!((call.action.as_str(), call.version.as_str()), ("SubmitJob", "2017-03-12"));
        assert_eq!(call.region.as_deref(), Some("ap-guangzhou"));
        assert_eq!(call.language.as_deref(), Some("zh-CN"));
    }
    let ids = api3(&captures("batch-hmacsha1-post-12ids-sort.txt")[0].request).params().unwrap();
    let wanted: Vec<String> = (0..12).map(|n| format!("job-aaaaaa{n:02}")).collect();
    assert_eq!(ids, serde_json::json!({"JobIds": wanted}));
}

fn with_strings(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(with_strings).collect(),
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), with_strings(value))).collect(),
        Value::String(text) => text.clone().into(),
        scalar => scalar.to_string().into(),
    }
}

#[test]
fn messages_of_v2_come_out_as_they_were_sent() {
    let all = captures("cmq-py3-sdk-post-sha1.txt");
    let special = v2(&all[7].request);
    assert!(special.is("SendMessage"));
    assert_eq!(special.params.text("msgBody"), Some("This'is test & 100%=消息 +/~*()!"));
    assert_eq!(special.params.integer("delaySeconds", 0..=3600), Ok(Some(5)));
    assert_eq!(v2(&all[8].request).params.text("msgBody"), Some("@at-prefixed body"));
    let batch = all.iter().map(|capture| v2(&capture.request)).find(|call| call.is("BatchSendMessage"));
    let batch = batch.expect("the SDK sent a batch");
    let bodies = batch.params.list("msgBody", 16, wire::v2::V2Code::BatchSize).unwrap();
    assert_eq!(bodies, ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10"]);
}
