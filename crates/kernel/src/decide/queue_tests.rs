//! Attributes of queues, topics and subscriptions while they are in use, and queues that are emptied.

use std::sync::Arc;

use crate::change::What;
use crate::command::{Command, NewSubscription, QueueEdit, Refusal, SubscriptionEdit};
use crate::decide::message::tests::{SETTINGS, message, new_queue, to_http, to_queue};
use crate::queue::{Queue, QueueSettings};
use crate::subscription::{Format, Strategy};
use crate::testing::World;
use crate::topic::TopicEdit;

impl World {
    pub(in crate::decide) fn modify(&mut self, queue: &str, edit: QueueEdit) -> Result<(), Refusal> {
        self.run(Command::ModifyQueue { name: queue.into(), edit: Box::new(edit) }).map(drop)
    }

    pub(in crate::decide) fn queue_now(&self, name: &str) -> Arc<Queue> {
        self.state.queue_named(name).expect("it exists").clone()
    }
}

#[test]
fn a_shorter_retention_and_another_visibility_hold_at_once() {
    let mut world = World::new(1);
    let queue = world.queue("q", SETTINGS);
    world.send("q", &["old", "new"], 0).unwrap();
    world.pass_ms(60_000);
    world.modify("Q", QueueEdit { retention_s: Some(60), visibility_s: Some(5), ..QueueEdit::default() }).unwrap();
    assert_eq!(world.queue_now("q").modified, world.now);
    world.send("q", &["later"], 0).unwrap();
    let got = world.receive("q", 16);
    assert_eq!(got.iter().map(|message| &*message.body).collect::<Vec<_>>(), ["later"], "the others are over");
    assert_eq!(got[0].visible, world.now.plus_s(5));
    world.run(Command::ExpireMessages { queue, seqs: vec![1, 2, 3] }).unwrap();
    assert_eq!(world.bodies(queue), ["later"]);
}

#[test]
fn a_queue_made_smaller_than_it_is_takes_no_more_until_there_is_room() {
    let mut world = World::new(2);
    world.queue("q", SETTINGS);
    world.send("q", &["a", "b", "c"], 0).unwrap();
    world.modify("q", QueueEdit { max_messages: Some(2), max_msg_bytes: Some(2), ..QueueEdit::default() }).unwrap();
    assert_eq!(world.send("q", &["d"], 0), Err(Refusal::QueueFull { queue: "q".into(), limit: 2 }));
    assert_eq!(world.send("q", &["ddd"], 0), Err(Refusal::MessageTooLarge { bytes: 3, limit: 2 }));
    let handles = world.receive("q", 2).iter().map(|message| message.handle()).collect();
    world.delete("q", handles);
    world.send("q", &["d"], 0).unwrap();
}

#[test]
fn an_edit_that_changes_nothing_is_no_commit() {
    let mut world = World::new(3);
    world.queue("q", SETTINGS);
    world.topic("t");
    let before = world.changes.len();
    world.modify("q", QueueEdit { visibility_s: Some(SETTINGS.visibility_s), ..QueueEdit::default() }).unwrap();
    world.run(Command::ModifyTopic { name: "t".into(), edit: TopicEdit::default() }).unwrap();
    assert_eq!(world.changes.len(), before);
    assert_eq!(world.modify("none", QueueEdit::default()), Err(Refusal::NoQueue("none".into())));
}

#[test]
fn a_queue_is_set_back_no_further_than_it_keeps_messages() {
    let mut world = World::new(4);
    let far = QueueSettings { rewind_s: 3_601, ..SETTINGS };
    let refusal = Refusal::RewindOverRetention { rewind_s: 3_601, retention_s: 3_600 };
    assert_eq!(world.run(new_queue("q", far)), Err(refusal));
    world.queue("q", QueueSettings { rewind_s: 3_600, ..SETTINGS });
    let edit = QueueEdit { retention_s: Some(60), ..QueueEdit::default() };
    let refusal = Refusal::RewindOverRetention { rewind_s: 3_600, retention_s: 60 };
    assert_eq!(world.modify("q", edit), Err(refusal));
}

#[test]
fn a_cleared_queue_is_empty_at_once_and_its_old_handles_are_bad() {
    let mut world = World::new(5);
    let queue = world.queue("q", QueueSettings { max_messages: 3, rewind_s: 60, ..SETTINGS });
    world.send("q", &["a", "b", "c"], 0).unwrap();
    let handles: Vec<_> = world.receive("q", 2).iter().map(|message| message.handle()).collect();
    world.delete("q", vec![handles[0]]);
    let before = world.queue_now("q");
    assert_eq!((before.stored, before.kept.map(|kept| kept.count)), (2, Some(1)));
    let changes = world.changes.len();
    world.run(Command::ClearQueue { name: "Q".into() }).unwrap();
    assert_eq!(world.changes.len(), changes + 1, "however much there was");
    let after = world.queue_now("q");
    assert_eq!((after.stored, after.kept.map(|kept| kept.count)), (0, Some(0)));
    assert!(after.heap > before.heap && after.kept.map(|kept| kept.heap) > before.kept.map(|kept| kept.heap));
    assert_eq!(world.delete("q", vec![handles[1]]), [false]);
    assert!(world.receive("q", 16).is_empty());
    world.send("q", &["d", "e", "f"], 0).unwrap();
    assert_eq!(world.bodies(queue), ["d", "e", "f"]);
    world.run(Command::RewindQueue { name: "q".into(), to: world.now }).unwrap();
    assert_eq!(world.bodies(queue), ["d", "e", "f"], "what was deleted before is gone too");
}

