use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::auth;
use crate::limits::{API3_FORM_BYTES, API3_JSON_BYTES, API3_QUERY_BYTES, CLOCK_SKEW_S};
use crate::sign::{self, Key, Target};

const KEY: Key<'_> = Key { secret_id: "AKIDtest", secret_key: "secret" };
const NOW: i64 = 1_795_290_200;
const HOST: &str = "127.0.0.1:7400";

fn get(target: &str) -> HttpRequest {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    HttpRequest {
        method: "GET".into(),
        path: path.into(),
        query: query.into(),
        headers: vec![("host".into(), HOST.into())],
        body: Vec::new(),
    }
}

fn post(target: &str, body: &[u8]) -> HttpRequest {
    HttpRequest { method: "POST".into(), body: body.to_vec(), ..get(target) }
}

/// A call of API 3.0 with a good signature for the host given.
fn tc3(host: &str, body: &[u8]) -> HttpRequest {
    let target = Target { host, service: "batch", action: "SubmitJob", version: "2017-03-12", region: None };
    let headers = sign::tc3(KEY, &target, body, NOW).into_iter();
    let mut request = post("/", body);
    request.headers.extend(headers.map(|(name, value)| (name.to_lowercase(), value)));
    request
}

fn without(mut request: HttpRequest, header: &str) -> HttpRequest {
    request.headers.retain(|(name, _)| name != header);
    request
}

fn refusal(request: HttpRequest) -> String {
    match Call::read(request) {
        Err(ReadError::Api3(error)) => error.to_string(),
        Err(ReadError::V2 { error, client_request_id }) => {
            format!("{} {error} [{client_request_id}]", error.code)
        }
        Ok(Call::Api3(call)) => format!("{call:?}"),
        Ok(Call::V2(call)) => format!("{call:?}"),
        Ok(Call::None) => "None".into(),
    }
}

fn api3_call(request: HttpRequest) -> Api3Call {
    match Call::read(request) {
        Ok(Call::Api3(call)) => call,
        other => panic!("{other:?}"),
    }
}

fn v2_call(request: HttpRequest) -> V2Call {
    match Call::read(request) {
        Ok(Call::V2(call)) => call,
        other => panic!("{other:?}"),
    }
}

const V2: &str = "SecretId=AKIDx&Nonce=1&Timestamp=2&Signature=s";

#[test]
fn a_request_is_routed_by_its_parameters() {
    for request in [get("/"), get("/?x=1"), post("/", b""), post("/", b"{\"a\": 1}"), get("/v2/index.php")] {
        assert_eq!(refusal(request), "None");
    }
    let api3 = "Api3Call(SubmitJob 2017-03-12 by AKIDtest)";
    assert_eq!(refusal(tc3(HOST, b"{}")), api3);
    let legacy = format!("Action=SubmitJob&Version=2017-03-12&{V2}").replace("AKIDx", "AKIDtest");
    assert_eq!(refusal(get(&format!("/?{legacy}"))), api3);
    assert_eq!(refusal(post("/", legacy.as_bytes())), api3);
    assert_eq!(refusal(post("/?Version=2017-03-12", legacy.replace("Version=2017-03-12&", "").as_bytes())), api3);
    let v2 = "V2Call(SendMessage by AKIDx)";
    let form = format!("Action=SendMessage&{V2}");
    for path in ["/", "/v2/index.php", "/v2/index.php/v2/index.php", "/any/path"] {
        assert_eq!(refusal(get(&format!("{path}?{form}"))), v2);
        assert_eq!(refusal(post(path, form.as_bytes())), v2);
    }
    let mut typed = post("/", form.as_bytes());
    typed.headers.push(("content-type".into(), "application/json".into()));
    assert_eq!(refusal(typed), v2);
}

