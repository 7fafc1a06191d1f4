//! What a subscription asks for beyond CMQ: taken, changed, refused; its own events; its dead letters; its pause.

use std::sync::Arc;

use crate::command::{Command, DeliveryRecord, NewSubscription, Refusal, SubscriptionEdit};
use crate::decide::message::tests::{SETTINGS, message, to_http, to_queue};
use crate::delivery::{Attempt, Delivery, DeliveryKey, DeliveryStage, Outcome};
use crate::event::{Event, EventName, Owner, Subject};
use crate::id::SubscriptionId;
use crate::queue::QueueSettings;
use crate::subscription::{
    CircuitRule, Format, Manner, MannerEdit, Order, PauseReason, Secret, Signing, Stage, Subscription, SubscriptionKey,
};
use crate::testing::World;
use crate::topic::TopicMessage;

fn with(manner: MannerEdit) -> NewSubscription {
    NewSubscription { manner, ..to_http("t", "s") }
}

fn edit(manner: MannerEdit) -> Command {
    let edit = SubscriptionEdit { manner, ..SubscriptionEdit::default() };
    Command::ModifySubscription { topic: "T".into(), name: "S".into(), edit: Box::new(edit) }
}

fn record(key: SubscriptionKey) -> DeliveryRecord {
    let (put, cleared, attempts, quiet) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    DeliveryRecord { key, cursor: 0, put, cleared, attempts, quiet, stage: None, texts: Vec::new() }
}

fn attempt(key: SubscriptionKey, seq: u64, status: u16) -> Arc<Attempt> {
    Arc::new(Attempt {
        key: DeliveryKey { subscription: key, seq },
        number: 1,
        at: crate::time::Timestamp(0),
        duration_ms: 1,
        address: "http://127.0.0.1:1/".into(),
        outcome: Outcome::Replied { status, body: String::new() },
    })
}

fn dead(key: SubscriptionKey, seq: u64) -> Delivery {
    Delivery { key: DeliveryKey { subscription: key, seq }, stage: DeliveryStage::Dead, attempts: 4 }
}

impl World {
    fn row(&self, key: SubscriptionKey) -> Arc<Subscription> {
        self.state.subscription(key).unwrap().clone()
    }

    /// Lets a push loop record attempts at message 1 with these statuses.
    fn fare(&mut self, key: SubscriptionKey, statuses: &[u16]) {
        let attempts = statuses.iter().map(|status| attempt(key, 1, *status)).collect();
        self.run(Command::RecordDeliveries(Box::new(DeliveryRecord { attempts, ..record(key) }))).unwrap();
    }

    /// The events of subscriptions: name, sequence, failures, status.
    fn troubles(&self) -> Vec<(EventName, u64, u32, Option<u16>)> {
        let told = |event: &Event| match &event.subject {
            Subject::Delivery(trouble) => Some((event.name, event.sequence, trouble.failures, trouble.last_status)),
            _ => None,
        };
        self.events.iter().filter_map(told).collect()
    }
}

#[test]
fn each_wish_is_kept_and_changes_alone() {
    let mut world = World::new(1);
    world.topic("t");
    world.topic("troubles");
    world.queue("dead", SETTINGS);
    let key = world.subscribe(with(MannerEdit::default())).key;
    assert_eq!(world.row(key).manner, Manner::default());
    let everything = MannerEdit {
        order: Some(Order::Job),
        posts_per_s: Some(5),
        concurrency: Some(2),
        retry_after: Some(false),
        pause_on_gone: Some(false),
        circuit_failures: Some(4),
        dead_letters: Some("DEAD".into()),
        notify: Some("Troubles".into()),
        ..MannerEdit::default()
    };
    world.run(edit(everything)).unwrap();
    let manner = world.row(key).manner.clone();
    assert_eq!((manner.order, manner.posts_per_s, manner.in_flight(64)), (Order::Job, 5, 2));
    assert_eq!(manner.circuit, Some(CircuitRule { failures: 4, pause_s: 30 }));
    assert_eq!((manner.notification_topic(), manner.notifications[0].events.len()), (Some("Troubles"), 3));
    world.run(edit(MannerEdit { circuit_pause_s: Some(9), ..MannerEdit::default() })).unwrap();
    let circuit = Some(CircuitRule { failures: 4, pause_s: 9 });
    assert_eq!(world.row(key).manner, Manner { circuit, ..manner.clone() }, "what is not named stays");
    let none = MannerEdit {
        circuit_failures: Some(0),
        dead_letters: Some(String::new()),
        notify: Some(String::new()),
        ..MannerEdit::default()
    };
    world.run(edit(none)).unwrap();
    let (dead_letters, notifications) = (None, Vec::new());
    assert_eq!(world.row(key).manner, Manner { circuit: None, dead_letters, notifications, ..manner });
}

