//! Streams over a ledger of their own: what is told, from where, and what is refused.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::bare::Running;
use crate::console::{Console, Logins};
use crate::keys::Keys;
use crate::topic_log::{Tail, TopicLog};

struct Scene {
    running: Running,
    router: Router,
    commits: watch::Sender<u64>,
    _stop: watch::Sender<bool>,
}

impl Scene {
    async fn new() -> Self {
        let mut running = Running::start();
        let keys = Arc::new(Keys::of("id", "word"));
        running.app.keys = keys.clone();
        let (commits, committed) = watch::channel(0);
        let (stop, stopping) = watch::channel(false);
        let app = running.app.clone();
        let log = TopicLog::new(app.readers.clone(), Arc::new(Tail::default()));
        let logins = Arc::new(Logins::new(keys, false));
        let gateway = Arc::default();
        let console = Console { app, logins, gateway, commits: committed, stopping, hosts: Arc::new([]) };
        let scene = Self { running, router: super::router(console, log), commits, _stop: stop };
        scene.call("2020-02-17", "CreateCmqTopic", json!({"TopicName": "news"})).await;
        // Without a subscriber nothing can be published.
        let subscriber = json!({"TopicName": "news", "SubscriptionName": "s", "Protocol": "http",
            "Endpoint": "http://127.0.0.1:9/"});
        scene.call("2020-02-17", "CreateCmqSubscribe", subscriber).await;
        scene
    }

    async fn call(&self, version: &str, action: &str, params: Value) -> Value {
        crate::api::call_within(&self.running.app, version, action, &params).await.unwrap()
    }

    async fn publish(&self, text: &str) {
        self.call("2020-02-17", "PublishCmqMsg", json!({"TopicName": "news", "MsgContent": text})).await;
        self.commits.send_modify(|count| *count += 1);
    }

    async fn ask(&self, query: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get(format!("/events?{query}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn stream(&self, query: &str, headers: &[(&str, &str)]) -> Stream {
        let headers = [&[("authorization", "Bearer id:word")], headers].concat();
        let response = self.ask(query, &headers).await;
        assert_eq!(response.status(), StatusCode::OK);
        Stream { body: response.into_body(), text: String::new(), begins_at: String::new() }
    }

    async fn refused(&self, query: &str, headers: &[(&str, &str)]) -> (StatusCode, String) {
        let response = self.ask(query, headers).await;
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }
}

struct Stream {
    body: Body,
    text: String,
    /// The place that it said it begins at.
    begins_at: String,
}

impl Stream {
    /// The next event: its id, its name, what it says.
    async fn next(&mut self) -> (String, String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = event.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    lines.next().unwrap_or_default().to_owned()
                };
                let (id, name, data) = (field("id"), field("event"), field("data"));
                self.text = rest.to_owned();
                if self.begins_at.is_empty() {
                    // It only tells the place.
                    assert!(name.is_empty() && data.is_empty(), "{name} {data}");
                    self.begins_at = id;
                    continue;
                }
                return (id, name, serde_json::from_str(&data).unwrap());
            }
            let frame = self.body.frame().await.expect("the stream goes on").unwrap();
            self.text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }
}

const BEARER: (&str, &str) = ("authorization", "Bearer id:word");

#[tokio::test]
async fn a_stream_begins_now_or_at_the_first_and_goes_on_where_it_was() {
    let scene = Scene::new().await;
    scene.publish("one").await;
    let mut now = scene.stream("topic=news", &[]).await;
    let mut first = scene.stream("topic=news&from=first", &[]).await;
    let mut lost = scene.stream("topic=news", &[]).await;
    scene.publish("two").await;
    let (id, name, said) = now.next().await;
    assert_eq!((name.as_str(), &said["MsgBody"], &said["Place"]), ("MESSAGE", &json!("two"), &json!(2)));
    assert_eq!(first.next().await.2["MsgBody"], "one");
    assert_eq!(first.next().await.0, id, "the same event has the same id");
    lost.next().await;
    let mut found = scene.stream(&format!("topic=news&last-event-id={}", lost.begins_at), &[]).await;
    assert_eq!(found.next().await.0, id, "a stream that was lost at its beginning");
    drop(now);
    scene.publish("three").await;
    for headers in [vec![("last-event-id", id.as_str())], Vec::new()] {
        let query = if headers.is_empty() { format!("topic=news&last-event-id={id}") } else { "topic=news".into() };
        let mut again = scene.stream(&query, &headers).await;
        assert_eq!(again.next().await.2["MsgBody"], "three");
    }
}

