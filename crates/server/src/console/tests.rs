//! The pages over a ledger of their own: who is let in, what a form does, and that every page can be made.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt;

use super::call::{Product, call};
use super::{Console, Logins};
use crate::bare::Running;
use crate::keys::Keys;

const HERE: &str = "127.0.0.1:7400";

/// A console and somebody who looks at it.
struct Scene {
    running: Running,
    router: Router,
    cookie: String,
    token: String,
}

/// An answer: its status, where it leads, its text.
struct Answer {
    status: StatusCode,
    leads: String,
    cookie: String,
    text: String,
}

impl Scene {
    fn new() -> Self {
        let running = Running::start();
        let keys = Arc::new(Keys::of("id", "word").beside(&running.app));
        let mut running = running;
        running.app.keys = keys.clone();
        let logins = Arc::new(Logins::new(keys, false));
        let session = logins.log_in("id", "word", running.app.clock()).unwrap();
        let (_, commits) = watch::channel(0);
        let (_, stopping) = watch::channel(false);
        let (app, hosts) = (running.app.clone(), Arc::new([]));
        let router =
            super::router(Console { app, logins: logins.clone(), gateway: Arc::default(), commits, stopping, hosts });
        let cookie = session.set_cookie().split(';').next().unwrap().to_owned();
        let token = logins.form_token(&session, running.app.clock());
        Self { running, router, cookie, token }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let text = |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let (status, leads, cookie) = (response.status(), text(LOCATION), text(SET_COOKIE));
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, leads, cookie, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(HOST, HERE).header(COOKIE, &self.cookie);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.text
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(path, &[&[("form-token", self.token.as_str())], fields].concat(), &[]).await
    }

