use super::*;
use crate::change::Change;
use crate::command::Command;
use crate::decide::message::tests::{SETTINGS, message, to_http, to_queue};
use crate::delivery::{Attempt, Outcome};
use crate::testing::World;
use crate::time::Timestamp;

/// Ten messages, of which the subscription is done with the first eight.
fn world(http: bool) -> (World, SubscriptionKey) {
    let mut world = World::new(1);
    world.topic("t");
    world.queue("q", SETTINGS);
    let new = if http { to_http("t", "s") } else { to_queue("t", "s", "q") };
    let key = world.subscribe(new).key;
    for number in 1..=10 {
        world.publish("t", &format!("text {number}"), &[], "").unwrap();
    }
    world.only(Command::FanOut { key, messages: Vec::new(), through: 8 }).unwrap();
    let mut row = (**world.state.subscription(key).unwrap()).clone();
    row.cursor = 8;
    world.state.subscriptions.put(key, row);
    (world, key)
}

fn start(world: &mut World, which: Which, from: u64, to: u64) -> Result<u32, Refusal> {
    let new = NewReplay { topic: "T".into(), name: "S".into(), which, from, to, rate_per_s: 7 };
    match world.run(Command::StartReplay(Box::new(new)))? {
        Reply::Replay(no) => Ok(no),
        other => panic!("{other:?}"),
    }
}

fn replays(world: &World, key: SubscriptionKey) -> Vec<(u32, u64, u64, &'static str)> {
    let row = world.state.subscription(key).unwrap();
    row.replays.iter().map(|replay| (replay.no, replay.next, replay.to, replay.stage.as_str())).collect()
}

fn record(key: SubscriptionKey, next: u64) -> ReplayRecord {
    let (attempts, delivered, dead) = (Vec::new(), Vec::new(), Vec::new());
    ReplayRecord { key, no: 1, next, attempts, delivered, dead, count: 1, lost: 0, end: None }
}

#[test]
fn a_replay_covers_what_has_ended_and_no_other_replay_covers() {
    let (mut world, key) = world(true);
    assert_eq!(start(&mut world, Which::All, 3, u64::MAX), Ok(1));
    assert_eq!(replays(&world, key), [(1, 3, 8, "RUNNING")], "the rest is left to the live cursor");
    assert_eq!(start(&mut world, Which::All, 9, 10), Err(Refusal::NothingToReplay { from: 9, done: 8 }));
    assert_eq!(start(&mut world, Which::These { seqs: vec![2, 5] }, 2, 5), Err(Refusal::ReplayOverlaps(1)));
    assert_eq!(start(&mut world, Which::These { seqs: vec![2] }, 2, 2), Ok(2));
    assert_eq!(start(&mut world, Which::Dead { since: Timestamp(0) }, 9, 10), Ok(3));
    let stop = |no| Command::StopReplay { topic: "t".into(), name: "s".into(), no };
    assert_eq!(world.run(stop(Some(9))), Err(Refusal::NoReplay(9)));
    world.run(stop(Some(1))).unwrap();
    assert_eq!(replays(&world, key)[0], (1, 3, 8, "STOPPED"));
    assert_eq!(start(&mut world, Which::All, 3, 5), Ok(4), "one that was stopped covers nothing");
    world.run(stop(None)).unwrap();
    assert!(replays(&world, key).iter().all(|replay| replay.3 == "STOPPED"));
    let missing = Command::StopReplay { topic: "t".into(), name: "x".into(), no: None };
    assert!(matches!(world.run(missing), Err(Refusal::NoSubscription { .. })));
}

#[test]
fn so_many_replays_go_on_and_the_oldest_that_ended_is_forgotten() {
    let (mut world, key) = world(true);
    let this = |seq| Which::These { seqs: vec![seq] };
    for no in 1..=limits::REPLAYS as u32 {
        // Each comes to its message and is then held there, as far as others can see.
        assert_eq!(start(&mut world, this(1), 1, 1), Ok(no));
        let row = world.state.subscription(key).unwrap().replays.last().unwrap().clone();
        let what = What::ReplayPut(key, Box::new(Replay { next: 2, ..row }));
        crate::evolve::evolve(&mut world.state, &Change { at: Timestamp(0), what, notices: Vec::new() });
    }
    assert_eq!(start(&mut world, this(1), 1, 1), Err(Refusal::TooManyReplays(limits::REPLAYS)));
    world.run(Command::StopReplay { topic: "t".into(), name: "s".into(), no: Some(3) }).unwrap();
    assert_eq!(start(&mut world, this(1), 1, 1), Ok(17));
    let numbers: Vec<u32> = replays(&world, key).iter().map(|replay| replay.0).collect();
    assert_eq!(numbers, (1..=17).filter(|no| *no != 3).collect::<Vec<_>>());
}