#[tokio::test]
async fn a_job_is_told_of_by_itself() {
    let scene = Scene::new().await;
    let told =
        json!([{"TopicName": "news", "EventConfigs": [{"EventName": "JOB_SUBMITTED"}, {"EventName": "JOB_FAILED"}]}]);
    let env = json!({"Placement": {"Zone": "ap-guangzhou-1"}, "ComputeEnv": {"EnvName": "e",
        "DesiredComputeNodeCount": 0, "EnvData": {"InstanceType": "S5.SMALL1"}}});
    let env = scene.call("2017-03-12", "CreateComputeEnv", env).await;
    let job = json!({"Placement": {"Zone": "ap-guangzhou-1"}, "Job": {"Notifications": told, "Tasks": [
        {"TaskName": "t", "EnvId": env["EnvId"], "Application": {"DeliveryForm": "LOCAL", "Command": "true"}}]}});
    let mut jobs = Vec::new();
    for _ in 0..2 {
        let made = scene.call("2017-03-12", "SubmitJob", job.clone()).await;
        jobs.push(made["JobId"].as_str().unwrap().to_owned());
    }
    scene.publish("a client's own").await;
    scene.call("2017-03-12", "TerminateJob", json!({"JobId": jobs[1]})).await;
    scene.commits.send_modify(|count| *count += 1);
    let mut all = scene.stream(&format!("job={}&from=first", jobs[1]), &[]).await;
    let told = [all.next().await, all.next().await].map(|(_, name, said)| (name, said["Sequence"].clone()));
    assert_eq!(told, [("JOB_SUBMITTED".to_owned(), json!(1)), ("JOB_FAILED".to_owned(), json!(2))]);
    let mut since = scene.stream(&format!("job={}&since=2&topic=news", jobs[1]), &[]).await;
    assert_eq!(since.next().await.1, "JOB_FAILED");
}

#[tokio::test]
async fn what_cannot_be_streamed_is_refused_with_the_reason() {
    let scene = Scene::new().await;
    scene.publish("one").await;
    for (query, headers, status, why) in [
        ("topic=news", vec![], 401, "log in"),
        ("topic=news", vec![("authorization", "Bearer id:other")], 401, "log in"),
        ("topic=news", vec![("authorization", "Bearer none:word")], 401, "log in"),
        ("topic=news", vec![("host", "evil.example")], 403, "name"),
        ("", vec![BEARER], 400, "name a job, an env or a topic"),
        ("topics=news", vec![BEARER], 400, "unknown field"),
        ("topic=none", vec![BEARER], 404, "topic: topic `none` does not exist"),
        ("job=job-00000000", vec![BEARER], 404, "job: job job-00000000 does not exist"),
        ("job=x", vec![BEARER], 400, "job: `x` is no id"),
        ("job=a&env=b", vec![BEARER], 400, "not both"),
        ("topic=news&since=1", vec![BEARER], 400, "since: "),
        ("topic=news&from=here", vec![BEARER], 400, "from: expected first or now"),
        ("topic=news", vec![BEARER, ("last-event-id", "x")], 400, "last-event-id: `x`"),
        ("topic=news&last-event-id=1:99", vec![BEARER], 400, "no message 99 yet"),
    ] {
        let query = query.replace("1:99", &format!("{}:99", topic_no(&scene)));
        let headers: Vec<(&str, &str)> = if headers.iter().any(|(name, _)| *name == "host") {
            headers
        } else {
            [vec![("host", "127.0.0.1")], headers].concat()
        };
        let (found, text) = scene.refused(&query, &headers).await;
        assert_eq!((found.as_u16(), text.contains(why)), (status, true), "{query}: {found} {text}");
    }
}

fn topic_no(scene: &Scene) -> u32 {
    scene.running.app.state().topic_named("news").unwrap().no.0
}

#[test]
fn a_sequence_that_is_no_longer_kept_is_gone_and_a_later_one_is_not() {
    for (since, first, gone) in [(1, 1, false), (0, 1, false), (1, 2, true), (5, 5, false), (5, 3, false), (5, 6, true)]
    {
        assert_eq!(super::is_gone(since, first), gone, "{since} {first}");
    }
}
