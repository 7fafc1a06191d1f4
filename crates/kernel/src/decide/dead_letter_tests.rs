//! Dead letters: when messages become some, where they may go, and that none is lost or doubled on its way.

use proptest::prelude::*;

use crate::command::{Command, NewDeadLetter, QueueEdit, Refusal};
use crate::decide::message::tests::{SETTINGS, new_queue};
use crate::queue::{DeadLetterRule, QueueSettings};
use crate::testing::World;

const TWICE: DeadLetterRule = DeadLetterRule::Receives { most: 2 };
const OLD: DeadLetterRule = DeadLetterRule::Age { seconds: 300 };

impl World {
    fn bind(&mut self, queue: &str, to: &str, rule: DeadLetterRule) -> Result<(), Refusal> {
        let (dead_letter_queue, dead_letter_rule) = (Some(to.to_owned()), Some(rule));
        self.modify(queue, QueueEdit { dead_letter_queue, dead_letter_rule, ..QueueEdit::default() })
    }

    fn texts(&mut self, queue: &str) -> Vec<String> {
        self.receive(queue, 16).iter().map(|message| message.body.to_string()).collect()
    }

    fn look(&mut self, queue: &str, seqs: Vec<u64>) {
        let queue = self.queue_now(queue).no;
        self.run(Command::ExpireMessages { queue, seqs }).unwrap();
    }
}

fn bad(queue: &str, reason: &'static str) -> Result<(), Refusal> {
    Err(Refusal::BadDeadLetterQueue { queue: queue.into(), reason })
}

#[test]
fn a_message_received_too_often_moves_at_the_next_receive_and_keeps_its_id() {
    let mut world = World::new(1);
    world.queue("dead", SETTINGS);
    world.queue("q", SETTINGS);
    world.bind("q", "dead", TWICE).unwrap();
    world.send("q", &["bad", "worse"], 0).unwrap();
    let first = world.receive("q", 1).remove(0);
    let sent = first.enqueued;
    world.pass_ms(30_000);
    assert_eq!(world.texts("q"), ["worse", "bad"]);
    world.pass_ms(30_000);
    let handle = world.receive("q", 16);
    assert_eq!(handle.iter().map(|message| &*message.body).collect::<Vec<_>>(), ["worse"], "received once before");
    let dead = world.receive("dead", 16).remove(0);
    assert_eq!((&*dead.body, dead.msg_id(), dead.dequeues), ("bad", first.msg_id(), 1));
    let origin = dead.origin.as_ref().expect("it has moved");
    assert_eq!((&*origin.queue, origin.enqueued, origin.dequeues), ("q", sent, 2));
    assert_eq!(dead.enqueued, world.now, "its retention begins anew");
    assert_eq!((world.queue_now("q").stored, world.queue_now("dead").stored), (1, 1));
    assert_eq!(world.delete("dead", vec![dead.handle()]), [true]);
}

#[test]
fn a_message_that_nobody_receives_moves_when_someone_looks() {
    let mut world = World::new(2);
    world.queue("dead", SETTINGS);
    world.queue("q", SETTINGS);
    world.bind("q", "dead", TWICE).unwrap();
    world.send("q", &["bad"], 0).unwrap();
    for _ in 0..2 {
        world.receive("q", 1);
        world.look("q", vec![1]);
        assert_eq!(world.queue_now("q").stored, 1, "somebody holds it");
        world.pass_ms(30_000);
    }
    world.look("q", vec![1]);
    assert_eq!(world.texts("dead"), ["bad"]);
}

#[test]
fn a_message_too_old_moves_unless_somebody_holds_it() {
    let mut world = World::new(3);
    world.queue("dead", SETTINGS);
    world.queue("q", QueueSettings { visibility_s: 400, ..SETTINGS });
    world.bind("q", "dead", OLD).unwrap();
    world.send("q", &["held", "left"], 0).unwrap();
    world.receive("q", 1);
    world.pass_ms(299_999);
    world.look("q", vec![1, 2]);
    assert_eq!(world.queue_now("q").stored, 2);
    world.pass_ms(1);
    assert!(world.receive("q", 16).is_empty(), "it is one before it has moved");
    world.look("q", vec![1, 2]);
    assert_eq!(world.texts("dead"), ["left"]);
    world.pass_ms(100_000);
    world.look("q", vec![1, 2]);
    assert_eq!(world.texts("dead"), ["left", "held"], "the first was received there, and left");
}

#[test]
fn a_full_dead_letter_queue_loses_nothing() {
    let mut world = World::new(4);
    world.queue("dead", QueueSettings { max_messages: 1, ..SETTINGS });
    world.queue("q", SETTINGS);
    world.bind("q", "dead", TWICE).unwrap();
    world.send("q", &["a", "b"], 0).unwrap();
    for _ in 0..2 {
        assert_eq!(world.receive("q", 16).len(), 2);
        world.pass_ms(30_000);
    }
    assert_eq!(world.texts("q"), ["b"], "there was room for one");
    assert_eq!(world.texts("dead"), ["a"]);
}