#[test]
fn wishes_that_cannot_be_met_are_refused() {
    let mut world = World::new(2);
    world.topic("t");
    world.queue("q", SETTINGS);
    let none = MannerEdit::default;
    let no_queue = MannerEdit { dead_letters: Some("nowhere".into()), ..none() };
    let refused = |world: &mut World, new: NewSubscription| world.run(Command::Subscribe(Box::new(new))).unwrap_err();
    assert_eq!(refused(&mut world, with(no_queue)), Refusal::NoDeadLetterQueue("nowhere".into()));
    let no_topic = MannerEdit { notify: Some("nowhere".into()), ..none() };
    let path = "NotificationTopicName".to_owned();
    assert_eq!(refused(&mut world, with(no_topic)), Refusal::NoTopic { topic: "nowhere".into(), path });
    let no_circuit = MannerEdit { circuit_pause_s: Some(1), ..none() };
    assert_eq!(refused(&mut world, with(no_circuit)), Refusal::NoCircuit);
    let of_posts = NewSubscription { manner: MannerEdit { concurrency: Some(1), ..none() }, ..to_queue("t", "s", "q") };
    assert_eq!(refused(&mut world, of_posts), Refusal::ForPostsOnly("s".into()));
    let json = NewSubscription { format: Format::CloudEvents, ..to_queue("t", "s", "q") };
    assert_eq!(refused(&mut world, json), Refusal::QueueNeedsSimplified);
}

#[test]
fn what_dead_letters_and_events_go_to_cannot_be_deleted() {
    let mut world = World::new(3);
    world.topic("t");
    world.topic("troubles");
    world.queue("dead", SETTINGS);
    let manner =
        MannerEdit { dead_letters: Some("dead".into()), notify: Some("troubles".into()), ..MannerEdit::default() };
    let id = world.subscribe(with(manner)).id;
    let refused = world.run(Command::DeleteQueue { name: "dead".into() }).unwrap_err();
    assert_eq!(refused, Refusal::QueueInUse { queue: "dead".into(), by: "t/s".into() });
    let delete = Command::DeleteTopic { name: "troubles".into(), with_subscriptions: true };
    let refused = world.run(delete).unwrap_err();
    assert_eq!(refused, Refusal::TopicInUse { topic: "troubles".into(), by: id.to_string() });
}

#[test]
fn three_failures_running_are_told_once_and_the_first_success_after() {
    let mut world = World::new(4);
    world.topic("t");
    world.topic("troubles");
    world.publish("t", "x", &[], "").unwrap_err();
    let key = world.subscribe(with(MannerEdit { notify: Some("troubles".into()), ..MannerEdit::default() })).key;
    world.publish("t", "x", &[], "").unwrap();
    world.fare(key, &[500, 500, 200]);
    assert_eq!((world.troubles(), world.row(key).health.failures), (Vec::new(), 0), "two are none");
    world.fare(key, &[500, 502]);
    world.fare(key, &[503]);
    world.fare(key, &[504, 504]);
    assert_eq!(world.row(key).health.last_status, Some(504));
    world.fare(key, &[200, 200]);
    world.fare(key, &[500, 500, 500, 204]);
    let (failing, recovered) = (EventName::SubscriptionFailing, EventName::SubscriptionRecovered);
    let told = [
        (failing, 1, 3, Some(503)),
        (recovered, 2, 5, Some(504)),
        (failing, 3, 3, Some(500)),
        (recovered, 4, 3, Some(500)),
    ];
    assert_eq!(world.troubles(), told);
}

#[test]
fn a_given_up_message_is_told_and_goes_to_the_queue_with_its_row() {
    let mut world = World::new(5);
    let topic = world.topic("t");
    world.topic("troubles");
    let queue = world.queue("dead", QueueSettings { max_messages: 1, ..SETTINGS });
    let manner =
        MannerEdit { dead_letters: Some("dead".into()), notify: Some("troubles".into()), ..MannerEdit::default() };
    let key = world.subscribe(with(manner)).key;
    for _ in 0..3 {
        world.publish("t", "x", &[], "").unwrap();
    }
    let told = DeliveryRecord {
        cursor: 2,
        put: vec![dead(key, 1), dead(key, 2)],
        attempts: vec![attempt(key, 1, 503)],
        texts: vec![message(topic, 1, &[]), message(topic, 2, &[])],
        ..record(key)
    };
    world.run(Command::RecordDeliveries(Box::new(told))).unwrap();
    assert_eq!(world.bodies(queue), ["m1"], "a full queue takes none");
    let dead_event = EventName::DeliveryDead;
    assert_eq!(world.troubles(), [(dead_event, 1, 4, Some(503)), (dead_event, 2, 4, None)]);
    assert_eq!(world.state.deliveries.len(), 2, "kept all the same");
}

