//! Queues that are set back: tables of what can be asked, and a model of every history.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::command::{Command, QueueEdit, Refusal};
use crate::decide::message::tests::SETTINGS;
use crate::limits::REWIND_MESSAGES;
use crate::queue::{Handle, QueueSettings};
use crate::testing::World;
use crate::time::Timestamp;
use crate::topic::StreamNo;

const KEEPING: QueueSettings =
    QueueSettings { rewind_s: 60, retention_s: 120, visibility_s: 10, max_messages: 10_000, ..SETTINGS };

impl World {
    fn rewind(&mut self, to: Timestamp) -> Result<(), Refusal> {
        self.run(Command::RewindQueue { name: "q".into(), to }).map(drop)
    }

    fn consume(&mut self, max: usize) -> Vec<String> {
        let messages = self.receive("q", max);
        let handles = messages.iter().map(|message| message.handle()).collect();
        assert!(self.delete("q", handles).iter().all(|deleted| *deleted));
        messages.iter().map(|message| message.body.to_string()).collect()
    }

    fn kept(&self) -> u64 {
        self.queue_now("q").kept.map_or(0, |kept| kept.count)
    }
}

#[test]
fn deleted_messages_come_again_in_the_order_they_were_sent_before_those_that_wait() {
    let mut world = World::new(1);
    world.queue("q", KEEPING);
    world.send("q", &["a"], 0).unwrap();
    world.pass_ms(5_000);
    world.send("q", &["b", "c"], 0).unwrap();
    world.pass_ms(5_000);
    assert_eq!(world.consume(2), ["a", "b"]);
    let (to, waits_since) = (world.now.minus_s(10), world.now.minus_s(5).seconds());
    world.send("q", &["d"], 0).unwrap();
    assert_eq!(world.kept(), 2);
    let refused = world.rewind(world.now);
    assert!(matches!(refused, Err(Refusal::RewindTime { latest, .. }) if latest == waits_since), "{refused:?}");
    world.rewind(to).unwrap();
    assert_eq!((world.kept(), world.queue_now("q").stored), (0, 4));
    let got = world.receive("q", 16);
    assert_eq!(got.iter().map(|message| &*message.body).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert_eq!((got[0].dequeues, got[0].enqueued), (1, to), "as if it had never been received");
    world.delete("q", got.iter().map(|message| message.handle()).collect());
    world.rewind(world.now.minus_s(5)).unwrap();
    assert_eq!(world.consume(16), ["b", "c", "d"], "those sent before that stay deleted");
}

#[test]
fn a_queue_is_set_back_only_as_far_as_it_says() {
    let mut world = World::new(2);
    world.queue("q", SETTINGS);
    assert_eq!(world.rewind(world.now), Err(Refusal::NoRewind("q".into())));
    world.modify("q", QueueEdit { rewind_s: Some(60), ..QueueEdit::default() }).unwrap();
    let now = world.now.seconds();
    let refusal = |asked| Err(Refusal::RewindTime { asked, earliest: now - 60, latest: now });
    assert_eq!(world.rewind(world.now.minus_s(61)), refusal(now - 61));
    assert_eq!(world.rewind(world.now.plus_s(1)), refusal(now + 1));
    world.rewind(world.now.minus_s(60)).unwrap();
}

#[test]
fn what_is_kept_goes_when_it_is_too_old_or_too_much_or_the_queue_keeps_no_more() {
    let mut world = World::new(3);
    let queue = world.queue("q", KEEPING);
    for text in ["old", "new"] {
        world.send("q", &[text], 0).unwrap();
        world.consume(1);
        world.pass_ms(30_000);
    }
    let drop_kept = Command::DropKept(queue);
    world.run(drop_kept.clone()).unwrap();
    assert_eq!(world.kept(), 1, "one was sent 60 s ago");
    world.modify("q", QueueEdit { kept_max_bytes: Some(5), ..QueueEdit::default() }).unwrap();
    world.send("q", &["abc", "def"], 0).unwrap();
    world.consume(2);
    world.run(drop_kept).unwrap();
    assert_eq!(world.queue_now("q").kept.map(|kept| (kept.count, kept.bytes)), Some((1, 3)), "the newest stay");
    world.modify("q", QueueEdit { rewind_s: Some(0), ..QueueEdit::default() }).unwrap();
    assert_eq!(world.queue_now("q").kept, None);
    world.modify("q", QueueEdit { rewind_s: Some(60), ..QueueEdit::default() }).unwrap();
    world.rewind(world.now.minus_s(60)).unwrap();
    assert!(world.receive("q", 16).is_empty(), "what was switched off is gone");
}

#[test]
fn many_come_back_in_chunks_and_what_is_deleted_meanwhile_stays_deleted() {
    let mut world = World::new(4);
    let queue = world.queue("q", KEEPING);
    let all = REWIND_MESSAGES as u64 * 2 + 500;
    for _ in 0..all / 100 {
        world.send("q", &["x"; 100], 0).unwrap();
        world.consume(100);
    }
    let live = world.send("q", &["live"], 0).is_ok();
    assert!(live && world.kept() == all);
    let to = world.now;
    world.pass_ms(1);
    world.rewind(to).unwrap();
    let stands = |world: &World| world.queue_now("q").rewinding.map(|rewinding| rewinding.after);
    assert_eq!((stands(&world), world.queue_now("q").stored), (Some(REWIND_MESSAGES as u64), 1_001));
    world.pass_ms(1);
    // All that is back and the message that waited, which lies in front of the place.
    assert_eq!(world.consume(2_000).len(), REWIND_MESSAGES + 1);
    world.run(Command::GoOnRewinding(queue)).unwrap();
    world.run(Command::GoOnRewinding(queue)).unwrap();
    assert_eq!((stands(&world), world.queue_now("q").stored), (None, all - 1_000));
    let before = world.changes.len();
    world.run(Command::GoOnRewinding(queue)).unwrap();
    assert_eq!(world.changes.len(), before, "there is nothing more to do");
}

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    Send,
    Receive { max: usize },
    Delete { back: usize },
    Rewind { back_s: u64 },
    Pass { ms: u64 },
    Tend,
    Off,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Send),
        4 => (1..4usize).prop_map(|max| Step::Receive { max }),
        4 => (0..4usize).prop_map(|back| Step::Delete { back }),
        2 => (0..90u64).prop_map(|back_s| Step::Rewind { back_s }),
        3 => (1..20_000u64).prop_map(|ms| Step::Pass { ms }),
        2 => Just(Step::Tend),
        1 => Just(Step::Off),
    ]
}

