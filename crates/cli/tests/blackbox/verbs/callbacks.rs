//! Callbacks to receivers that fail in every way, and what a subscription may ask for beyond CMQ.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::Client;
use crate::support::receiver::{Callback, Receiver};
use crate::support::rogue::Rogue;
use crate::support::server::Server;
use crate::support::wait;

/// A receiver has 1.5 s to answer.
const HASTY: &str = "[push]\ntimeout_ms = 1500\n";

/// The subscription `name` of the topic `news`.
fn shown(server: &Server, name: &str) -> Value {
    server.says(&format!("sub show news {name} --json")).json()
}

/// Waits until the subscription is as `right` has it.
fn until(server: &Server, name: &str, what: &str, right: impl Fn(&Value) -> bool) -> Value {
    wait::until(&format!("{name}: {what}"), || Some(shown(server, name)).filter(|view| right(view)))
}

fn tell(mut connection: &TcpStream, text: &str) {
    // Who is told may be gone.
    let _ = connection.write_all(text.as_bytes());
}

fn bodies(posts: &[Callback]) -> Vec<&str> {
    posts.iter().map(|post| post.body.as_str()).collect()
}

/// Sends bytes for as long as somebody reads them, and no more than so many.
fn flood(mut connection: &TcpStream, chunk: &[u8], bytes: usize) {
    let mut sent = 0;
    while sent < bytes && connection.write_all(chunk).is_ok() {
        sent += chunk.len();
    }
}