#[test]
fn what_happens_to_a_subscriptions_own_events_is_not_told() {
    let mut world = World::new(6);
    let topic = world.topic("t");
    let manner = MannerEdit { notify: Some("t".into()), ..MannerEdit::default() };
    let key = world.subscribe(with(manner)).key;
    world.publish("t", "x", &[], "").unwrap();
    let own =
        TopicMessage { owner: Some(Owner::Subscription(SubscriptionId::FIRST)), ..(*message(topic, 1, &[])).clone() };
    let told = DeliveryRecord {
        cursor: 1,
        put: vec![dead(key, 1)],
        attempts: vec![attempt(key, 1, 500), attempt(key, 1, 500), attempt(key, 1, 500)],
        quiet: vec![1],
        texts: vec![Arc::new(own)],
        ..record(key)
    };
    world.run(Command::RecordDeliveries(Box::new(told))).unwrap();
    assert_eq!((world.troubles(), world.row(key).health.failures), (Vec::new(), 0));
    assert_eq!(world.state.deliveries.len(), 1);
}

#[test]
fn a_pause_ends_only_on_request() {
    let mut world = World::new(7);
    world.topic("t");
    let key = world.subscribe(with(MannerEdit::default())).key;
    let pause = || Command::PauseSubscription { topic: "t".into(), name: "s".into() };
    let resume = || Command::ResumeSubscription { topic: "t".into(), name: "s".into() };
    let modified = world.row(key).modified;
    world.run(pause()).unwrap();
    let paused = Stage::Paused { why: PauseReason::Asked, since: world.now };
    assert_eq!(world.row(key).stage, paused);
    assert!(world.row(key).modified > modified, "its loop sees it");
    let before = world.changes.len();
    world.run(pause()).unwrap();
    let stage = Some(Stage::Active);
    world.run(Command::RecordDeliveries(Box::new(DeliveryRecord { stage, ..record(key) }))).unwrap();
    assert_eq!((world.changes.len(), world.row(key).stage), (before, paused));
    world.run(resume()).unwrap();
    assert_eq!(world.row(key).stage, Stage::Active);
    let gone = Stage::Paused { why: PauseReason::Gone, since: world.now };
    let stage = Some(gone);
    world.run(Command::RecordDeliveries(Box::new(DeliveryRecord { stage, ..record(key) }))).unwrap();
    assert_eq!(world.row(key).stage, gone, "a loop may pause");
}

#[test]
fn a_paused_queue_subscription_copies_nothing_and_gives_up_what_is_over() {
    let mut world = World::new(8);
    let topic = world.topic("t");
    let queue = world.queue("q", SETTINGS);
    let key = world.subscribe(to_queue("t", "s", "q")).key;
    world.publish("t", "x", &[], "").unwrap();
    world.run(Command::PauseSubscription { topic: "t".into(), name: "s".into() }).unwrap();
    let fan_out = || Command::FanOut { key, messages: vec![message(topic, 1, &[])], through: 1 };
    world.run(fan_out()).unwrap();
    assert_eq!((world.bodies(queue).len(), world.row(key).cursor), (0, 0));
    world.run(Command::ResumeSubscription { topic: "t".into(), name: "s".into() }).unwrap();
    world.run(fan_out()).unwrap();
    assert_eq!((world.bodies(queue).len(), world.row(key).cursor), (1, 1));
}

#[test]
fn a_rotated_secret_leaves_the_old_one_valid_for_its_time() {
    let mut world = World::new(9);
    world.topic("t");
    let rotate = |keep_s| Command::RotateSecret { topic: "t".into(), name: "s".into(), secret: None, keep_s };
    let key = world.subscribe(with(MannerEdit::default())).key;
    let refused = world.run(rotate(60)).unwrap_err();
    assert_eq!(refused, Refusal::NotSigned { topic: "t".into(), name: "s".into() });
    world.run(edit(MannerEdit { signing: Some(Signing::Drawn), ..MannerEdit::default() })).unwrap();
    let first = world.row(key).secrets.clone().unwrap();
    world.run(edit(MannerEdit { signing: Some(Signing::Drawn), ..MannerEdit::default() })).unwrap();
    assert_eq!(world.row(key).secrets, Some(first.clone()), "one that is drawn already stays");
    world.run(rotate(60)).unwrap();
    let second = world.row(key).secrets.clone().unwrap();
    assert_eq!(second.previous, Some((first.current.clone(), world.now.plus_s(60))));
    assert_ne!(second.current, first.current);
    world.run(rotate(0)).unwrap();
    assert_eq!(world.row(key).secrets.clone().unwrap().previous, None, "not valid a moment longer");
    let given = Secret::new(vec![5; 24]).unwrap();
    let signing = Some(Signing::Given(given.clone()));
    world.run(edit(MannerEdit { signing, ..MannerEdit::default() })).unwrap();
    assert_eq!(world.row(key).secrets.clone().unwrap().current, given);
    world.run(edit(MannerEdit { signing: Some(Signing::Off), ..MannerEdit::default() })).unwrap();
    assert_eq!(world.row(key).secrets, None);
}