#[test]
fn a_cleared_queue_is_still_delivered_to() {
    let mut world = World::new(6);
    let (topic, queue) = (world.topic("t"), world.queue("q", SETTINGS));
    let key = world.subscribe(to_queue("t", "s", "q")).key;
    world.run(Command::ClearQueue { name: "q".into() }).unwrap();
    world.publish("t", "m1", &[], "").unwrap();
    world.run(Command::FanOut { key, messages: vec![message(topic, 1, &[])], through: 1 }).unwrap();
    assert_eq!(world.bodies(queue), ["m1"]);
    world.run(Command::Unsubscribe { topic: "t".into(), name: "s".into() }).unwrap();
    world.run(Command::DeleteQueue { name: "q".into() }).unwrap();
    assert!(world.state.queue(queue).is_none() && world.state.index.heaps.is_empty());
}

#[test]
fn a_topic_takes_other_attributes() {
    let mut world = World::new(7);
    world.topic("t");
    world.settings.keep_untaken = true;
    let edit = TopicEdit { max_msg_bytes: Some(2), retention_s: Some(60), trace: Some(true) };
    world.run(Command::ModifyTopic { name: "T".into(), edit }).unwrap();
    let topic = world.state.topic_named("t").unwrap();
    assert_eq!((topic.max_msg_bytes, topic.retention_s, topic.trace, topic.modified), (2, 60, true, world.now));
    assert_eq!(world.publish("t", "abc", &[], ""), Err(Refusal::MessageTooLarge { bytes: 3, limit: 2 }));
}

#[test]
fn a_subscription_takes_another_filter_for_what_comes() {
    let mut world = World::new(8);
    world.topic("t");
    world.queue("q", SETTINGS);
    let tags = vec!["red".to_owned()];
    let key = world.subscribe(NewSubscription { filter_tags: tags, ..to_http("t", "s") }).key;
    assert_eq!(world.publish("t", "x", &["blue"], ""), Err(Refusal::NoMatch("t".into())));
    let mut modify = |name: &str, edit| {
        let (topic, name) = ("T".into(), name.into());
        world.run(Command::ModifySubscription { topic, name, edit: Box::new(edit) })
    };
    let none = modify("none", SubscriptionEdit::default());
    assert_eq!(none, Err(Refusal::NoSubscription { topic: "t".into(), name: "none".into() }));
    let edit = SubscriptionEdit {
        strategy: Some(Strategy::BackoffRetry),
        format: Some(Format::Simplified),
        filter_tags: Some(Vec::new()),
        ..SubscriptionEdit::default()
    };
    modify("S", edit).unwrap();
    let row = world.state.subscription(key).unwrap();
    assert_eq!((row.strategy, row.format), (Strategy::BackoffRetry, Format::Simplified));
    assert!(row.filter_tags.is_empty() && row.cursor == 0);
    world.publish("t", "x", &["blue"], "").unwrap();
    world.subscribe(to_queue("t", "in-queue", "q"));
    let (topic, name) = ("t".into(), "in-queue".into());
    let edit = SubscriptionEdit { format: Some(Format::Json), ..SubscriptionEdit::default() };
    let refused = world.run(Command::ModifySubscription { topic, name, edit: Box::new(edit) });
    assert_eq!(refused, Err(Refusal::QueueNeedsSimplified));
    assert!(world.has(|what| matches!(what, What::SubscriptionModified(row) if row.key == key)));
}

#[test]
fn a_subscription_of_a_routing_topic_keeps_a_binding_key() {
    let mut world = World::new(9);
    world.routing_topic("r");
    let keys = |keys: &[&str]| Some(keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
    world.subscribe(NewSubscription { binding_keys: keys(&["a"]).unwrap(), ..to_http("r", "s") });
    let mut modify = |binding_keys| {
        let (topic, name) = ("r".into(), "s".into());
        let edit = SubscriptionEdit { binding_keys, ..SubscriptionEdit::default() };
        world.run(Command::ModifySubscription { topic, name, edit: Box::new(edit) })
    };
    assert_eq!(modify(keys(&[])), Err(Refusal::BindingKeyMissing("r".into())));
    modify(keys(&["b.*", "c"])).unwrap();
    world.publish("r", "x", &[], "b.1").unwrap();
    assert_eq!(world.publish("r", "x", &[], "a"), Err(Refusal::NoMatch("r".into())));
}
