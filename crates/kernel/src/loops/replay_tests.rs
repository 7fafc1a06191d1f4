use std::collections::BTreeMap;

use proptest::{prop_assert, prop_assert_eq, proptest};
use rand::RngExt;

use super::*;
use crate::delivery::{DeliveryKey, Outcome};
use crate::loops::push::tests::{KEY, START, message, subscription, topic};
use crate::testing::rng;

fn replay(which: Which, from: u64, to: u64) -> Replay {
    let (stage, created) = (ReplayStage::Running, START);
    Replay {
        no: 3,
        which,
        from,
        to,
        next: from,
        rate_per_s: 1_000,
        stage,
        delivered: 0,
        failed: 0,
        created,
        ended: None,
    }
}

/// A loop with a log of messages; every second one is wanted when `tagged`.
struct Scene {
    replay: ReplayLoop,
    now: Timestamp,
    rng: rand::rngs::StdRng,
    /// Messages below this place are gone.
    kept: u64,
    posts: Vec<(u64, u32)>,
    records: Vec<ReplayRecord>,
}

impl Scene {
    fn new(subscription: Subscription, replay: Replay) -> Self {
        let topic = Arc::new(Topic { next_seq: 101, ..topic(86_400) });
        let replay = ReplayLoop::new(topic, Arc::new(subscription), replay);
        Self { replay, now: START, rng: rng(1), kept: 1, posts: Vec::new(), records: Vec::new() }
    }

    fn tell(&mut self, input: ReplayInput) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.replay.on(input, self.now, &mut self.rng, &mut out);
            for output in out {
                match output {
                    ReplayOutput::Load { after, most } => inputs.push(self.load(after, most)),
                    ReplayOutput::Post { attempt, message } => self.posts.push((message.seq, attempt)),
                    ReplayOutput::Record(record) => {
                        self.records.push(*record);
                        inputs.push(ReplayInput::Recorded);
                    }
                }
            }
        }
    }

    fn load(&self, after: u64, most: usize) -> ReplayInput {
        let seqs: Vec<u64> = match &self.replay.replay.which {
            Which::All => (after + 1..=100).collect(),
            Which::These { seqs } => seqs.iter().copied().filter(|seq| *seq > after).collect(),
            Which::Dead { .. } => (after + 1..=100).filter(|seq| seq % 10 == 0).collect(),
        };
        let to = self.replay.replay.to;
        let found: Vec<Found> =
            seqs.into_iter().filter(|seq| *seq <= to).take(most).map(|seq| self.found(seq)).collect();
        let through = if found.len() == most { found[most - 1].seq } else { to };
        ReplayInput::Loaded { found, through }
    }

    fn found(&self, seq: u64) -> Found {
        let tag = if seq.is_multiple_of(2) { "wanted" } else { "other" };
        let message = (seq >= self.kept).then(|| message(seq, START, tag));
        let dead = !matches!(self.replay.replay.which, Which::All);
        Found { seq, message, attempts: 2, dead }
    }

    fn answer(&mut self, seq: u64, number: u32, status: u16) {
        self.answer_after(seq, number, status, None);
    }

    fn answer_after(&mut self, seq: u64, number: u32, status: u16, retry_after_ms: Option<u64>) {
        self.posts.retain(|post| *post != (seq, number));
        let key = DeliveryKey { subscription: KEY, seq };
        let outcome = Outcome::Replied { status, body: String::new() };
        let attempt =
            Arc::new(Attempt { key, number, at: self.now, duration_ms: 1, address: "http://a/".into(), outcome });
        self.tell(ReplayInput::Posted(Posted { attempt, retry_after_ms, owner: None }));
    }

    fn wake(&mut self) {
        self.now = self.replay.wake().max(self.now);
        self.tell(ReplayInput::Tick);
    }

    fn end(&self) -> Option<&ReplayStage> {
        self.records.last().and_then(|record| record.end.as_ref())
    }

    /// Answers everything until the replay has ended; gives the places in the order in which they were posted.
    fn run(&mut self, status: impl Fn(u64, u32) -> u16) -> Vec<u64> {
        let mut arrived = Vec::new();
        self.tell(ReplayInput::Tick);
        for _ in 0..100_000 {
            if self.end().is_some() {
                return arrived;
            }
            match self.posts.first().copied() {
                Some((seq, number)) => {
                    arrived.push(seq);
                    self.answer(seq, number, status(seq, number));
                }
                None => self.wake(),
            }
        }
        panic!("the replay comes to no end: {:?}", self.replay);
    }
}

