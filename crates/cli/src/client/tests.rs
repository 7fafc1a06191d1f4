//! The client against a stand-in for the server, which checks signatures as the server does.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use wire::call::Call;
use wire::request::HttpRequest;

use super::*;
use crate::context::Context;
use crate::failure::chain;
use crate::listing::{Limit, Source};

const SECRET: &str = "the secret";

/// How the stand-in answers an action with its parameters: status and body.
type Answer = fn(&str, &Value) -> (StatusCode, String);

/// Starts a stand-in for as long as the test's runtime lives, and returns the flags that lead to it.
async fn stand_in(answer: Answer) -> Connection {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(reply).with_state(answer);
    tokio::spawn(async { axum::serve(listener, app).await });
    let mut connection = Connection::of_data("nowhere".into(), "ap-guangzhou");
    connection.endpoint = Some(endpoint);
    connection.secret_id = Some("AKIDtest".into());
    connection.secret_key = Some(SECRET.into());
    connection
}

async fn reply(State(answer): State<Answer>, request: Request) -> (StatusCode, String) {
    let (parts, body) = request.into_parts();
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let request = HttpRequest {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.iter().map(header).collect(),
        body: body.to_vec(),
    };
    match Call::read(request) {
        Ok(Call::Api3(call)) => {
            assert_eq!(wire::auth::api3::verify(&call, SECRET, unix_seconds()), Ok(()));
            answer(&call.action, &call.params().unwrap())
        }
        Ok(Call::V2(call)) => {
            assert_eq!(wire::auth::v2::verify(&call, SECRET, unix_seconds()), Ok(()));
            answer(call.params.text("queueName").unwrap_or_default(), &Value::Null)
        }
        Ok(Call::None) | Err(_) => panic!("the client sent what no server reads"),
    }
}

fn client(connection: &Connection) -> Client {
    Client::new(connection.place(|_| None).ok().unwrap()).unwrap()
}

fn ok(body: Value) -> (StatusCode, String) {
    (StatusCode::OK, body.to_string())
}

#[tokio::test]
async fn a_reply_is_what_is_in_the_envelope() {
    let connection = stand_in(|action, params| ok(json!({"Response": {"Did": action, "With": params}}))).await;
    let params = json!({"JobId": "job-消息"});
    let reply = client(&connection).batch("DescribeJob", &params).await.unwrap();
    assert_eq!(reply, json!({"Did": "DescribeJob", "With": params}));
}

#[tokio::test]
async fn a_refusal_is_an_error_with_its_code() {
    let answer: Answer = |_, _| {
        let error = json!({"Code": "ResourceNotFound.Job", "Message": "none"});
        ok(json!({"Response": {"Error": error, "RequestId": "r"}}))
    };
    let error = client(&stand_in(answer).await).batch("DescribeJob", &json!({})).await.unwrap_err();
    assert!(error.is_refusal("ResourceNotFound.Job"), "{error}");
    assert_eq!(error.to_string(), "DescribeJob was refused: ResourceNotFound.Job: none (request r)");
}

#[tokio::test]
async fn what_is_no_reply_is_told_as_such() {
    let cases: [(Answer, &str); 3] = [
        (|_, _| (StatusCode::OK, "hello".into()), "expected value at line 1 column 1"),
        (|_, _| (StatusCode::OK, "{}".into()), "it has no `Response`"),
        (|_, _| (StatusCode::BAD_GATEWAY, "{}".into()), "its status is 502 Bad Gateway"),
    ];
    for (answer, why) in cases {
        let error = client(&stand_in(answer).await).tdmq("DescribeCmqTopics", &json!({})).await.unwrap_err();
        assert!(error.to_string().ends_with(&format!("that is not understood: {why}")), "{error}");
    }
}

#[tokio::test]
async fn a_queue_is_read_by_v2() {
    let answer: Answer = |queue, _| match queue {
        "empty" => ok(json!({"code": 7000, "message": "(10200)no message", "requestId": "1", "clientRequestId": 0})),
        _ => ok(json!({"code": 0, "message": "", "requestId": "1", "clientRequestId": 0, "msgBody": "@消息 &=+"})),
    };
    let client = client(&stand_in(answer).await);
    let message = client.v2("ReceiveMessage", &[("queueName", "full @&=+消")], Duration::ZERO).await.unwrap();
    assert_eq!(message, json!({"requestId": "1", "msgBody": "@消息 &=+"}));
    let error = client.v2("ReceiveMessage", &[("queueName", "empty")], Duration::ZERO).await.unwrap_err();
    assert!(error.is_refusal("7000"), "{error}");
}

#[tokio::test]
async fn nobody_there_is_told_with_its_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut connection = stand_in(|_, _| ok(Value::Null)).await;
    connection.endpoint = Some(listener.local_addr().unwrap().to_string());
    drop(listener);
    let error = client(&connection).batch("DescribeJobs", &json!({})).await.unwrap_err();
    let told = chain(&error);
    assert!(error.is_unreachable(), "{told}");
    assert!(told.starts_with("failed to reach the server at http://127.0.0.1:"), "{told}");
    assert_eq!(told.matches("Connection refused").count(), 1, "{told}");
    assert!(error.hint().unwrap().contains("herald serve"));
}

#[tokio::test]
async fn a_list_is_fetched_page_by_page() {
    let answer: Answer = |_, params| {
        let [offset, limit] = ["Offset", "Limit"].map(|field| params[field].as_u64().unwrap());
        assert!(limit <= 100);
        let page: Vec<u64> = (0..230).skip(offset as usize).take(limit as usize).collect();
        ok(json!({"Response": {"TotalCount": 230, "JobSet": page}}))
    };
    let jobs = Source { service: Service::Batch, action: "DescribeJobs", set: "JobSet", things: "jobs" };
    let cx = Context::new(stand_in(answer).await);
    for (limit, found) in [(1, 1), (100, 100), (230, 230), (999, 230)] {
        let reply = jobs.fetch(&cx, json!({}), &Limit { limit }).await.unwrap();
        let wanted: Vec<u64> = (0..found).collect();
        assert_eq!(reply, json!({"TotalCount": 230, "JobSet": wanted}));
    }
}
