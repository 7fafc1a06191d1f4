//! `herald sub rewind` and `herald delivery redeliver`, also while the server is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::Client;
use crate::support::receiver::{Callback, Receiver};
use crate::support::server::Server;
use crate::support::wait;

/// Publishes texts to `news`, each `about` and a number; gives their ids.
fn publish(server: &Server, about: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| server.says(&format!("topic publish news {about}-{number}")).one_line()).collect()
}

/// The ids of messages that have arrived, by whether as replays.
fn ids(arrived: &[Callback], replays: bool) -> Vec<String> {
    let wanted = |callback: &&Callback| (callback.header("x-herald-replay") == Some("1")) == replays;
    let id = |callback: &Callback| callback.header("x-cmq-message-id").unwrap_or_default().to_owned();
    arrived.iter().filter(wanted).map(id).collect()
}

/// Waits until no replay of the subscription goes on; gives the newest.
fn ended(server: &Server, name: &str) -> Value {
    wait::until("the end of the replay", || {
        let shown = server.says(&format!("sub show news {name} --json")).json();
        let replays = shown["Progress"]["ReplaySet"].as_array().expect("a list").clone();
        let running = replays.iter().any(|replay| replay["State"] == "RUNNING");
        (!running && !replays.is_empty()).then(|| replays[0].clone())
    })
}

fn news_by_post(server: &Server, receiver: &Receiver) {
    server.says("topic create news").one_line();
    let line = format!("sub create news by-post --http {} --format SIMPLIFIED", receiver.url("/"));
    server.says(&line).one_line();
}

#[test]
fn a_rewound_subscription_gets_the_same_messages_once_more() {
    let (server, receiver) = (Server::start(), Receiver::start());
    news_by_post(&server, &receiver);
    let sent = publish(&server, "text", 5);
    receiver.wait_for("five posts", |arrived| (arrived.len() == 5).then_some(()));
    wait::until("the cursor", || {
        let shown = server.says("sub show news by-post --json").json();
        (shown["Progress"]["DonePlace"] == 5).then_some(())
    });
    server.says("sub rewind news by-post --to 2").assert_told("replay 1 of by-post goes from place 2 to 5");
    assert_eq!(ended(&server, "by-post")["Delivered"], 4);
    let again: BTreeSet<String> = ids(&receiver.arrived(), true).into_iter().collect();
    assert_eq!(again, sent[1..].iter().cloned().collect());
    server.says("sub show news by-post").assert_printed(&["REPLAY", "REWIND", "DONE", "5 of 5"]);

    server.says("sub rewind news by-post --to 1h --until 1 --rate 50").assert_told("from place 1 to 1");
    assert_eq!(ended(&server, "by-post")["Delivered"], 1);
    let shown = server.says(&format!("delivery show news by-post {} --json", sent[0])).json();
    assert_eq!((&shown["Attempts"], &shown["State"]), (&json!(2), &json!("DELIVERED")));
    server.says("sub rewind news by-post --to 9").assert_failed(1, &["nothing to replay from place 9 on"]);
    server.says("sub rewind news by-post --to 4 --until 2").assert_failed(1, &["UntilPlace"]);
    server.says("sub rewind news by-post --to soon").assert_failed(2, &["a place (a number)"]);
    server.says("sub rewind news by-post").assert_failed(2, &["--to"]);
    server.says("sub rewind news nobody --to 1").assert_failed(1, &["subscription `nobody`"]);

    // Slow enough to be seen and stopped: one a second.
    server.says("sub rewind news by-post --to 1 --rate 1").assert_told("from place 1 to 5");
    server.says("sub rewind news by-post --to 5").assert_failed(1, &["comes to some of these messages"]);
    server.says("sub rewind news by-post --stop").assert_told("stopped");
    assert_eq!(ended(&server, "by-post")["State"], "STOPPED");
    server.says("sub rewind news by-post --stop 99").assert_failed(1, &["no replay 99"]);
}

