//! Server and agents killed at any moment under a mixed load: jobs run, texts are published and posted, and messages are
//! received and deleted, all the time.
//!
//! Clients in threads of their own note what they were told, and the receiver what it got. At the end a judge who knows
//! these notes alone looks for what was lost or invented. `HERALD_KILL_ROUNDS` sets the number of kills,
//! `HERALD_KILL_SEED` the seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::support::field::Field;
use crate::support::receiver::Receiver;
use crate::support::requests::{running_environment, subscribe, topic_with_queue};
use crate::support::signed::Signed;
use crate::support::wait;

/// Agents that must show more often that they live; runs that are repeated at once.
const IMPATIENT: &str = "[nodes]\nbeat_ms = 100\nsilent_ms = 3000\n[jobs]\nretry_pause_s = 0\n";
const NODES: u64 = 3;
const INSTANCES: u64 = 120;
/// Kills during one job; more rounds take more jobs.
const KILLS_A_JOB: u64 = 10;
const TOPIC: &str = "load";

/// What the publisher was told of each text.
#[derive(Default)]
struct Notes {
    /// It was taken.
    taken: BTreeSet<String>,
    /// It was refused.
    refused: BTreeSet<String>,
    /// There was no answer.
    unknown: BTreeSet<String>,
}

/// What came out of the queue: each text, and how often it was received.
type Received = BTreeMap<String, u32>;

/// Clients that work as long as they are not told to stop.
struct Load {
    address: Arc<Mutex<String>>,
    stop: Arc<AtomicBool>,
    publisher: JoinHandle<Notes>,
    consumer: JoinHandle<Received>,
}

impl Load {
    fn start(field: &Field) -> Self {
        let address = Arc::new(Mutex::new(field.server.address().to_owned()));
        let stop = Arc::new(AtomicBool::new(false));
        let client = || (Signed::new(&field.server), address.clone(), stop.clone());
        let (publisher, consumer) = (client(), client());
        let publisher = std::thread::spawn(move || publish(publisher.0, &publisher.1, &publisher.2));
        let consumer = std::thread::spawn(move || consume(consumer.0, &consumer.1, &consumer.2));
        Self { address, stop, publisher, consumer }
    }

    fn turn_to(&self, address: &str) {
        address.clone_into(&mut self.address.lock().expect("no thread panics with the lock"));
    }

    fn end(self) -> (Notes, Received) {
        self.stop.store(true, Ordering::SeqCst);
        (self.publisher.join().expect("the publisher ends"), self.consumer.join().expect("the consumer ends"))
    }
}

fn publish(mut client: Signed, address: &Mutex<String>, stop: &AtomicBool) -> Notes {
    let mut notes = Notes::default();
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        client.turn_to(&address.lock().expect("no thread panics with the lock"));
        let text = format!("text {number}");
        let params = json!({"TopicName": TOPIC, "MsgContent": text});
        match client.try_call("tdmq", "PublishCmqMsg", &params) {
            Some(Ok(_)) => notes.taken.insert(text),
            Some(Err(_)) => notes.refused.insert(text),
            None => notes.unknown.insert(text),
        };
    }
    notes
}

fn consume(mut client: Signed, address: &Mutex<String>, stop: &AtomicBool) -> Received {
    let mut received = Received::new();
    while !stop.load(Ordering::SeqCst) {
        client.turn_to(&address.lock().expect("no thread panics with the lock"));
        receive(&client, &mut received);
    }
    received
}

/// Takes what is there, and deletes it. Whether there was anything.
fn receive(client: &Signed, received: &mut Received) -> bool {
    let batch = json!({"queueName": TOPIC, "numOfMsg": 16});
    let Some(Ok(reply)) = client.try_v2("BatchReceiveMessage", &batch) else { return false };
    let messages = reply["msgInfoList"].as_array().cloned().unwrap_or_default();
    let mut delete = json!({"queueName": TOPIC});
    for (at, message) in messages.iter().enumerate() {
        *received.entry(message["msgBody"].as_str().expect("a text").to_owned()).or_default() += 1;
        delete[format!("receiptHandle.{at}")] = message["receiptHandle"].clone();
    }
    // A deletion that is lost lets the messages come again.
    let _ = client.try_v2("BatchDeleteMessage", &delete);
    !messages.is_empty()
}