#[test]
fn queues_are_bound_as_cmq_allows() {
    let mut world = World::new(5);
    for name in ["dead", "other", "q"] {
        world.queue(name, SETTINGS);
    }
    assert_eq!(world.bind("q", "Q", TWICE), bad("Q", "a queue cannot take its own dead letters"));
    assert_eq!(world.bind("q", "none", TWICE), Err(Refusal::NoDeadLetterQueue("none".into())));
    let late = DeadLetterRule::Age { seconds: 3_600 };
    let refusal = Refusal::AgeOverRetention { age_s: 3_600, retention_s: 3_600 };
    assert_eq!(world.bind("q", "dead", late), Err(refusal));
    let rule_alone = QueueEdit { dead_letter_rule: Some(TWICE), ..QueueEdit::default() };
    assert_eq!(world.modify("q", rule_alone.clone()), Err(Refusal::NotBound("q".into())));
    let queue_alone = QueueEdit { dead_letter_queue: Some("dead".into()), ..QueueEdit::default() };
    assert_eq!(world.modify("q", queue_alone), Err(Refusal::NoDeadLetterRule("q".into())));
    world.bind("q", "dead", OLD).unwrap();
    let shorter = QueueEdit { retention_s: Some(300), ..QueueEdit::default() };
    assert_eq!(world.modify("q", shorter), Err(Refusal::AgeOverRetention { age_s: 300, retention_s: 300 }));
    world.modify("q", rule_alone).unwrap();
    assert_eq!(world.queue_now("q").dead_letter.map(|bound| bound.rule), Some(TWICE), "the queue stays");
    assert_eq!(world.bind("other", "q", TWICE), bad("q", "it has a dead-letter queue itself"));
    let refused = bad("other", "the queue to be bound takes the dead letters of others");
    assert_eq!(world.bind("dead", "other", TWICE), refused);
    world.bind("q", "other", TWICE).unwrap();
    world.bind("q", "dead", TWICE).unwrap();
}

#[test]
fn a_queue_takes_the_dead_letters_of_six_and_stays_while_it_does() {
    let mut world = World::new(6);
    world.queue("dead", SETTINGS);
    for number in 0..7 {
        let name = format!("q{number}");
        let dead_letter = Some(NewDeadLetter { queue: "dead".into(), rule: TWICE });
        let create = Command::CreateQueue { name, settings: SETTINGS, dead_letter, tags: Vec::new() };
        let made = world.run(create).map(drop);
        let refused = bad("dead", "it takes the dead letters of as many queues as are allowed, 6");
        assert_eq!(made, if number < 6 { Ok(()) } else { refused });
    }
    world.bind("q0", "dead", OLD).unwrap();
    let delete = |name: &str| Command::DeleteQueue { name: name.into() };
    let by = "q0, q1, q2, q3, q4 and 1 more".to_owned();
    assert_eq!(world.run(delete("dead")), Err(Refusal::DeadLetterQueueInUse { queue: "dead".into(), by }));
    let unbind = |name: &str| Command::UnbindDeadLetter { name: name.into() };
    for number in 0..5 {
        world.run(unbind(&format!("Q{number}"))).unwrap();
    }
    assert_eq!(world.run(unbind("q0")), Err(Refusal::NotBound("q0".into())));
    world.run(delete("q5")).unwrap();
    world.run(delete("dead")).unwrap();
    assert_eq!(world.run(new_queue("dead", SETTINGS)).map(drop), Ok(()));
}

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    Send,
    Receive { queue: usize, max: usize },
    Delete { back: usize },
    Pass { ms: u64 },
    Look,
    Rule { age: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Send),
        5 => (0..2usize, 1..4usize).prop_map(|(queue, max)| Step::Receive { queue, max }),
        1 => (0..4usize).prop_map(|back| Step::Delete { back }),
        4 => (1..60_000u64).prop_map(|ms| Step::Pass { ms }),
        2 => Just(Step::Look),
        1 => any::<bool>().prop_map(|age| Step::Rule { age }),
    ]
}

proptest! {
    #[test]
    fn every_message_is_in_one_of_the_two_queues_until_it_is_deleted(
        steps in prop::collection::vec(step(), 1..80),
        room in 1..6u64,
    ) {
        let mut world = World::new(1);
        world.queue("dead", QueueSettings { max_messages: room, retention_s: 1_000_000, ..SETTINGS });
        world.queue("q", QueueSettings { retention_s: 1_000_000, ..SETTINGS });
        world.bind("q", "dead", TWICE).unwrap();
        let (mut rule, mut sent, mut deleted, mut handles) = (TWICE, 0u64, 0, Vec::new());
        for step in &steps {
            match step {
                Step::Send => sent += u64::from(world.send("q", &[&sent.to_string()], 0).is_ok()),
                Step::Receive { queue, max } => {
                    let name = ["q", "dead"][*queue];
                    let room = world.queue_now("dead").room() > 0;
                    for message in world.receive(name, *max) {
                        let often = rule == TWICE && message.dequeues > 2;
                        let over = rule == OLD && world.now.since_ms(message.enqueued) >= 300_000;
                        prop_assert!(name == "dead" || !room || (!often && !over) || world.queue_now("dead").room() == 0);
                        handles.push((name, message.handle()));
                    }
                }
                Step::Delete { back } => {
                    if let Some((name, handle)) = handles.iter().rev().nth(*back) {
                        deleted += world.delete(name, vec![*handle]).iter().filter(|gone| **gone).count();
                    }
                }
                Step::Pass { ms } => world.pass_ms(*ms),
                Step::Look => world.look("q", (1..=sent).collect()),
                Step::Rule { age } => {
                    rule = if *age { OLD } else { TWICE };
                    world.bind("q", "dead", rule).unwrap();
                }
            }
            let of = |name: &str| world.bodies(world.queue_now(name).no);
            let mut all: Vec<String> = of("q").into_iter().chain(of("dead")).collect();
            all.sort_unstable();
            all.dedup();
            let held = world.queue_now("q").stored + world.queue_now("dead").stored;
            prop_assert_eq!((all.len() as u64, held), (sent - deleted as u64, sent - deleted as u64));
            prop_assert!(world.queue_now("dead").stored <= room);
        }
    }
}