#[test]
fn what_a_call_of_api3_lacks_is_named() {
    for (header, name) in [("x-tc-action", "Action"), ("x-tc-version", "Version"), ("x-tc-timestamp", "Timestamp")] {
        let request = without(tc3(HOST, b"{}"), header);
        assert_eq!(refusal(request), format!("MissingParameter: {name}: required, but missing"));
    }
    let all = format!("Action=SubmitJob&Version=2017-03-12&{V2}");
    for name in ["Action", "SecretId", "Nonce", "Timestamp", "Signature"] {
        let rest: Vec<&str> = all.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect();
        let request = post("/", rest.join("&").as_bytes());
        assert_eq!(refusal(request), format!("MissingParameter: {name}: required, but missing"));
    }
    for (from, to, message) in [
        ("Timestamp=2", "Timestamp=x", "InvalidParameter: Timestamp: expected an integer, found \"x\""),
        ("Nonce=1", "Nonce=-1", "InvalidParameter: Nonce: expected an integer, found \"-1\""),
        ("Nonce=1", "Nonce=1&Nonce=1", "InvalidParameter: Nonce: given twice"),
        ("Nonce=1", "Nonce=1&A=%ff", "InvalidParameter: A: not UTF-8"),
        (
            "Nonce=1",
            "Nonce=1&SignatureMethod=md5",
            "InvalidParameterValue: SignatureMethod: expected HmacSHA1 or HmacSHA256",
        ),
    ] {
        assert_eq!(refusal(post("/", all.replace(from, to).as_bytes())), message);
    }
    let mut put = tc3(HOST, b"{}");
    put.method = "PUT".into();
    assert_eq!(refusal(put), "UnsupportedProtocol: the method must be GET or POST");
    let mut query = tc3(HOST, b"{}");
    query.query = "Limit=1".into();
    assert_eq!(refusal(query), "InvalidParameter: Limit: given in the query; a POST carries parameters in its body");
}

#[test]
fn what_a_call_of_v2_lacks_is_named() {
    let all = format!("Action=SendMessage&clientRequestId=9&{V2}");
    for name in ["SecretId", "Nonce", "Timestamp", "Signature"] {
        let rest: Vec<&str> = all.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect();
        let message = format!("4000 (10390)lacked of required parameter {name} [9]");
        assert_eq!(refusal(post("/", rest.join("&").as_bytes())), message);
    }
    for (from, to, message) in [
        ("Nonce=1", "Nonce=x", "4000 (10360)parameter Nonce error type [9]"),
        ("Nonce=1", "Nonce=1&Nonce=2", "4000 (10330)parameter Nonce is NOT a repeatable parameter [9]"),
        ("Nonce=1", "Nonce=1&m=%ff", "4000 (10420)cannot parse m, or request size is more than 1MB [9]"),
        (
            "Nonce=1",
            "Nonce=1&SignatureMethod=md5",
            "4000 (10350)parameter SignatureMethod value or length is out of range [9]",
        ),
    ] {
        assert_eq!(refusal(post("/", all.replace(from, to).as_bytes())), message);
    }
    let mut put = get(&format!("/?{all}"));
    put.method = "PUT".into();
    assert_eq!(refusal(put), "4000 (10410)unexpected http PUT only GET or POST is supported [9]");
}

#[test]
fn what_is_too_large_is_refused_by_the_protocol_it_speaks() {
    let large = "RequestSizeLimitExceeded: the request's";
    let body = vec![b' '; API3_JSON_BYTES + 1];
    assert_eq!(refusal(tc3(HOST, &body)), format!("{large} body is longer than {API3_JSON_BYTES} bytes"));
    let version = "/?Version=2017-03-12";
    let message = format!("{large} body is longer than {API3_FORM_BYTES} bytes");
    assert_eq!(refusal(post(version, &body)), message);
    assert_eq!(refusal(post(version, &body[..=API3_FORM_BYTES])), message);
    let query = format!("{version}&A={}", "x".repeat(API3_QUERY_BYTES));
    assert_eq!(refusal(get(&query)), format!("{large} query is longer than {API3_QUERY_BYTES} bytes"));
    let v2 = "4000 (10420)cannot parse body, or request size is more than 1MB [0]";
    assert_eq!(refusal(post("/v2/index.php", &body[..=V2_FORM_BYTES])), v2);
    let many = format!("Action=SendMessage&{V2}&{}", "a=&".repeat(300));
    assert_eq!(refusal(post("/v2/index.php", many.as_bytes())), v2);
}

#[test]
fn a_body_that_is_not_json_is_told_where() {
    let params = |body: &[u8]| api3_call(tc3(HOST, body)).params().map_err(|error| error.to_string());
    assert_eq!(params(b""), Ok(json!({})));
    assert_eq!(params(b"{\"Limit\": 1, /* one */}"), Ok(json!({"Limit": 1})));
    for (body, message) in [
        (&b"{\"Limit\": }"[..], "the body is not JSON: line 1, column 11: expected value"),
        (b"{\"A\": 1,\n\"A\": 2}", "the body is not JSON: line 2, column 3: key `A` given twice"),
        (b"{\"A\": \"\xff\"}", "the body is not JSON: byte 8 is not UTF-8"),
        (b"[1]", "line 1, column 1: the body must be a JSON object, `{\u{2026}}`"),
    ] {
        assert_eq!(params(body), Err(format!("InvalidParameter: {message}")));
    }
}

