//! Calls of actions with anything, on a server without loops: answered, or refused in words, and never by the server's
//! own fault.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::Value;
use server::bare::Running;
use tokio::runtime::Runtime;
use wire::request::HttpRequest;

use crate::plain;

/// Calls in one input; more are not made.
const CALLS: usize = 8;
/// How long a call may wait for a message: in the end it would get none.
const WAIT: Duration = Duration::from_millis(20);
/// How long one may take that is not to wait, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// After so many calls a server with nothing in it takes over.
const SERVED: usize = 400;
/// What a signed call of CMQ v2 brings along.
const SIGNED: &str = "&SecretId=AKIDfuzz&Nonce=1&Timestamp=1795290714&Signature=eA%3D%3D";
/// The versions of the products, by the words that stand before their actions.
const VERSIONS: [(&str, &str); 4] =
    [("batch", "2017-03-12"), ("tdmq", "2020-02-17"), ("cmq3", "2019-03-04"), ("herald", "2026-11-01")];

/// What there is at first, so that calls find something: each call, and which field of its answer is an id that later
/// calls name by a word.
const PREPARED: [(&str, Option<(&str, &str)>); 9] = [
    (r#"tdmq.CreateCmqTopic {"TopicName": "job-message"}"#, None),
    (r#"tdmq.CreateCmqQueue {"QueueName": "inbox"}"#, None),
    (
        r#"tdmq.CreateCmqSubscribe {"TopicName": "job-message", "SubscriptionName": "to-inbox", "Protocol": "queue",
        "Endpoint": "inbox"}"#,
        None,
    ),
    (
        r#"batch.CreateComputeEnv {"Placement": {"Zone": "ap-guangzhou-2"}, "ComputeEnv": {"EnvName": "e",
        "DesiredComputeNodeCount": 1, "EnvData": {"InstanceTypes": ["S5.SMALL1"]}}}"#,
        Some(("$env", "/EnvId")),
    ),
    (r#"batch.DescribeComputeEnv {"EnvId": "$env"}"#, Some(("$node", "/ComputeNodeSet/0/ComputeNodeId"))),
    (
        r#"batch.SubmitJob {"Placement": {"Zone": "ap-guangzhou-2"}, "Job": {"Tasks": [{"TaskName": "a", "EnvId": "$env",
        "Application": {"DeliveryForm": "LOCAL", "Command": "true"}}], "Notifications": [{"TopicName": "job-message",
        "EventConfigs": [{"EventName": "JOB_RUNNING"}]}]}}"#,
        Some(("$job", "/JobId")),
    ),
    (
        r#"batch.CreateTaskTemplate {"TaskTemplateName": "n", "TaskTemplateInfo": {"TaskName": "a", "EnvId": "$env",
        "Application": {"DeliveryForm": "LOCAL", "Command": "true"}}}"#,
        Some(("$template", "/TaskTemplateId")),
    ),
    (r#"herald.CreateAccessKey {"Roles": ["admin"]}"#, Some(("$key", "/SecretId"))),
    (r#"tdmq.SendCmqMsg {"QueueName": "inbox", "MsgContent": "hello", "DelaySeconds": 0}"#, None),
];

/// A server, the calls that were made to it, and what words in calls stand for.
struct Served {
    running: Running,
    runtime: Runtime,
    calls: Vec<String>,
    words: Vec<(&'static str, String)>,
}

thread_local! {
    static SERVED_HERE: RefCell<Option<Served>> = const { RefCell::new(None) };
}

/// Lines, each a call: `tdmq.CreateCmqQueue {"QueueName": "q"}`, or `v2 Action=CreateQueue&queueName=q`.
///
/// # Panics
/// Where a call is answered with the server's own fault or a refusal without words; the message has all calls that led
/// there.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    SERVED_HERE.with_borrow_mut(|here| {
        for call in text.lines().take(CALLS) {
            let served = here.get_or_insert_with(Served::new);
            served.call(call, WAIT);
            if served.calls.len() >= SERVED {
                *here = None;
            }
        }
    });
}

impl Served {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut served = Self { running: Running::start(), runtime, calls: Vec::new(), words: Vec::new() };
        for (call, id) in PREPARED {
            let answer = served.call(call, PATIENCE).expect("a prepared call is well-formed");
            let answer = answer.unwrap_or_else(|(code, message)| panic!("{call}: {code}: {message}"));
            if let Some((word, place)) = id {
                let id = answer.pointer(place).and_then(Value::as_str);
                served.words.push((word, id.unwrap_or_else(|| panic!("{call}: {answer}")).to_owned()));
            }
        }
        served
    }

    /// Makes a call; `None` where it is none, or would have waited.
    fn call(&mut self, call: &str, wait: Duration) -> Option<Result<Value, (String, String)>> {
        let call = self.words.iter().fold(call.to_owned(), |call, (word, id)| call.replace(word, id));
        let request = request(&call)?;
        self.calls.push(call);
        let answer = self.running.answer(request);
        let answer = self.runtime.block_on(async { tokio::time::timeout(wait, answer).await });
        let answer = answer.ok().flatten();
        if let Some(Err((code, message))) = &answer {
            let own_fault = code.starts_with("InternalError") || (code == "6000" && message.starts_with("(10050)"));
            assert!(
                !own_fault && !code.is_empty() && !message.is_empty(),
                "{code}: {message}\n{}",
                self.calls.join("\n")
            );
        }
        answer
    }
}

/// The request of a line; `None` where it does not begin like one.
fn request(line: &str) -> Option<HttpRequest> {
    let (action, with) = line.split_once(' ').unwrap_or((line, "{}"));
    if action == "v2" {
        return Some(plain::form(&format!("{with}{SIGNED}")));
    }
    let (product, action) = action.split_once('.')?;
    let (_, version) = VERSIONS.iter().find(|(name, _)| *name == product)?;
    // Only well-formed bodies go past the reading, which the target `request` has.
    let body = serde_json::from_str::<Value>(with).ok()?.to_string();
    let credential = "AKIDfuzz/2026-11-21/batch/tc3_request";
    let authorization = format!(
        "TC3-HMAC-SHA256 Credential={credential}, SignedHeaders=content-type;host, Signature={}",
        "0".repeat(64)
    );
    let headers = [
        ("host", "127.0.0.1:7400"),
        ("content-type", "application/json"),
        ("authorization", &authorization),
        ("x-tc-action", action),
        ("x-tc-version", version),
        ("x-tc-timestamp", "1795290714"),
    ];
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Some(HttpRequest {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers,
        body: body.into_bytes(),
    })
}