#[test]
fn a_message_is_delivered_once_more_by_hand() {
    let (server, receiver) = (Server::start(), Receiver::start());
    news_by_post(&server, &receiver);
    let sent = publish(&server, "text", 2);
    receiver.wait_for("two posts", |arrived| (arrived.len() == 2).then_some(()));
    wait::until("both delivered", || {
        let list = server.says("delivery list news by-post --state delivered --json").json();
        (list["DeliverySet"].as_array().map(Vec::len) == Some(2)).then_some(())
    });
    let line = format!("delivery redeliver news by-post --message {}", sent[1]);
    server.says(&format!("{line} --dry-run")).assert_told("1 deliveries would be made once more");
    server.says(&line).assert_told("1 deliveries are being made once more");
    assert_eq!(ended(&server, "by-post")["Kind"], "REDELIVER");
    assert_eq!(ids(&receiver.arrived(), true), sent[1..]);
    server.says("delivery redeliver news by-post --failed-since 1d").assert_told("0 deliveries are being made");
    server.says("delivery redeliver news by-post --message 7").assert_failed(1, &["MsgIds.0"]);
    server.says("delivery redeliver news by-post").assert_failed(2, &["--message"]);
}

/// What lies in the queue, with how often.
fn queued(server: &Server, most: usize) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for _ in 0..most {
        *found.entry(server.says("queue receive inbox --wait 20 --ack").one_line()).or_insert(0) += 1;
    }
    found
}

#[test]
#[expect(clippy::print_stderr, reason = "the seed is shown when the test fails")]
fn replays_and_live_messages_survive_kills() {
    const OLD: usize = 40;
    const KILLS: usize = 4;
    let seed = std::env::var("HERALD_KILL_SEED").map_or(20_261_125, |text| text.parse().expect("a number"));
    eprintln!("HERALD_KILL_SEED={seed}");
    let mut moments = StdRng::seed_from_u64(seed);
    // Every seventh post fails, so that some are to be tried again.
    let receiver = Receiver::answering(|number| if number % 7 == 3 { 500 } else { 200 });
    let mut server = Server::start();
    news_by_post(&server, &receiver);
    for line in ["queue create inbox --visibility 3600", "sub create news in-queue --queue inbox"] {
        server.says(line).one_line();
    }
    let old = publish(&server, "old", OLD);
    for name in ["by-post", "in-queue"] {
        wait::until("the cursor", || {
            let shown = server.says(&format!("sub show news {name} --json")).json();
            (shown["Progress"]["DonePlace"] == OLD).then_some(())
        });
        server.says(&format!("sub rewind news {name} --to 1 --rate 20")).assert_told("from place 1 to 40");
    }
    let mut acknowledged = Vec::new();
    for kill in 0..KILLS {
        for number in 0..moments.random_range(1..8) {
            acknowledged.extend(publish(&server, &format!("new-{kill}-{number}"), 1));
        }
        // Not waiting for anything: where in a commit the kill falls is what the seed is to vary.
        std::thread::sleep(Duration::from_micros(moments.random_range(0..100_000)));
        server.kill9();
        server.restart();
    }
    for name in ["by-post", "in-queue"] {
        let replay = ended(&server, name);
        let stood = (&replay["State"], &replay["NextPlace"], &replay["Failed"]);
        assert_eq!(stood, (&json!("DONE"), &json!(OLD + 1), &json!(0)), "{name}: {replay}");
    }
    let whole = |arrived: &[Callback], replays: bool, wanted: &[String]| {
        let there: BTreeSet<String> = ids(arrived, replays).into_iter().collect();
        wanted.iter().all(|id| there.contains(id)).then_some(())
    };
    receiver.wait_for("every replayed message", |arrived| whole(arrived, true, &old));
    receiver.wait_for("every acknowledged message", |arrived| whole(arrived, false, &acknowledged));
    let found = queued(&server, 2 * OLD + acknowledged.len());
    let twice = found.iter().filter(|(text, _)| text.starts_with("old-")).all(|(_, times)| *times == 2);
    let once = found.iter().filter(|(text, _)| text.starts_with("new-")).all(|(_, times)| *times == 1);
    assert!(twice && once && found.len() == OLD + acknowledged.len(), "{found:?}");
}