#[test]
fn a_rewind_posts_what_is_wanted_once_more_and_says_when_it_is_done() {
    let mut stage = Scene::new(subscription(Strategy::ExponentialDecayRetry, &["wanted"]), replay(Which::All, 11, 90));
    let arrived = stage.run(|_, number| if number == 3 { 200 } else { 500 });
    assert_eq!(arrived, (11..=90).filter(|seq| seq % 2 == 0).collect::<Vec<_>>());
    assert_eq!(stage.end(), Some(&ReplayStage::Done));
    let last = stage.records.last().unwrap();
    assert_eq!((last.next, last.no), (91, 3));
    assert_eq!(stage.records.iter().map(|record| record.count).sum::<u64>(), 40);
    assert!(stage.records.iter().all(|record| record.delivered.is_empty()), "nothing has a row");
    assert!(stage.records.is_sorted_by_key(|record| record.next));
}

#[test]
fn a_failure_is_tried_again_as_the_strategy_says_and_holds_the_place() {
    let mut stage = Scene::new(subscription(Strategy::ExponentialDecayRetry, &[]), replay(Which::All, 1, 4));
    let arrived = stage.run(|seq, number| if seq == 2 && number < 5 { 500 } else { 200 });
    assert_eq!(arrived, [1, 2, 3, 4, 2, 2]);
    assert!(stage.now.since_ms(START) >= 3_000, "after 1 s and 2 s more");
    assert!(stage.records.iter().rev().skip(1).all(|record| record.next <= 2));
    let numbers: Vec<u32> = stage
        .records
        .iter()
        .flat_map(|record| &record.attempts)
        .filter(|one| one.key.seq == 2)
        .map(|one| one.number)
        .collect();
    assert_eq!(numbers, [3, 4, 5], "the numbers go on where they were");
}

#[test]
fn in_order_a_failing_message_holds_back_the_next_until_it_is_given_up() {
    let mut stage = Scene::new(subscription(Strategy::BackoffRetry, &[]), replay(Which::All, 1, 3));
    let arrived = stage.run(|seq, _| if seq == 2 { 500 } else { 200 });
    assert_eq!(arrived, [1, 2, 2, 2, 2, 3]);
    let dead: Vec<(u64, u32)> =
        stage.records.iter().flat_map(|record| &record.dead).map(|(text, attempts)| (text.seq, *attempts)).collect();
    assert_eq!((dead, stage.end()), (vec![(2, 6)], Some(&ReplayStage::Done)));
}

#[test]
fn given_up_deliveries_lose_their_rows_and_those_gone_are_counted() {
    let mut stage = Scene::new(subscription(Strategy::default(), &[]), replay(Which::Dead { since: START }, 5, 45));
    stage.kept = 15;
    assert_eq!(stage.run(|_, _| 204), [20, 30, 40]);
    let rows: Vec<u64> = stage.records.iter().flat_map(|record| record.delivered.clone()).collect();
    assert_eq!((rows, stage.records.iter().map(|record| record.lost).sum::<u64>()), (vec![20, 30, 40], 1));
}

#[test]
fn a_rewind_over_what_is_gone_fails_by_name() {
    let mut stage = Scene::new(subscription(Strategy::default(), &[]), replay(Which::All, 5, 45));
    stage.kept = 7;
    assert!(stage.run(|_, _| 200).is_empty());
    let reason = "the message at place 5 is over the topic's retention and is gone".to_owned();
    assert_eq!(stage.end(), Some(&ReplayStage::Failed { reason }));
    assert_eq!(stage.records.last().unwrap().next, 5);
}