/// How a message stands in the model.
#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    Waits { visible: Timestamp, handle: Option<Handle> },
    Kept,
}

#[derive(Default)]
struct Model {
    messages: BTreeMap<u64, (Timestamp, At)>,
    handles: Vec<Handle>,
    sent: u64,
}

impl Model {
    fn waiting(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let waits =
            move |(sent, at): &&(Timestamp, At)| matches!(at, At::Waits { .. }) && now.since_ms(*sent) < 120_000;
        self.messages.values().filter(waits).map(|(sent, _)| *sent)
    }

    fn receive(&mut self, world: &mut World, max: usize) {
        let now = world.now;
        let mut able: Vec<(Timestamp, u64)> = self
            .messages
            .iter()
            .filter_map(|(seq, (sent, at))| match at {
                At::Waits { visible, .. } if *visible <= now && now.since_ms(*sent) < 120_000 => Some((*visible, *seq)),
                _ => None,
            })
            .collect();
        able.sort_unstable();
        let got = world.receive("q", max);
        let seqs: Vec<u64> = got.iter().map(|message| message.key.seq).collect();
        assert_eq!(seqs, able.iter().map(|(_, seq)| *seq).take(max).collect::<Vec<_>>(), "the first of those that can");
        for message in got {
            let handle = Some(message.handle());
            self.handles.push(message.handle());
            let row = self.messages.get_mut(&message.key.seq).expect("it was sent");
            row.1 = At::Waits { visible: now.plus_s(10), handle };
        }
    }

    fn delete(&mut self, world: &mut World, back: usize) {
        let Some(handle) = self.handles.iter().rev().nth(back).copied() else { return };
        let row = self.messages.get_mut(&handle.seq());
        let good =
            |at: &At| matches!(at, At::Waits { visible, handle: Some(own) } if *own == handle && world.now < *visible);
        let good = row.as_ref().is_some_and(|row| good(&row.1));
        assert_eq!(world.delete("q", vec![handle]), [good]);
        if let (Some(row), true) = (row, good) {
            row.1 = At::Kept;
        }
    }

    fn rewind(&mut self, world: &mut World, back_s: u64) {
        let (now, to) = (world.now, world.now.minus_s(back_s));
        let latest = self.waiting(now).min().unwrap_or(now);
        let able = back_s <= 60 && to.seconds() <= latest.seconds();
        assert_eq!(world.rewind(to).is_ok(), able, "to {to:?}, now {now:?}, oldest {latest:?}");
        let back = |sent: Timestamp| able && sent >= to && now.since_ms(sent) < 60_000;
        for (sent, at) in self.messages.values_mut().filter(|row| row.1 == At::Kept && back(row.0)) {
            *at = At::Waits { visible: *sent, handle: None };
        }
    }

    fn take(&mut self, world: &mut World, queue: StreamNo, step: &Step) {
        match step {
            Step::Send => {
                world.send("q", &["x"], 0).unwrap();
                self.sent += 1;
                self.messages.insert(self.sent, (world.now, At::Waits { visible: world.now, handle: None }));
            }
            Step::Receive { max } => self.receive(world, *max),
            Step::Delete { back } => self.delete(world, *back),
            Step::Rewind { back_s } => self.rewind(world, *back_s),
            Step::Pass { ms } => world.pass_ms(*ms),
            Step::Tend => {
                world.run(Command::ExpireMessages { queue, seqs: (1..=self.sent).collect() }).unwrap();
                world.run(Command::DropKept(queue)).unwrap();
                let now = world.now;
                self.messages
                    .retain(|_, (sent, at)| now.since_ms(*sent) < if *at == At::Kept { 60_000 } else { 120_000 });
            }
            Step::Off => {
                world.modify("q", QueueEdit { rewind_s: Some(0), ..QueueEdit::default() }).unwrap();
                world.modify("q", QueueEdit { rewind_s: Some(60), ..QueueEdit::default() }).unwrap();
                self.messages.retain(|_, (_, at)| *at != At::Kept);
            }
        }
        let kept = self.messages.values().filter(|row| row.1 == At::Kept).count() as u64;
        let row = world.queue_now("q");
        assert_eq!((row.stored, world.kept()), (self.messages.len() as u64 - kept, kept), "after {step:?}");
    }
}

proptest! {
    #[test]
    fn a_queue_brings_back_exactly_what_was_deleted_since_a_moment_within_its_reach(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut world = World::new(1);
        let queue = world.queue("q", KEEPING);
        let mut model = Model::default();
        for step in &steps {
            model.take(&mut world, queue, step);
        }
    }
}