    async fn post_with(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = Request::post(path).header(COOKIE, &self.cookie);
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if headers.iter().all(|(name, _)| *name != "host") {
            request = request.header(HOST, HERE).header(ORIGIN, format!("http://{HERE}"));
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn call(&self, product: Product, action: &str, params: Value) -> Value {
        call(&self.running.app, product, action, params).await.unwrap_or_else(|error| panic!("{action}: {error}"))
    }

    /// A topic, a queue, two subscribers, an environment and a job that waits.
    async fn furnish(&self) -> (String, String) {
        let (topic, queue) = (json!({"TopicName": "news"}), json!({"QueueName": "inbox"}));
        self.call(Product::Tdmq, "CreateCmqTopic", topic).await;
        self.call(Product::Tdmq, "CreateCmqQueue", queue).await;
        for (name, protocol, endpoint) in [("to-inbox", "queue", "inbox"), ("to-office", "http", "http://127.0.0.1:9/")]
        {
            let params =
                json!({"TopicName": "news", "SubscriptionName": name, "Protocol": protocol, "Endpoint": endpoint});
            self.call(Product::Tdmq, "CreateCmqSubscribe", params).await;
        }
        self.call(Product::Tdmq, "PublishCmqMsg", json!({"TopicName": "news", "MsgContent": "hello"})).await;
        let zone = json!({"Zone": "ap-guangzhou-1"});
        let told = json!([{"TopicName": "news", "EventConfigs": [{"EventName": "COMPUTE_NODE_CREATED"}]}]);
        let env = json!({"Placement": zone, "ComputeEnv": {"EnvName": "render", "DesiredComputeNodeCount": 1,
            "EnvData": {"InstanceTypes": ["S5.SMALL1"]}, "Notifications": told}});
        let env = self.call(Product::Batch, "CreateComputeEnv", env).await["EnvId"].as_str().unwrap().to_owned();
        let task = |name: &str, count: u32| {
            json!({"TaskName": name, "TaskInstanceNum": count, "EnvId": env,
                "Application": {"DeliveryForm": "LOCAL", "Command": "true"}})
        };
        let job = json!({"Placement": zone, "Job": {"JobName": "<i>x", "Tasks": [task("a.b", 3), task("c", 1)],
            "Dependences": [{"StartTask": "a.b", "EndTask": "c"}],
            "Notifications": [{"TopicName": "news", "EventConfigs": [{"EventName": "JOB_SUBMITTED"}]}]}});
        let job = self.call(Product::Batch, "SubmitJob", job).await["JobId"].as_str().unwrap().to_owned();
        (env, job)
    }
}

#[tokio::test]
async fn nobody_is_shown_anything_without_a_session() {
    let mut scene = Scene::new();
    let (env, job) = scene.furnish().await;
    scene.cookie = "herald_session=1.aWQ.x".into();
    for path in pages(&env, &job) {
        let answer = scene.get(&path).await;
        assert_eq!((answer.status, answer.leads.as_str()), (StatusCode::SEE_OTHER, "/console/login"), "{path}");
        assert_eq!(answer.text, "", "{path}");
    }
    let answer = scene.post("/console/queues/inbox/delete", &[]).await;
    assert_eq!((answer.status, answer.leads.as_str()), (StatusCode::SEE_OTHER, "/console/login"));
    assert!(scene.running.app.state().queue_named("inbox").is_some());
}

#[tokio::test]
async fn a_key_pair_leads_in() {
    let scene = Scene::new();
    let wrong = scene.post_with("/console/login", &[("secret-id", "i<d"), ("secret-key", "no")], &[]).await;
    assert_eq!((wrong.status, wrong.cookie.as_str()), (StatusCode::OK, ""));
    assert!(
        wrong.text.contains("There is no such key pair") && wrong.text.contains("value=\"i&#60;d\""),
        "{}",
        wrong.text
    );
    let right = scene.post_with("/console/login", &[("secret-id", "id"), ("secret-key", "word")], &[]).await;
    assert_eq!((right.status, right.leads.as_str()), (StatusCode::SEE_OTHER, "/console/"));
    assert!(right.cookie.contains("HttpOnly; SameSite=Strict"), "{}", right.cookie);
    let out = scene.post("/console/logout", &[]).await;
    assert!(out.cookie.contains("Max-Age=0"), "{}", out.cookie);
}

#[tokio::test]
async fn a_key_pair_that_was_made_does_in_the_console_what_it_may() {
    let mut scene = Scene::new();
    let form = [("role", "read"), ("description", "<b>of ours"), ("topics", "a, b-*")];
    let told = scene.post("/console/keys/new", &form).await.text;
    assert!(told.contains("Told this once") && told.contains("topics a, b-*") && told.contains("&#60;b&#62;of ours"));
    let wrong = scene.post("/console/keys/new", &[("role", "owner")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text.contains("Roles.0: it must be one of"), "{}", wrong.text);
    let made = scene.call(Product::Herald, "CreateAccessKey", json!({"Roles": ["read"]})).await;
    let some = json!({"Roles": ["read"], "Queues": ["mine"]});
    let some = scene.call(Product::Herald, "CreateAccessKey", some).await;
    let pair = |reply: &Value| ["SecretId", "SecretKey"].map(|field| reply[field].as_str().unwrap().to_owned());
    let ([id, key], [some_id, some_key]) = (pair(&made), pair(&some));
    let login = |id: &str, key: &str| [("secret-id", id.to_owned()), ("secret-key", key.to_owned())];
    let fields = login(&some_id, &some_key);
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let limited = scene.post_with("/console/login", &fields, &[]).await;
    assert_eq!(limited.cookie, "", "the console shows everything, and it may not see that");

    let fields = login(&id, &key);
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let own = std::mem::take(&mut scene.cookie);
    scene.cookie = scene.post_with("/console/login", &fields, &[]).await.cookie.split(';').next().unwrap().to_owned();
    let page = scene.page("/console/queues/new").await;
    let token = page.split("name=\"form-token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let create = [("form-token", token), ("name", "q")];
    let refused = scene.post_with("/console/queues/new", &create, &[("host", HERE)]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
    assert!(refused.text.contains("this takes the role admin"), "{}", refused.text);
    assert!(scene.running.app.state().queue_named("q").is_none());
    // Its session ends with it.
    let readers = std::mem::replace(&mut scene.cookie, own);
    scene.post(&format!("/console/keys/{id}/disable"), &[]).await;
    scene.cookie = readers;
    assert_eq!(scene.get("/console/").await.leads, "/console/login");
}

#[tokio::test]
async fn what_did_not_come_from_a_page_of_the_console_changes_nothing() {
    let scene = Scene::new();
    scene.furnish().await;
    scene.call(Product::Tdmq, "CreateCmqQueue", json!({"QueueName": "spare"})).await;
    let path = "/console/queues/spare/delete";
    let good = [("form-token", scene.token.as_str())];
    let origin = format!("http://{HERE}");
    for (fields, headers) in [
        (&[][..], &[][..]),
        (&[("form-token", "x")], &[]),
        (&good, &[("host", "evil.example"), ("origin", "http://evil.example")]),
        (&good, &[("host", HERE), ("origin", "http://evil.example")]),
        (&good, &[("host", "evil.example"), ("origin", origin.as_str())]),
        (&good, &[("host", HERE), ("sec-fetch-site", "cross-site")]),
    ] {
        let answer = scene.post_with(path, fields, headers).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{fields:?} {headers:?}");
    }
    let get = scene.get(path).await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(scene.running.app.state().queue_named("spare").is_some());
    assert_eq!(scene.post(path, &[]).await.leads, "/console/queues");
    assert!(scene.running.app.state().queue_named("spare").is_none());
}

/// The address of every page.
fn pages(env: &str, job: &str) -> Vec<String> {
    let fixed = [
        "/console/",
        "/console/jobs",
        "/console/jobs?state=PENDING&name=x&from=0",
        "/console/jobs/new",
        "/console/jobs/new/form",
        "/console/environments",
        "/console/environments/new",
        "/console/topics",
        "/console/topics/new",
        "/console/topics/news",
        "/console/topics/news/subscribers/new",
        "/console/topics/news/subscribers/to-inbox",
        "/console/topics/news/subscribers/to-office?state=PENDING",
        "/console/topics/news/edit",
        "/console/topics/news/messages",
        "/console/topics/news/messages?before=2",
        "/console/topics/news/messages/1",
        "/console/topics/news/subscribers/to-office/edit",
        "/console/queues",
        "/console/queues/new",
        "/console/keys",
        "/console/keys/new",
        "/console/queues/inbox",
        "/console/queues/inbox/edit",
        "/console/queues/inbox/messages",
    ];
    let mut pages: Vec<String> = fixed.iter().map(ToString::to_string).collect();
    pages.push(format!("/console/environments/{env}"));
    for rest in ["", "/again", "/task?name=a.b", "/task?name=a.b&cells=2", "/instance?name=a.b&index=2"] {
        pages.push(format!("/console/jobs/{job}{rest}"));
    }
    pages
}

#[tokio::test]
async fn every_page_can_be_made() {
    let scene = Scene::new();
    let (env, job) = scene.furnish().await;
    for path in pages(&env, &job) {
        let page = scene.page(&path).await;
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("</html>"), "{path}");
        assert!(!page.contains("<i>"), "{path}: a name is text: {page}");
    }
    let page = scene.page(&format!("/console/jobs/{job}")).await;
    assert!(page.contains("&#60;i&#62;x") && page.contains("4 instances") && page.contains("Why it waits"), "{page}");
    assert!(page.contains("JOB_SUBMITTED") && page.contains("a.b"), "{page}");
    let missing = scene.get("/console/queues/none").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.text.contains("ResourceNotFound"), "{}", missing.text);
}

#[tokio::test]
async fn a_wrong_job_comes_back_with_the_field_at_fault_and_a_right_one_is_submitted() {
    let scene = Scene::new();
    let (env, _) = scene.furnish().await;
    let text = |count: &str| {
        format!(
            r#"{{"Tasks": [{{"TaskName": "t", "TaskInstanceNum": {count}, "EnvId": "{env}", // so many
            "Application": {{"DeliveryForm": "LOCAL", "Command": "true"}}}}]}}"#
        )
    };
    for (file, problem) in [
        (text("-1"), "Job.Tasks.0.TaskInstanceNum: "),
        (text("1").replace("TaskName", "TaskNam"), "Job.Tasks.0.TaskNam: not a parameter"),
        ("{".to_owned(), "Job: "),
    ] {
        let answer = scene.post("/console/jobs/new", &[("job", &file)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.text.contains(&format!("id=\"job-problem\">{problem}")), "{problem}: {}", answer.text);
        assert!(answer.text.contains(if file == "{" { "{</textarea>" } else { "// so many" }), "{}", answer.text);
    }
    let answer = scene.post("/console/jobs/new", &[("job", &text("2"))]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert!(scene.page(&answer.leads).await.contains("2 instances"));
    let terminated = scene.post(&format!("{}/terminate", answer.leads), &[]).await;
    assert_eq!(terminated.leads, answer.leads);
    assert!(scene.page(&answer.leads).await.contains("FAILED"));
}

#[tokio::test]
async fn topic_environment_and_queue_are_made_by_forms_alone() {
    let scene = Scene::new();
    let topic = [("name", "news"), ("filter", "1"), ("retention", "86400")];
    assert_eq!(scene.post("/console/topics/new", &topic).await.leads, "/console/topics/news");
    let again = scene.post("/console/topics/new", &topic).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    let queue = [("name", "inbox"), ("visibility", "x"), ("retention", "3600"), ("rewind", "0")];
    let refused = scene.post("/console/queues/new", &queue).await;
    assert!(refused.text.contains("id=\"visibility-problem\">VisibilityTimeout: `x` is no number"), "{}", refused.text);
    let queue = [("name", "inbox"), ("visibility", "30"), ("retention", "3600"), ("rewind", "0")];
    assert_eq!(scene.post("/console/queues/new", &queue).await.leads, "/console/queues/inbox");
    let env = [("name", "render"), ("type", "S5.SMALL1"), ("nodes", "1"), ("topic", "news"), ("events", "ALL")];
    let env = scene.post("/console/environments/new", &env).await;
    assert!(scene.page(&env.leads).await.contains("COMPUTE_NODE_RUNNING"));
    let both = [
        ("name", "s"),
        ("queue", "inbox"),
        ("address", "http://a/"),
        ("strategy", "BACKOFF_RETRY"),
        ("format", "JSON"),
    ];
    let refused = scene.post("/console/topics/news/subscribers/new", &both).await;
    assert!(refused.text.contains("id=\"address-problem\">Endpoint: a queue is chosen too"), "{}", refused.text);
    let one =
        [("name", "s"), ("queue", "inbox"), ("address", ""), ("strategy", "BACKOFF_RETRY"), ("filters", "red, blue")];
    assert_eq!(scene.post("/console/topics/news/subscribers/new", &one).await.leads, "/console/topics/news");
    assert!(scene.page("/console/topics/news").await.contains("red, blue"));
}

#[tokio::test]
async fn a_message_is_received_read_and_acknowledged() {
    let scene = Scene::new();
    scene.furnish().await;
    let text = BASE64.encode(r#"{"Events":[{"EventName":"JOB_FAILED"}]}"#);
    scene.post("/console/queues/inbox/send", &[("text", &text), ("delay", "0")]).await;
    let received = scene.post("/console/queues/inbox/receive", &[("most", "16")]).await;
    assert_eq!(received.status, StatusCode::OK);
    assert!(received.text.contains("&#34;EventName&#34;: &#34;JOB_FAILED&#34;"), "{}", received.text);
    assert!(received.text.contains(&text), "as it was sent, too");
    let handle = received.text.split("name=\"handle\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let acknowledged = scene.post("/console/queues/inbox/acknowledge", &[("handle", handle)]).await;
    assert_eq!(acknowledged.leads, "/console/queues/inbox");
    let again = scene.post("/console/queues/inbox/acknowledge", &[("handle", handle)]).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "it is gone");
    let none = scene.post("/console/queues/inbox/receive", &[("most", "1")]).await;
    assert!(none.text.contains("no message that can be received"), "{}", none.text);
}

#[tokio::test]
async fn a_job_of_one_task_is_filled_in_as_a_form() {
    let scene = Scene::new();
    let (env, _) = scene.furnish().await;
    let form = "/console/jobs/new/form";
    let given = [("name", "one"), ("command", "true"), ("env", &env), ("instances", "3"), ("topic", "news")];
    let made = scene.post(form, &given).await;
    let page = scene.page(&made.leads).await;
    assert!(page.contains("3 instances") && page.contains(">one "), "{page}");
    for (field, value, problem) in [
        ("instances", "many", "id=\"instances-problem\">Job.Tasks.0.TaskInstanceNum: `many` is no number"),
        ("command", "", "id=\"command-problem\">Job.Tasks.0.Application.Command"),
        ("retries", "1000", "id=\"retries-problem\">Job.Tasks.0.MaxRetryCount"),
    ] {
        let mut wrong = given.to_vec();
        wrong.retain(|(name, _)| *name != field);
        wrong.push((field, value));
        let refused = scene.post(form, &wrong).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(refused.text.contains(problem), "{field}: {}", refused.text);
    }
}

#[tokio::test]
async fn a_node_is_drained_and_undrained_and_nothing_else() {
    let scene = Scene::new();
    let (env, _) = scene.furnish().await;
    let page = format!("/console/environments/{env}");
    let node = scene.running.app.state().nodes().next().map(|node| node.id.to_string()).unwrap();
    for (deed, drained) in [("drain", true), ("dance", true), ("undrain", false), ("dance", false)] {
        assert_eq!(scene.post(&format!("{page}/nodes/{node}/{deed}"), &[]).await.leads, page);
        assert_eq!(scene.page(&page).await.contains(">DRAINED<"), drained, "{deed}");
    }
}

#[tokio::test]
async fn who_looks_at_messages_takes_none() {
    let scene = Scene::new();
    scene.furnish().await;
    scene.post("/console/queues/inbox/send", &[("text", "e30="), ("delay", "60")]).await;
    for _ in 0..2 {
        let page = scene.page("/console/queues/inbox/messages").await;
        assert!(
            page.contains("received 0 times, hidden until") && page.contains("<pre tabindex=\"0\">{}</pre>"),
            "{page}"
        );
    }
}

#[tokio::test]
async fn what_is_changed_is_shown_and_what_is_wrong_told_beside_its_field() {
    let scene = Scene::new();
    scene.furnish().await;
    let topic = [("retention", "3600"), ("size", "2048")];
    assert_eq!(scene.post("/console/topics/news/edit", &topic).await.leads, "/console/topics/news");
    assert!(scene.page("/console/topics/news").await.contains("3600 s"));
    let refused = scene.post("/console/topics/news/edit", &[("retention", "5"), ("size", "2048")]).await;
    assert!(refused.text.contains("id=\"retention-problem\">MsgRetentionSeconds"), "{}", refused.text);
    let queue = [("visibility", "7"), ("poll", "3"), ("retention", "3600"), ("size", "2048"), ("rewind", "0")];
    assert_eq!(scene.post("/console/queues/inbox/edit", &queue).await.leads, "/console/queues/inbox");
    assert!(scene.page("/console/queues/inbox").await.contains("<dd>7 s</dd>"));
    let subscriber = "/console/topics/news/subscribers/to-office";
    let given = [("filters", "red"), ("strategy", "BACKOFF_RETRY"), ("format", "SIMPLIFIED")];
    let changed = scene.post(&format!("{subscriber}/edit"), &given).await;
    assert_eq!(changed.leads, subscriber, "{}", changed.text);
    assert!(scene.page("/console/topics/news").await.contains("<td>red</td>"));
    assert!(scene.page(subscriber).await.contains("BACKOFF_RETRY"));
    let wrong = [("filters", ""), ("strategy", "NEVER"), ("format", "JSON")];
    let refused = scene.post(&format!("{subscriber}/edit"), &wrong).await;
    assert!(refused.text.contains("NotifyStrategy"), "{}", refused.text);
}

#[tokio::test]
async fn a_message_is_shown_with_its_deliveries() {
    let scene = Scene::new();
    scene.furnish().await;
    let page = scene.page("/console/topics/news/messages/1").await;
    assert!(page.contains("<pre tabindex=\"0\">hello</pre>") && page.contains("to-office"), "{page}");
    let missing = scene.get("/console/topics/news/messages/99").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_subscriber_is_paused_and_resumed() {
    let scene = Scene::new();
    scene.furnish().await;
    let path = "/console/topics/news/subscribers/to-office";
    assert_eq!(scene.post(&format!("{path}/pause"), &[]).await.leads, path);
    assert!(scene.page(path).await.contains("PAUSED"));
    scene.post(&format!("{path}/resume"), &[]).await;
    assert!(scene.page(path).await.contains("ACTIVE"));
    let message = scene.post(&format!("{path}/redeliver"), &[("message", "x")]).await;
    assert_eq!(message.status, StatusCode::BAD_REQUEST);
    assert!(message.text.contains("MsgIds.0: "), "{}", message.text);
}