/// What the clients that are not among the captures sign, as their sources show it.
#[test]
fn the_other_clients_forms_of_signing_are_accepted() {
    let node = api3_call(tc3("127.0.0.1", b"{}"));
    assert_eq!(auth::api3::verify(&node, KEY.secret_key, NOW), Ok(()), "Node.js leaves the port out");
    let mut documented = tc3("localhost:7400", b"{}");
    documented.headers[0].1 = " LocalHost:7400 ".into();
    let documented = api3_call(documented);
    assert_eq!(auth::api3::verify(&documented, KEY.secret_key, NOW), Ok(()), "trimmed, lower case");
    let params = [("queueName", "q"), ("msgBody", "@x")];
    let signed = |path: &str, host: &str| sign::v2(KEY, host, path, "SendMessage", &params, 1, NOW);
    for (signed_path, signed_host, path, client) in [
        ("/", HOST, "/", "Go"),
        ("/v2/index.php", HOST, "/v2/index.php/v2/index.php", "PHP"),
        ("/v2/index.php", "127.0.0.1", "/v2/index.php", "without port"),
    ] {
        let call = v2_call(post(path, signed(signed_path, signed_host).as_bytes()));
        assert_eq!(auth::v2::verify(&call, KEY.secret_key, NOW), Ok(()), "{client}");
    }
    let call = v2_call(post("/", signed("/elsewhere", HOST).as_bytes()));
    assert_eq!(auth::v2::verify(&call, KEY.secret_key, NOW), Err(auth::AuthError::Mismatch));
    let late = auth::v2::verify(&call, KEY.secret_key, NOW + CLOCK_SKEW_S + 1).unwrap_err();
    assert_eq!(
        late.v2().to_string(),
        "(10030)authentication failed: Timestamp: 1795290200 is more than 300 s from the server's time, 1795290501"
    );
}

/// Some clients leave texts that begin with `@` out of what they sign, so such a parameter proves nothing.
#[test]
fn nothing_can_be_added_to_a_signed_call_but_what_the_client_could_not_sign() {
    let params = [("queueName", "q"), ("msgBody", "x")];
    let signed = sign::v2(KEY, HOST, "/v2/index.php", "SendMessage", &params, 1, NOW);
    for (added, what) in [("delaySeconds=%409", "another parameter"), ("msgBodies=%40x", "a name that begins alike")] {
        let call = v2_call(post("/v2/index.php", format!("{signed}&{added}").as_bytes()));
        assert_eq!(auth::v2::verify(&call, KEY.secret_key, NOW), Err(auth::AuthError::Mismatch), "{what}");
    }
    for added in ["msgBody=%40pay", "msgBody+=%40pay", "msgBody%20=%40pay"] {
        let request = post("/v2/index.php", format!("{signed}&{added}").as_bytes());
        assert!(Call::read(request).is_err(), "{added}: given twice");
    }
}

proptest! {
    /// What comes from the network may be anything.
    #[test]
    fn any_request_is_read_or_refused(
        method in "GET|POST|PUT",
        query in "((Action|Version|SecretId|Nonce|Timestamp|Signature|A\\.0|A\\.B|%ff|x)(=[1%&.é]{0,3})?&){0,9}",
        authorization in "(TC3-HMAC-SHA256 )?(Credential=(a|/|tc3_request){0,9}, SignedHeaders=(host|content-type|;){0,4})?, ?Signature=",
        body in prop::collection::vec(any::<u8>(), 0..40),
        by_header in any::<bool>(),
    ) {
        let mut request = post(&format!("/?{query}"), &body);
        request.method = method;
        if by_header {
            let names = ["authorization", "x-tc-action", "x-tc-version", "x-tc-timestamp", "content-type"];
            let values = [authorization.as_str(), "A", "V", "1", "application/json"];
            let headers = names.iter().zip(values);
            request.headers.extend(headers.map(|(name, value)| ((*name).to_owned(), value.to_owned())));
        }
        match Call::read(request) {
            Ok(Call::Api3(call)) => {
                prop_assert!(auth::api3::verify(&call, "key", call.timestamp).is_err());
                prop_assert!(call.params().map_or(true, |params| params.is_object()));
            }
            Ok(Call::V2(call)) => prop_assert!(auth::v2::verify(&call, "key", call.timestamp).is_err()),
            Ok(Call::None) => prop_assert!(!by_header),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