#[test]
fn what_a_loop_has_seen_becomes_durable_and_moves_no_live_cursor() {
    let (mut world, key) = world(true);
    start(&mut world, Which::All, 3, 8).unwrap();
    let outcome = Outcome::Replied { status: 200, body: String::new() };
    let at = DeliveryKey { subscription: key, seq: 3 };
    let attempt =
        Arc::new(Attempt { key: at, number: 2, at: Timestamp(0), duration_ms: 1, address: "a".into(), outcome });
    let seen = ReplayRecord {
        attempts: vec![attempt],
        delivered: vec![3, 10],
        dead: vec![(message(key.topic, 4, &[]), 5)],
        ..record(key, 5)
    };
    world.run(Command::RecordReplay(Box::new(seen))).unwrap();
    assert_eq!(replays(&world, key), [(1, 5, 8, "RUNNING")]);
    let row = world.state.subscription(key).unwrap();
    assert_eq!((row.cursor, row.replays[0].delivered, row.replays[0].failed), (8, 1, 1));
    assert!(world.has(|what| matches!(what, What::AttemptEnded(attempt) if attempt.number == 2)));
    assert!(world.has(|what| matches!(what, What::DeliveryCleared(_, 3))), "behind the cursor a row is not needed");
    let put = |seq, stage| move |what: &What| matches!(what, What::DeliveryPut(row) if row.key.seq == seq && row.stage == stage);
    assert!(world.has(put(10, DeliveryStage::Delivered)) && world.has(put(4, DeliveryStage::Dead)));

    // Late records of a loop that was replaced: the place never goes back.
    world.run(Command::RecordReplay(Box::new(record(key, 4)))).unwrap();
    assert_eq!(replays(&world, key), [(1, 5, 8, "RUNNING")]);
    let end = ReplayRecord { end: Some(ReplayStage::Done), ..record(key, 99) };
    world.run(Command::RecordReplay(Box::new(end))).unwrap();
    assert_eq!(replays(&world, key), [(1, 9, 8, "DONE")]);
    world.run(Command::RecordReplay(Box::new(record(key, 9)))).unwrap();
    assert_eq!(replays(&world, key), [(1, 9, 8, "DONE")]);
}

#[test]
fn copies_and_the_replays_place_are_one_decision() {
    let (mut world, key) = world(false);
    let queue = world.state.queue_named("q").unwrap().no;
    start(&mut world, Which::All, 2, 6).unwrap();
    let messages: Vec<Arc<TopicMessage>> = (1..=4).map(|seq| message(key.topic, seq, &[])).collect();
    let copy = Command::CopyReplay { key, no: 1, messages, lost: Vec::new(), through: 4 };
    world.run(copy.clone()).unwrap();
    assert_eq!((world.bodies(queue).len(), replays(&world, key)), (3, vec![(1, 5, 6, "RUNNING")]));
    world.run(copy).unwrap();
    assert_eq!(world.bodies(queue).len(), 3, "none is copied twice");
    world.run(Command::CopyReplay { key, no: 1, messages: Vec::new(), lost: vec![5, 6, 7], through: 6 }).unwrap();
    assert_eq!((replays(&world, key), world.state.subscription(key).unwrap().cursor), (vec![(1, 7, 6, "DONE")], 8));
    assert_eq!(world.state.subscription(key).unwrap().replays[0].failed, 2, "those stepped over, once each");
}

#[test]
fn a_full_queue_lets_the_replay_wait() {
    let (mut world, key) = world(false);
    let queue = world.state.queue_named("q").unwrap().no;
    let bodies = vec!["x".into(); 99];
    world.run(Command::Send { queue: "q".into(), bodies, delay_s: 0 }).unwrap();
    start(&mut world, Which::All, 1, 8).unwrap();
    let messages: Vec<Arc<TopicMessage>> = (1..=8).map(|seq| message(key.topic, seq, &[])).collect();
    world.run(Command::CopyReplay { key, no: 1, messages, lost: Vec::new(), through: 8 }).unwrap();
    assert_eq!((world.bodies(queue).len(), replays(&world, key)), (100, vec![(1, 2, 8, "RUNNING")]));
    for _ in 0..2 {
        let (messages, lost) = (vec![message(key.topic, 2, &[])], vec![3]);
        world.run(Command::CopyReplay { key, no: 1, messages, lost, through: 3 }).unwrap();
        assert_eq!(world.state.subscription(key).unwrap().replays[0].failed, 0, "not before its turn");
    }
}