#[test]
fn retry_after_counts_where_its_status_says_so_and_within_its_bound() {
    for (status, obeys, waits_ms) in [(503, true, limits::RETRY_AFTER_MOST_MS), (503, false, 1_000), (500, true, 1_000)]
    {
        let mut subscription = subscription(Strategy::ExponentialDecayRetry, &[]);
        subscription.manner.retry_after = obeys;
        let mut scene = Scene::new(subscription, replay(Which::All, 2, 2));
        scene.replay.topic = Arc::new(Topic { next_seq: 101, ..topic(15 * 86_400) });
        scene.tell(ReplayInput::Tick);
        let (seq, number) = scene.posts[0];
        scene.answer_after(seq, number, status, Some(u64::MAX));
        let (at, _) = scene.replay.due().expect("it is tried again");
        assert_eq!(at, START.plus_ms(waits_ms), "{status}, {obeys}");
    }
}

#[test]
fn it_keeps_to_its_rate() {
    let slow = Replay { rate_per_s: 10, ..replay(Which::All, 1, 21) };
    let mut stage = Scene::new(subscription(Strategy::default(), &[]), slow);
    assert_eq!(stage.run(|_, _| 200).len(), 21);
    assert!((1_900..=2_100).contains(&stage.now.since_ms(START)), "{} ms", stage.now.since_ms(START));
}

#[test]
fn nothing_leaves_while_the_subscription_is_paused() {
    let active = subscription(Strategy::default(), &[]);
    let why = crate::subscription::PauseReason::Asked;
    let paused = Subscription { stage: Stage::Paused { why, since: START }, ..active.clone() };
    let mut stage = Scene::new(paused, replay(Which::These { seqs: vec![4, 8] }, 4, 8));
    stage.tell(ReplayInput::Tick);
    assert_eq!((stage.posts.len(), stage.replay.wake()), (0, Timestamp::NEVER));
    let topic = stage.replay.topic.clone();
    stage.tell(ReplayInput::Changed(topic, Arc::new(active)));
    assert_eq!(stage.run(|_, _| 200), [4, 8]);
}

proptest! {
    /// However posts end and whenever the loop is replaced by one that begins from what was recorded, every message is
    /// delivered or given up, and the recorded place is never ahead of one that is neither.
    #[test]
    fn nothing_is_passed_over(seed in proptest::num::u64::ANY, ordered in proptest::bool::ANY) {
        let strategy = if ordered { Strategy::BackoffRetry } else { Strategy::ExponentialDecayRetry };
        let mut random = rng(seed);
        let mut durable = replay(Which::All, 1, random.random_range(1..60));
        let mut ended: BTreeMap<u64, bool> = BTreeMap::new();
        let mut stage = Scene::new(subscription(strategy, &[]), durable.clone());
        stage.tell(ReplayInput::Tick);
        for _ in 0..5_000 {
            if stage.posts.is_empty() || random.random_range(0..4) == 0 {
                stage.wake();
            } else {
                let at = random.random_range(0..stage.posts.len());
                let (seq, number) = stage.posts[at];
                let good = random.random_range(0..3) > 0;
                if good {
                    ended.insert(seq, true);
                }
                stage.answer(seq, number, if good { 200 } else { 500 });
            }
            for record in std::mem::take(&mut stage.records) {
                ended.extend(record.dead.iter().map(|(text, _)| (text.seq, false)));
                durable.next = record.next;
                for seq in 1..record.next {
                    prop_assert!(ended.contains_key(&seq), "{} is passed over", seq);
                }
                if record.end.is_some() {
                    prop_assert_eq!(record.next, durable.to + 1);
                    return Ok(());
                }
            }
            if random.random_range(0..50) == 0 {
                let now = stage.now;
                stage = Scene::new(subscription(strategy, &[]), durable.clone());
                stage.now = now;
                stage.tell(ReplayInput::Tick);
            }
        }
    }
}
