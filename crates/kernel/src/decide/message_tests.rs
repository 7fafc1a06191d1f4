//! Tables of topics, subscriptions and queues: what they take, what they refuse, and who gets a message.

use std::sync::Arc;

use crate::change::What;
use crate::command::{Command, DeliveryRecord, NewSubscription, Refusal, Reply};
use crate::delivery::{Delivery, DeliveryKey, DeliveryStage};
use crate::event::EventName;
use crate::queue::{Handle, QueueMessage, QueueSettings};
use crate::subscription::{Endpoint, Format, MannerEdit, Strategy, Subscription, SubscriptionKey};
use crate::testing::{World, job, notify};
use crate::topic::{FilterType, StreamNo, TopicMessage};

pub(in crate::decide) const SETTINGS: QueueSettings = QueueSettings {
    max_messages: 100,
    polling_wait_s: 0,
    visibility_s: 30,
    max_msg_bytes: 1_024,
    retention_s: 3_600,
    rewind_s: 0,
    kept_max_bytes: 0,
    trace: false,
};

impl World {
    pub(in crate::decide) fn queue(&mut self, name: &str, settings: QueueSettings) -> StreamNo {
        self.run(new_queue(name, settings)).unwrap();
        self.state.queue_named(name).unwrap().no
    }

    pub(in crate::decide) fn send(&mut self, queue: &str, bodies: &[&str], delay_s: u64) -> Result<Reply, Refusal> {
        let bodies = bodies.iter().map(|body| (*body).into()).collect();
        self.run(Command::Send { queue: queue.into(), bodies, delay_s })
    }

    pub(in crate::decide) fn receive(&mut self, queue: &str, max: usize) -> Vec<Arc<QueueMessage>> {
        match self.run(Command::Receive { queue: queue.into(), max }) {
            Ok(Reply::Received(messages)) => messages,
            other => panic!("{other:?}"),
        }
    }

    pub(in crate::decide) fn delete(&mut self, queue: &str, handles: Vec<Handle>) -> Vec<bool> {
        match self.run(Command::DeleteMessages { queue: queue.into(), handles }) {
            Ok(Reply::Deleted(deleted)) => deleted,
            other => panic!("{other:?}"),
        }
    }

    pub(in crate::decide) fn routing_topic(&mut self, name: &str) -> StreamNo {
        let (name, filter) = (name.to_owned(), FilterType::Routing);
        self.run(new_topic(&name, filter)).unwrap();
        self.state.topic_named(&name).unwrap().no
    }

    pub(in crate::decide) fn subscribe(&mut self, new: NewSubscription) -> Arc<Subscription> {
        let (topic, name) = (new.topic.clone(), new.name.clone());
        self.run(Command::Subscribe(Box::new(new))).unwrap();
        let topic = self.state.topic_named(&topic).unwrap().no;
        self.state.subscriptions_of(topic).find(|row| row.name == name).unwrap().clone()
    }

    pub(in crate::decide) fn publish(
        &mut self,
        topic: &str,
        body: &str,
        tags: &[&str],
        key: &str,
    ) -> Result<Reply, Refusal> {
        let (topic, bodies) = (topic.to_owned(), vec![Arc::from(body)]);
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        self.run(Command::Publish { topic, bodies, tags, routing_key: key.into() })
    }

    /// What is in a queue, by place.
    pub(in crate::decide) fn bodies(&self, queue: StreamNo) -> Vec<String> {
        let Some(heap) = self.state.queue(queue).map(|queue| queue.heap) else { return Vec::new() };
        self.state.messages_of(heap).map(|message| message.body.to_string()).collect()
    }
}

pub(in crate::decide) fn new_queue(name: &str, settings: QueueSettings) -> Command {
    Command::CreateQueue { name: name.into(), settings, dead_letter: None, tags: Vec::new() }
}

fn new_topic(name: &str, filter: FilterType) -> Command {
    let (name, tags) = (name.to_owned(), Vec::new());
    Command::CreateTopic { name, filter, max_msg_bytes: 1_024, retention_s: 60, trace: false, tags }
}

