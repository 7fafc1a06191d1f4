//! What holds of every history of a queue, and of every way a topic's log is copied into one.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{SETTINGS, message, to_queue};
use crate::command::{Command, NewSubscription};
use crate::queue::{Handle, QueueSettings};
use crate::testing::World;
use crate::time::Timestamp;
use crate::topic::TopicMessage;

/// One step of a queue's history.
#[derive(Debug, Clone)]
enum Step {
    Send { delay_s: u64 },
    Receive { max: usize },
    Delete { back: usize },
    Pass { ms: u64 },
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..3u64).prop_map(|delay_s| Step::Send { delay_s }),
        3 => (1..4usize).prop_map(|max| Step::Receive { max }),
        2 => (0..6usize).prop_map(|back| Step::Delete { back }),
        2 => (1..9_000u64).prop_map(|ms| Step::Pass { ms }),
        1 => Just(Step::Expire),
    ]
}

/// A message as the model has it.
struct Kept {
    enqueued: Timestamp,
    visible: Timestamp,
    handle: Option<Handle>,
    dequeues: u32,
}

#[derive(Default)]
struct Model {
    messages: BTreeMap<u64, Kept>,
    /// Every handle there has been, the last one last.
    handles: Vec<Handle>,
    sent: u64,
}

const SHORT: QueueSettings = QueueSettings { visibility_s: 10, retention_s: 40, max_messages: 8, ..SETTINGS };

fn take(world: &mut World, model: &mut Model, step: &Step) {
    match step {
        Step::Send { delay_s } => {
            let taken = world.send("q", &["x"], *delay_s).is_ok();
            assert_eq!(taken, model.messages.len() < 8, "a full queue refuses, no other does");
            if taken {
                model.sent += 1;
                let (enqueued, visible) = (world.now, world.now.plus_s(*delay_s));
                model.messages.insert(model.sent, Kept { enqueued, visible, handle: None, dequeues: 0 });
            }
        }
        Step::Receive { max } => {
            let now = world.now;
            let can = |kept: &&mut Kept| kept.visible <= now && now.since_ms(kept.enqueued) < 40_000;
            let able = model.messages.values_mut().filter(can).count();
            let got = world.receive("q", *max);
            assert_eq!(got.len(), able.min(*max));
            for message in got {
                let kept = model.messages.get_mut(&message.key.seq).expect("it was not deleted");
                assert!(kept.visible <= now, "it was given to someone else");
                assert!(now.since_ms(kept.enqueued) < 40_000);
                kept.dequeues += 1;
                (kept.visible, kept.handle) = (now.plus_s(10), Some(message.handle()));
                assert_eq!((message.dequeues, message.visible), (kept.dequeues, kept.visible));
                model.handles.push(message.handle());
            }
        }
        Step::Delete { back } => {
            let Some(handle) = model.handles.iter().rev().nth(*back).copied() else { return };
            let kept = model.messages.get(&handle.seq());
            let good = kept.is_some_and(|kept| kept.handle == Some(handle) && world.now < kept.visible);
            assert_eq!(world.delete("q", vec![handle]), [good]);
            if good {
                model.messages.remove(&handle.seq());
            }
        }
        Step::Pass { ms } => world.pass_ms(*ms),
        Step::Expire => {
            let queue = world.state.queue_named("q").unwrap().no;
            world.run(Command::ExpireMessages { queue, seqs: (1..=model.sent).collect() }).unwrap();
            let now = world.now;
            model.messages.retain(|_, kept| now.since_ms(kept.enqueued) < 40_000);
        }
    }
    let queue = world.state.queue_named("q").unwrap();
    assert_eq!((queue.stored, queue.next_seq), (model.messages.len() as u64, model.sent + 1));
}

/// A page of the log that is fanned out: where its reading begins before the cursor, and how long it is.
type Page = (u64, usize);

proptest! {
    #[test]
    fn a_queue_gives_each_message_to_one_at_a_time_until_it_is_deleted(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new(1);
        world.queue("q", SHORT);
        let mut model = Model::default();
        for step in &steps {
            take(&mut world, &mut model, step);
        }
    }

    #[test]
    fn fan_out_copies_every_wanted_message_once_and_in_order(
        red in prop::collection::vec(any::<bool>(), 1..60),
        pages in prop::collection::vec((0..4u64, 1..7usize), 1..40),
        room in 1..20u64,
    ) {
        let mut world = World::new(1);
        let (topic, queue) = (world.topic("t"), world.queue("q", QueueSettings { max_messages: room, ..SETTINGS }));
        let filter_tags = vec!["red".to_owned()];
        let key = world.subscribe(NewSubscription { filter_tags, ..to_queue("t", "s", "q") }).key;
        let tags = |red: bool| -> &[&str] { if red { &["red"] } else { &["blue"] } };
        let log: Vec<Arc<TopicMessage>> = (1..).zip(&red).map(|(seq, red)| message(topic, seq, tags(*red))).collect();
        world.settings.keep_untaken = true;
        for _ in &log {
            world.publish("t", "x", &[], "").unwrap();
        }
        let wanted = |through: u64| -> Vec<String> {
            let wanted = log.iter().filter(|message| message.seq <= through && message.tags == ["red"]);
            wanted.map(|message| message.body.to_string()).collect()
        };
        for (before, length) in pages as Vec<Page> {
            let cursor = world.state.subscription(key).unwrap().cursor;
            let from = cursor.saturating_sub(before);
            let messages: Vec<_> = log.iter().filter(|message| message.seq > from).take(length).cloned().collect();
            let through = messages.last().map_or(from, |message| message.seq);
            world.run(Command::FanOut { key, messages, through }).unwrap();
            let moved = world.state.subscription(key).unwrap().cursor;
            prop_assert!(moved >= cursor);
            let copied = world.bodies(queue);
            prop_assert_eq!(&copied, &wanted(moved));
            prop_assert!(moved >= through || copied.len() as u64 == room, "it stops only at a full queue");
        }
    }
}