#[test]
fn each_way_to_fail_is_told_and_slows_nobody_else() {
    let server = Server::start_with(HASTY);
    server.says("topic create news").one_line();
    let (good, away) = (Receiver::start(), Receiver::start());
    let elsewhere = format!("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", away.url("/"));
    let rogues = [
        ("refuses", Rogue::start(|_, connection| tell(connection, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"))),
        ("hangs", Rogue::start(|_, _| std::thread::sleep(Duration::from_secs(600)))),
        ("closes", Rogue::start(|_, _| {})),
        ("redirects", Rogue::start(move |_, connection| tell(connection, &elsewhere))),
        (
            "boasts",
            Rogue::start(|_, connection| {
                tell(connection, "HTTP/1.1 500 No\r\n");
                flood(connection, b"x-boast: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 100_000_000);
            }),
        ),
        (
            "drips",
            Rogue::start(|_, mut connection| {
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".iter().cycle() {
                    std::thread::sleep(Duration::from_millis(300));
                    if connection.write_all(&[*byte]).is_err() {
                        return;
                    }
                }
            }),
        ),
        (
            "floods",
            Rogue::start(|_, connection| {
                tell(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
                flood(connection, &[b'x'; 65_536], 100_000_000);
            }),
        ),
        ("babbles", Rogue::start(|_, connection| tell(connection, "What do you want?\r\n\r\n"))),
    ];
    for (name, rogue) in &rogues {
        server.says(&format!("sub create news {name} --http {}", rogue.url())).one_line();
    }
    server.says("sub create news private --http http://169.254.169.254/latest/").one_line();
    server.says(&format!("sub create news good --http {} --format simplified", good.url("/"))).one_line();
    for number in 0..20 {
        server.says(&format!("topic publish news {number}")).one_line();
    }
    good.wait_for("each message", |posts| (posts.len() == 20).then_some(()));
    assert_eq!(good.arrived().len(), 20, "once each");

    let status = |name: &str, status: u16| until(&server, name, "the status", |view| view["LastStatus"] == status);
    let error = |name: &str, part: &str| {
        until(&server, name, part, |view| view["LastError"].as_str().is_some_and(|error| error.contains(part)));
    };
    status("refuses", 500);
    status("redirects", 302);
    error("hangs", "no answer within 1500 ms");
    error("drips", "no answer within 1500 ms");
    error("private", "169.254.169.254 may not be posted to");
    for name in ["closes", "boasts", "babbles"] {
        until(&server, name, "an error", |view| view["LastError"].as_str().is_some_and(|error| !error.is_empty()));
    }
    until(&server, "floods", "all are delivered", |view| view["MsgCount"] == 0 && view["FailureCount"] == 0);
    assert!(away.arrived().is_empty(), "no redirect is followed");
}

#[test]
fn gone_pauses_a_subscription_and_its_backlog_waits_for_its_resumption() {
    let server = Server::start();
    server.says("topic create news").one_line();
    let receiver = Receiver::answering(|number| if number == 1 { 410 } else { 200 });
    let url = receiver.url("/");
    server.says(&format!("sub create news hook --http {url} --format simplified --strategy backoff_retry")).one_line();
    for text in ["a", "b", "c"] {
        server.says(&format!("topic publish news {text}")).one_line();
    }
    let paused = until(&server, "hook", "it is paused", |view| view["State"] == "PAUSED");
    assert_eq!(
        (&paused["StateReason"], &paused["LastStatus"], &paused["MsgCount"]),
        (&json!("GONE"), &json!(410), &json!(2))
    );
    server.says("sub show news hook").assert_printed(&["PAUSED by GONE since ", "1, the last: 410"]);
    assert_eq!(bodies(&receiver.arrived()), ["a", "b"], "nothing follows");
    server.says("sub resume news hook").assert_told("subscription hook of news is resumed");
    receiver.wait_for("the backlog", |posts| (bodies(posts) == ["a", "b", "b", "c"]).then_some(()));

    server.says("sub pause news hook").assert_told("subscription hook of news is paused");
    server.says("topic publish news d").one_line();
    assert_eq!(shown(&server, "hook")["StateReason"], "ASKED");
    server.says("sub resume news hook");
    receiver.wait_for("what was published meanwhile", |posts| (posts.last()?.body == "d").then_some(()));
    assert_eq!(receiver.arrived().len(), 5, "once");
}

#[test]
fn a_receiver_that_asks_for_a_pause_gets_it() {
    let server = Server::start();
    server.says("topic create news").one_line();
    let receiver = Rogue::start(|number, connection| {
        let status = if number == 0 { "429 Slow\r\nRetry-After: 3" } else { "200 OK" };
        tell(connection, &format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    });
    server.says(&format!("sub create news hook --http {} --concurrency 1", receiver.url())).one_line();
    server.says("topic publish news a").one_line();
    let held = until(&server, "hook", "it is held", |view| view["State"] == "HELD");
    assert_eq!((&held["StateReason"], &held["LastStatus"]), (&json!("RETRY_AFTER"), &json!(429)));
    server.says("topic publish news b").one_line();
    until(&server, "hook", "both are delivered", |view| view["MsgCount"] == 0);
    let arrivals = receiver.arrivals();
    assert_eq!(arrivals.len(), 3);
    let pause = arrivals[1] - arrivals[0];
    assert!(pause >= Duration::from_millis(2_900), "the next came after {pause:?}");
}

#[test]
fn an_open_circuit_survives_a_kill_and_a_probe_closes_it() {
    let mut server = Server::start();
    server.says("topic create news").one_line();
    let well = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = well.clone();
    let receiver = Receiver::answering(move |_| if now.load(std::sync::atomic::Ordering::SeqCst) { 200 } else { 503 });
    let url = receiver.url("/");
    let line = format!("sub create news hook --http {url} --concurrency 1 --circuit 2 --circuit-pause 2");
    server.says(&line).one_line();
    for text in ["a", "b", "c"] {
        server.says(&format!("topic publish news {text}")).one_line();
    }
    until(&server, "hook", "the circuit is open", |view| view["State"] == "BROKEN");
    assert_eq!(shown(&server, "hook")["StateReason"], "CIRCUIT");
    server.kill9();
    server.restart();
    assert_eq!(shown(&server, "hook")["State"], "BROKEN");
    well.store(true, std::sync::atomic::Ordering::SeqCst);
    let healed = until(&server, "hook", "all are delivered", |view| view["MsgCount"] == 0);
    assert_eq!((&healed["State"], &healed["FailureCount"]), (&json!("ACTIVE"), &json!(0)));
}

#[test]
fn signatures_are_those_of_standard_webhooks_also_while_a_secret_is_rotated() {
    let server = Server::start();
    server.says("topic create news").one_line();
    let receiver = Receiver::start();
    let made = server.says(&format!("sub create news hook --http {} --sign --json", receiver.url("/"))).json();
    let first = made["SignatureSecret"].as_str().expect("the secret that was made").to_owned();
    server.says("topic publish news a").one_line();
    let post = receiver.wait_for("the post", |posts| posts.first().cloned());
    assert_eq!(post.header("authorization"), None);
    assert!(is_signed(&post, &first));
    let second = server.says("sub rotate-secret news hook --keep 3600").one_line();
    server.says("topic publish news b").one_line();
    let post = receiver.wait_for("the post", |posts| posts.get(1).cloned());
    assert!(is_signed(&post, &first) && is_signed(&post, &second), "both are valid");
    let third = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let told = server.says(&format!("sub rotate-secret news hook --secret {third} --keep 0")).one_line();
    assert_eq!(told, third);
    server.says("topic publish news c").one_line();
    let post = receiver.wait_for("the post", |posts| posts.get(2).cloned());
    assert!(is_signed(&post, third) && !is_signed(&post, &second), "the old one is over");
    assert_eq!(shown(&server, "hook")["Signature"], "STANDARD_WEBHOOKS");
}

/// Whether the reference library of Standard Webhooks takes the post.
fn is_signed(post: &Callback, secret: &str) -> bool {
    let mut headers = http::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let value = post.header(name).expect(name);
        headers.insert(name, value.parse().expect("a header's value"));
    }
    let webhook = standardwebhooks::Webhook::new(secret).expect("a secret of its form");
    webhook.verify(post.body.as_bytes(), &headers).is_ok()
}

#[test]
fn a_cloud_event_carries_a_clients_text_and_the_topics_own_events() {
    let server = Server::start();
    for line in ["topic create news", "topic create troubles"] {
        server.says(line).one_line();
    }
    let (receiver, bad) = (Receiver::start(), Receiver::answering(|_| 500));
    let url = receiver.url("/");
    server.says(&format!("sub create news hook --http {url} --format cloudevents")).one_line();
    server.says(&format!("sub create troubles watch --http {url} --format cloudevents")).one_line();
    let line = format!("sub create news bad --http {} --strategy backoff_retry --notify troubles", bad.url("/"));
    server.says(&line).one_line();
    for text in ["hello", r#"{"a":1}"#, "more"] {
        server.says(&format!("topic publish news {text} --tag x")).one_line();
    }
    let posts = receiver.wait_for("the posts", |posts| (posts.len() >= 3).then(|| posts.to_vec()));
    assert_eq!(posts[0].header("content-type"), Some("application/cloudevents+json; charset=utf-8"));
    let events: Vec<Value> = posts.iter().map(|post| serde_json::from_str(&post.body).expect("JSON")).collect();
    let of = |text: &Value| events.iter().find(|event| event["data"] == *text).expect("it has come").clone();
    let hello = of(&json!("hello"));
    assert_eq!(hello["source"], "/herald/ap-guangzhou/topics/news");
    assert_eq!(
        (&hello["specversion"], &hello["type"], &hello["tags"]),
        (&json!("1.0"), &json!("herald.message"), &json!("x"))
    );
    assert_eq!(of(&json!({"a": 1}))["datacontenttype"], "application/json");

    let failing = receiver.wait_for("the subscription's own event", |posts| {
        let events = posts.iter().filter_map(|post| serde_json::from_str::<Value>(&post.body).ok());
        events.into_iter().find(|event| event["type"] == "herald.SUBSCRIPTION_FAILING")
    });
    assert_eq!((&failing["subject"], &failing["sequence"]), (&json!("news/bad"), &json!("1")));
    assert_eq!(failing["data"]["Batch"]["LastStatus"], 500);
    assert!(failing["id"].as_str().is_some_and(|id| id.starts_with("evt-")), "{failing}");
}

#[test]
fn what_is_given_up_goes_to_the_queue_for_dead_letters_and_is_told() {
    let server = Server::start();
    for line in ["topic create news --retention 60", "topic create troubles", "queue create dead", "queue create told"]
    {
        server.says(line).one_line();
    }
    server.says("sub create troubles keep --queue told").one_line();
    let bad = Receiver::answering(|_| 503);
    let line = format!("sub create news hook --http {} --dead-letters dead --notify troubles", bad.url("/"));
    server.says(&line).one_line();
    let id = server.says("topic publish news lost").one_line();
    server.says("queue delete dead").assert_failed(1, &["news/hook"]);
    let letter = received(&server, "dead");
    assert_eq!(letter, "lost");
    let mut names = Vec::new();
    while names.len() < 2 {
        let text = received(&server, "told");
        let event: Value = serde_json::from_str(&text).expect("an event");
        let event = &event["Events"][0];
        assert_eq!(
            (&event["Sequence"], &event["Batch"]["SubscriptionName"]),
            (&json!(names.len() + 1), &json!("hook"))
        );
        if event["EventName"] == "DELIVERY_DEAD" {
            assert_eq!((&event["Batch"]["MsgId"], &event["Batch"]["LastStatus"]), (&json!(id), &json!(503)));
        }
        names.push(event["EventName"].as_str().expect("a name").to_owned());
    }
    assert_eq!(names, ["SUBSCRIPTION_FAILING", "DELIVERY_DEAD"]);
}

#[test]
fn an_update_changes_what_it_names_and_tells_the_secret_it_made() {
    let server = Server::start();
    server.says("topic create news").one_line();
    server.says("sub create news hook --http http://h/ --order job --format simplified").one_line();
    let secret = server.says("sub update news hook --rate 5 --circuit 3 --sign").one_line();
    assert!(secret.starts_with("whsec_"), "{secret}");
    let view = shown(&server, "hook");
    let numbers = [&view["RateLimit"], &view["CircuitFailures"], &view["CircuitSeconds"]];
    assert_eq!(numbers, [&json!(5), &json!(3), &json!(30)]);
    let words = [&view["DeliveryOrder"], &view["NotifyContentFormat"], &view["Signature"]];
    assert_eq!(words, [&json!("JOB"), &json!("SIMPLIFIED"), &json!("STANDARD_WEBHOOKS")]);
    server.says("sub update news hook --no-sign --circuit 0").assert_told("subscription hook of topic news is changed");
    let view = shown(&server, "hook");
    assert_eq!(
        (&view["Signature"], &view["CircuitFailures"], &view["RateLimit"]),
        (&json!("NONE"), &json!(0), &json!(5))
    );
}

/// The next text of a queue, as soon as there is one.
fn received(server: &Server, queue: &str) -> String {
    wait::until(&format!("a message in {queue}"), || {
        let said = server.says(&format!("queue receive {queue} --wait 20 --ack"));
        // It ends with 1 when there was none.
        (said.status == Some(0)).then(|| said.one_line())
    })
}

#[test]
fn what_cannot_be_had_is_refused_by_name() {
    let server = Server::start();
    for line in ["topic create news", "queue create inbox"] {
        server.says(line).one_line();
    }
    let table = [
        ("--queue inbox --rate 5", "fills a queue"),
        ("--http http://h/ --rate 10001", "RateLimit: it must be a number from 0 to 10000"),
        ("--http http://h/ --concurrency 65", "Concurrency: it must be a number from 0 to 64"),
        (
            "--http http://h/ --dead-letters nowhere",
            "DeadLetterQueueName: queue `nowhere` for dead letters does not exist",
        ),
        ("--http http://h/ --notify nowhere", "topic `nowhere` does not exist"),
        ("--http http://h/ --circuit-pause 5", "CircuitSeconds"),
        ("--http http://h/ --secret whsec_c2hvcnQ=", "SignatureSecret: it must be whsec_ and 24 to 64 bytes in Base64"),
        ("--http http://user:password@h/", "Endpoint"),
        ("--queue inbox --format cloudevents", "SIMPLIFIED"),
    ];
    for (flags, part) in table {
        server.says(&format!("sub create news hook {flags}")).assert_failed(1, &[part]);
    }
    server.says("sub create news hook --http http://h/").one_line();
    server.says("sub rotate-secret news hook").assert_failed(1, &["does not sign its posts"]);
    server.says("sub pause news nobody").assert_failed(1, &["nobody"]);
}