#[test]
#[expect(clippy::print_stderr, reason = "the seed is shown when the test fails")]
fn server_and_agents_are_killed_under_a_mixed_load_and_nothing_is_lost_or_invented() {
    let setting =
        |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (rounds, seed) = (setting("HERALD_KILL_ROUNDS", 20), setting("HERALD_KILL_SEED", 20_261_127));
    eprintln!("{rounds} kills, HERALD_KILL_SEED={seed}");
    let mut moments = StdRng::seed_from_u64(seed);
    let mut field = Field::start(IMPATIENT, NODES);
    let receiver = Receiver::start();
    topic_with_queue(&mut field.official, TOPIC, TOPIC);
    subscribe(&mut field.official, TOPIC, "by-post", "http", &receiver.url("/load"), "SIMPLIFIED");
    // What is received and not deleted comes again soon.
    let soon = json!({"QueueName": TOPIC, "VisibilityTimeout": 1});
    field.official.tdmq("ModifyCmqQueueAttribute", soon).expect("an attribute");
    let load = Load::start(&field);
    let mut left = rounds;
    while left > 0 {
        let kills = left.min(KILLS_A_JOB);
        job_with_kills(&mut field, &load, &mut moments, kills);
        left -= kills;
        // A node that is lost again and again is made anew after ever longer pauses, and at last no more.
        let spent = std::mem::replace(&mut field.env, running_environment(&mut field.official, NODES));
        field.official.batch("DeleteComputeEnv", json!({"EnvId": spent})).expect("no job is left in it");
    }
    let (notes, mut received) = load.end();
    let client = Signed::new(&field.server);
    let is_there = |received: &Received| notes.taken.iter().all(|text| received.contains_key(text));
    wait::until("every text that was taken, in the queue", || {
        let more = receive(&client, &mut received);
        (!more && is_there(&received)).then_some(())
    });
    let posted = receiver.wait_for("every text that was taken, as a post", |arrived| {
        let texts: BTreeSet<String> = arrived.iter().map(|callback| callback.body.clone()).collect();
        notes.taken.is_subset(&texts).then_some(texts)
    });
    judge(&notes, &received.keys().cloned().collect(), &posted);
    eprintln!(
        "{} texts were taken, {} refused, {} left without an answer; {} posts",
        notes.taken.len(),
        notes.refused.len(),
        notes.unknown.len(),
        receiver.arrived().len()
    );
}

/// Nothing that was taken is lost; nothing is there that was not sent, or that was refused.
fn judge(notes: &Notes, queued: &BTreeSet<String>, posted: &BTreeSet<String>) {
    assert!(!notes.taken.is_empty(), "nothing was published");
    for (place, found) in [("queue", queued), ("posts", posted)] {
        let lost: Vec<_> = notes.taken.difference(found).collect();
        assert!(lost.is_empty(), "lost in the {place}: {lost:?}");
        let invented: Vec<_> =
            found.iter().filter(|text| !notes.taken.contains(*text) && !notes.unknown.contains(*text)).collect();
        assert!(invented.is_empty(), "invented, or refused and there all the same, in the {place}: {invented:?}");
    }
}

/// Runs one job during which server and agents are killed so many times, and judges its events.
fn job_with_kills(field: &mut Field, load: &Load, moments: &mut StdRng, kills: u64) {
    let mut task = field.task("work", "sleep 0.0$((BATCH_TASK_INSTANCE_INDEX % 9))1", INSTANCES);
    task["MaxRetryCount"] = json!(100);
    let job = field.submit(&[task], json!({}));
    let step = usize::try_from(INSTANCES / (kills + 2)).expect("a count");
    let mut ended = 0;
    for _ in 0..kills {
        ended += moments.random_range(1..=step);
        field.job_events(&job, |log| log.count("TASK_INSTANCE_SUCCEED") >= ended);
        // Not waiting for anything: where in a commit the kill falls is what the seed is to vary.
        std::thread::sleep(Duration::from_micros(moments.random_range(0..40_000)));
        let agent = field.nodes().choose(moments).cloned().filter(|node| field.has_agent(node));
        let (agents, servers) =
            *[(true, false), (false, true), (false, true), (true, true)].choose(moments).expect("one");
        if let Some(node) = agent.filter(|_| agents) {
            field.signal_agent(&node, Signal::SIGKILL);
        }
        if servers {
            field.server.kill9();
            field.server.restart();
            field.official.turn_to(field.server.address());
            load.turn_to(field.server.address());
        }
    }
    let view = field.wait_for(&job, "SUCCEED");
    assert_eq!(view["TaskInstanceMetrics"]["SucceedCount"], INSTANCES, "{view}");
    let events = field.job_events(&job, |log| log.count("JOB_SUCCEED") == 1);
    events.assert_whole(events.names().len());
    assert_eq!(events.indexes("TASK_INSTANCE_SUCCEED"), (0..INSTANCES).collect::<Vec<_>>(), "each ended once");
    assert_eq!(events.count("TASK_INSTANCE_FAILED"), 0);
    let wrong = events.events().filter(|event| event["EventName"] == Value::Null).count();
    assert_eq!(wrong, 0, "an event without a name");
}