pub(in crate::decide) fn to_queue(topic: &str, name: &str, queue: &str) -> NewSubscription {
    NewSubscription {
        topic: topic.into(),
        name: name.into(),
        endpoint: Endpoint::Queue { queue: StreamNo(0), name: queue.into() },
        strategy: Strategy::default(),
        format: Format::Simplified,
        filter_tags: Vec::new(),
        binding_keys: Vec::new(),
        manner: MannerEdit::default(),
    }
}

pub(in crate::decide) fn to_http(topic: &str, name: &str) -> NewSubscription {
    NewSubscription { endpoint: Endpoint::Http { url: "http://127.0.0.1:1/".into() }, ..to_queue(topic, name, "") }
}

pub(in crate::decide) fn message(topic: StreamNo, seq: u64, tags: &[&str]) -> Arc<TopicMessage> {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    // When a test's world begins.
    let published = crate::time::Timestamp(1_800_000_000_000);
    let (body, routing_key) = (format!("m{seq}").into(), String::new());
    Arc::new(TopicMessage { topic, seq, published, body, tags, routing_key, previous: 0, owner: None })
}

#[test]
fn a_message_has_one_consumer_at_a_time() {
    let mut world = World::new(1);
    world.queue("q", SETTINGS);
    world.send("q", &["a", "b", "c"], 0).unwrap();
    let first = world.receive("Q", 2);
    assert_eq!(first.iter().map(|message| &*message.body).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((first[0].dequeues, first[0].visible), (1, world.now.plus_s(30)));
    assert_eq!(world.receive("q", 16)[0].body, "c".into());
    assert!(world.receive("q", 16).is_empty());
    world.pass_ms(29_999);
    assert!(world.receive("q", 16).is_empty());
    world.pass_ms(1);
    let again = world.receive("q", 1).remove(0);
    assert_eq!((&*again.body, again.dequeues, again.first_dequeued), ("a", 2, first[0].first_dequeued));
    assert_ne!(again.handle(), first[0].handle());
}

#[test]
fn only_the_latest_handle_is_good_and_only_until_the_message_is_visible() {
    let mut world = World::new(2);
    world.queue("q", SETTINGS);
    world.queue("other", SETTINGS);
    world.send("q", &["a", "b"], 0).unwrap();
    world.send("q", &["late"], 3_000).unwrap();
    let never_received = Handle::new(3, 0);
    let stale = world.receive("q", 1)[0].handle();
    world.pass_ms(30_000);
    assert_eq!(world.delete("q", vec![stale]), [false], "visible again");
    let handles: Vec<_> = world.receive("q", 2).iter().map(|message| message.handle()).collect();
    let wrong = vec![stale, never_received, Handle::new(9, 1)];
    assert_eq!(world.delete("q", wrong), [false; 3]);
    assert_eq!(world.delete("other", handles.clone()), [false; 2], "of another queue");
    assert_eq!(world.delete("q", vec![handles[0], handles[0]]), [true, false]);
    assert_eq!(world.delete("q", handles), [false, true]);
    assert_eq!(world.state.queue_named("q").unwrap().stored, 1);
}

#[test]
fn a_delayed_message_is_not_received_early() {
    let mut world = World::new(3);
    world.queue("q", SETTINGS);
    world.send("q", &["late"], 5).unwrap();
    world.send("q", &["now"], 0).unwrap();
    assert_eq!(world.receive("q", 16)[0].body, "now".into());
    world.pass_ms(4_999);
    assert!(world.receive("q", 16).is_empty());
    world.pass_ms(1);
    assert_eq!(world.receive("q", 16)[0].body, "late".into());
}

#[test]
fn a_message_over_its_retention_is_not_given_and_can_be_removed() {
    let mut world = World::new(4);
    let queue = world.queue("q", SETTINGS);
    world.send("q", &["old"], 0).unwrap();
    world.pass_ms(1_000);
    world.send("q", &["new"], 0).unwrap();
    world.pass_ms(3_599_000);
    let expire = Command::ExpireMessages { queue, seqs: vec![1, 2, 3] };
    world.run(expire).unwrap();
    assert_eq!((world.bodies(queue), world.state.queue(queue).unwrap().stored), (vec!["new".to_owned()], 1));
    world.pass_ms(1_000);
    assert!(world.receive("q", 16).is_empty());
}

#[test]
fn queues_refuse_what_breaks_their_limits() {
    let mut world = World::new(5);
    world.queue("Q", QueueSettings { max_messages: 2, max_msg_bytes: 3, ..SETTINGS });
    let again = world.run(new_queue("q", SETTINGS));
    assert_eq!(again, Err(Refusal::QueueExists("Q".into())));
    assert_eq!(world.send("none", &["a"], 0), Err(Refusal::NoQueue("none".into())));
    assert_eq!(world.send("q", &["abc", "abcd"], 0), Err(Refusal::MessageTooLarge { bytes: 4, limit: 3 }));
    world.send("q", &["a", "b"], 0).unwrap();
    assert_eq!(world.send("q", &["c"], 0), Err(Refusal::QueueFull { queue: "Q".into(), limit: 2 }));
    let handle = world.receive("q", 1)[0].handle();
    world.delete("q", vec![handle]);
    world.send("q", &["c"], 0).unwrap();
}

#[test]
fn a_queue_that_is_delivered_to_stays() {
    let mut world = World::new(6);
    let queue = world.queue("q", SETTINGS);
    world.topic("t");
    world.subscribe(to_queue("t", "s", "Q"));
    world.send("q", &["a"], 0).unwrap();
    let delete = || Command::DeleteQueue { name: "q".into() };
    let by = "t/s".to_owned();
    assert_eq!(world.run(delete()), Err(Refusal::QueueInUse { queue: "q".into(), by }));
    world.run(Command::Unsubscribe { topic: "T".into(), name: "S".into() }).unwrap();
    world.run(delete()).unwrap();
    assert!(world.bodies(queue).is_empty());
    assert!(world.queue("q", SETTINGS) > queue, "numbers are not given twice");
}

#[test]
fn a_topic_takes_only_what_someone_wants() {
    let mut world = World::new(7);
    let topic = world.topic("t");
    assert_eq!(world.publish("t", "x", &[], ""), Err(Refusal::NoSubscriber("t".into())));
    world.subscribe(NewSubscription { filter_tags: vec!["red".into()], ..to_http("t", "s") });
    assert_eq!(world.publish("t", "x", &[], ""), Err(Refusal::NoMatch("t".into())));
    assert_eq!(world.publish("t", "x", &["blue"], ""), Err(Refusal::NoMatch("t".into())));
    let large = "x".repeat(65_537);
    let refused = Err(Refusal::MessageTooLarge { bytes: 65_537, limit: 65_536 });
    assert_eq!(world.publish("t", &large, &["red"], ""), refused);
    let Ok(Reply::Messages(first)) = world.publish("T", "x", &["blue", "red"], "ignored") else { panic!() };
    assert_eq!((first[0].stream(), first[0].seq()), (topic, 1));
    world.settings.keep_untaken = true;
    let Ok(Reply::Messages(second)) = world.publish("t", "x", &[], "") else { panic!() };
    assert_eq!(second[0].seq(), 2, "what was refused took no place");
    let Err(Refusal::NoTopic { topic, .. }) = world.publish("none", "x", &[], "") else { panic!() };
    assert_eq!(topic, "none");
}

#[test]
fn a_routing_topic_needs_keys() {
    let mut world = World::new(8);
    world.routing_topic("r");
    let refused = world.run(Command::Subscribe(Box::new(to_http("r", "s"))));
    assert_eq!(refused, Err(Refusal::BindingKeyMissing("r".into())));
    world.subscribe(NewSubscription { binding_keys: vec!["*.failed.#".into()], ..to_http("r", "s") });
    assert_eq!(world.publish("r", "x", &["tag"], ""), Err(Refusal::RoutingKeyMissing("r".into())));
    assert_eq!(world.publish("r", "x", &[], "job.running.1"), Err(Refusal::NoMatch("r".into())));
    world.publish("r", "x", &[], "job.failed.1").unwrap();
}

#[test]
fn a_topic_in_use_stays() {
    let mut world = World::new(9);
    world.topic("t");
    let delete = |with_subscriptions| Command::DeleteTopic { name: "T".into(), with_subscriptions };
    let env = world.env(1, Vec::new());
    let mut spec = job(env, &[("a", 1)]);
    spec.notifications.push(notify("t", &[EventName::JobSucceed]));
    let living = world.submit(spec);
    let by = living.to_string();
    assert_eq!(world.run(delete(true)), Err(Refusal::TopicInUse { topic: "t".into(), by }));
    world.run_all(|_| crate::command::ExitHow::Code(0));
    let kept = world.subscribe(to_http("t", "s")).key;
    assert_eq!(world.run(delete(false)), Err(Refusal::TopicHasSubscriptions("t".into())));
    world.run(delete(true)).unwrap();
    assert!(world.state.topic_named("t").is_none() && world.state.subscription(kept).is_none());
    assert!(world.topic("t") > kept.topic, "numbers are not given twice");
}

#[test]
fn names_are_unique_without_regard_to_case() {
    let mut world = World::new(10);
    world.topic("Topic");
    let (filter, name) = (FilterType::Tags, "tOPIC".to_owned());
    let again = world.run(new_topic(&name, filter));
    assert_eq!(again, Err(Refusal::TopicExists("Topic".into())));
    world.subscribe(to_http("topic", "Sub"));
    let again = world.run(Command::Subscribe(Box::new(to_http("TOPIC", "sUB"))));
    assert_eq!(again, Err(Refusal::SubscriptionExists { topic: "Topic".into(), name: "Sub".into() }));
    let none = world.run(Command::Subscribe(Box::new(to_queue("topic", "other", "none"))));
    assert_eq!(none, Err(Refusal::NoQueue("none".into())));
    world.topic("other");
    world.subscribe(to_http("other", "sub"));
}

#[test]
fn a_subscription_begins_at_the_end_of_its_topic_with_a_number_of_its_own() {
    let mut world = World::new(11);
    world.topic("t");
    assert_eq!(world.subscribe(to_http("t", "a")).cursor, 0);
    world.publish("t", "x", &[], "").unwrap();
    let late = world.subscribe(to_http("t", "b"));
    assert_eq!(late.cursor, 1);
    world.run(Command::Unsubscribe { topic: "t".into(), name: "b".into() }).unwrap();
    assert!(world.subscribe(to_http("t", "b")).key.no > late.key.no);
}

#[test]
fn fan_out_copies_what_is_wanted_and_stops_at_a_full_queue() {
    let mut world = World::new(12);
    let topic = world.topic("t");
    let queue = world.queue("q", QueueSettings { max_messages: 2, max_msg_bytes: 1, ..SETTINGS });
    let subscription = world.subscribe(NewSubscription { filter_tags: vec!["red".into()], ..to_queue("t", "s", "q") });
    world.settings.keep_untaken = true;
    let tags: [&[&str]; 6] = [&["red"], &[], &["blue", "red"], &["blue"], &["red"], &["blue"]];
    let log: Vec<_> = (1..).zip(tags).map(|(seq, tags)| message(topic, seq, tags)).collect();
    for _ in &log {
        world.publish("t", "x", &[], "").unwrap();
    }
    let key = subscription.key;
    let fan_out = |messages: &[Arc<TopicMessage>], through| {
        let messages = messages.to_vec();
        Command::FanOut { key, messages, through }
    };
    let cursor = |world: &World| world.state.subscription(key).unwrap().cursor;
    world.run(fan_out(&log, 6)).unwrap();
    assert_eq!((world.bodies(queue), cursor(&world)), (vec!["m1".to_owned(), "m3".to_owned()], 4));
    world.run(fan_out(&log, 6)).unwrap();
    assert_eq!((world.bodies(queue).len(), cursor(&world)), (2, 4), "a repeat does nothing");
    let handle = world.receive("q", 1)[0].handle();
    world.delete("q", vec![handle]);
    world.run(fan_out(&log[3..], 99)).unwrap();
    assert_eq!((world.bodies(queue).len(), cursor(&world)), (2, 6), "never beyond the end of the topic");
    world.run(Command::Unsubscribe { topic: "t".into(), name: "s".into() }).unwrap();
    world.run(fan_out(&log, 6)).unwrap();
    assert_eq!(world.bodies(queue).len(), 2, "gone meanwhile");
}

#[test]
fn what_a_full_queue_has_no_room_for_in_its_retention_is_given_up_by_name() {
    let mut world = World::new(14);
    let topic = world.topic("t");
    let queue = world.queue("q", QueueSettings { max_messages: 1, ..SETTINGS });
    let key = world.subscribe(to_queue("t", "s", "q")).key;
    for _ in 0..2 {
        world.publish("t", "x", &[], "").unwrap();
    }
    let messages = vec![message(topic, 1, &[]), message(topic, 2, &[])];
    let fan_out = || Command::FanOut { key, messages: messages.clone(), through: 2 };
    world.run(fan_out()).unwrap();
    assert_eq!(world.state.subscription(key).unwrap().cursor, 1, "it waits for room");
    world.pass_ms(world.state.topic(topic).unwrap().retention_s * 1000);
    world.run(fan_out()).unwrap();
    assert_eq!((world.bodies(queue), world.state.subscription(key).unwrap().cursor), (vec!["m1".to_owned()], 2));
    let given_up: Vec<_> = world.state.deliveries.iter().map(|(key, row)| (key.seq, row.stage)).collect();
    assert_eq!(given_up, [(2, DeliveryStage::Dead)]);
}

#[test]
fn a_record_moves_the_cursor_forward_only_and_keeps_no_row_behind_it_but_the_dead() {
    let mut world = World::new(13);
    world.topic("t");
    let key = world.subscribe(to_http("t", "s")).key;
    for _ in 0..5 {
        world.publish("t", "x", &[], "").unwrap();
    }
    let row =
        |key: SubscriptionKey, seq, stage| Delivery { key: DeliveryKey { subscription: key, seq }, stage, attempts: 1 };
    let next = world.now.plus_s(1);
    let record = |cursor, put, cleared| {
        let (attempts, quiet, stage, texts) = (Vec::new(), Vec::new(), None, Vec::new());
        let record = DeliveryRecord { key, cursor, put, cleared, attempts, quiet, stage, texts };
        Command::RecordDeliveries(Box::new(record))
    };
    let rows = |world: &World| -> Vec<(u64, DeliveryStage)> {
        world.state.deliveries.iter().map(|(key, row)| (key.seq, row.stage)).collect()
    };
    let retrying = DeliveryStage::Retrying { next };
    let put = vec![row(key, 2, DeliveryStage::Dead), row(key, 4, retrying), row(key, 5, DeliveryStage::Delivered)];
    world.run(record(3, put, Vec::new())).unwrap();
    assert_eq!(world.state.subscription(key).unwrap().cursor, 3);
    assert_eq!(rows(&world), [(2, DeliveryStage::Dead), (4, retrying), (5, DeliveryStage::Delivered)]);
    let foreign = SubscriptionKey { no: key.no + 1, ..key };
    let put = vec![
        row(key, 1, DeliveryStage::Dead),
        row(key, 3, retrying),
        row(key, 3, DeliveryStage::Delivered),
        row(key, 6, retrying),
        row(foreign, 4, retrying),
    ];
    world.run(record(1, put, Vec::new())).unwrap();
    assert_eq!(world.state.subscription(key).unwrap().cursor, 3, "never back");
    assert_eq!(rows(&world).len(), 4, "one more that is dead: {:?}", rows(&world));
    world.run(record(99, Vec::new(), vec![4, 5])).unwrap();
    assert_eq!(world.state.subscription(key).unwrap().cursor, 5, "never beyond the end");
    assert_eq!(rows(&world), [(1, DeliveryStage::Dead), (2, DeliveryStage::Dead)]);
    let before = world.changes.len();
    world.run(record(5, Vec::new(), Vec::new())).unwrap();
    assert_eq!(world.changes.len(), before, "nothing to commit");
    assert!(world.has(|what| *what == What::CursorMoved(key, 5)));
}
