//! A push loop by hand: tables of what it posts, when, and what it records.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Posted, PushInput, PushLimits, PushLoop, PushOutput};
use crate::command::DeliveryRecord;
use crate::delivery::{Attempt, Delivery, DeliveryKey, DeliveryStage, Outcome};
use crate::event::Outlets;
use crate::id::{SubscriptionId, TopicId};
use crate::subscription::{Endpoint, Format, Health, Manner, Stage, Strategy, Subscription, SubscriptionKey};
use crate::time::Timestamp;
use crate::topic::{FilterType, StreamNo, Topic, TopicMessage};

pub(crate) const KEY: SubscriptionKey = SubscriptionKey { topic: StreamNo(1), no: 1 };
pub(crate) const START: Timestamp = Timestamp(1_800_000_000_000);
pub(super) const DAY_S: u64 = 86_400;

pub(crate) fn topic(retention_s: u64) -> Topic {
    Topic {
        no: KEY.topic,
        id: TopicId::FIRST,
        name: "topic".into(),
        filter: FilterType::Tags,
        max_msg_bytes: 65_536,
        retention_s,
        trace: false,
        tags: Vec::new(),
        next_seq: 1,
        next_subscription: 2,
        created: START,
        modified: START,
    }
}

pub(crate) fn subscription(strategy: Strategy, filter_tags: &[&str]) -> Subscription {
    Subscription {
        key: KEY,
        id: SubscriptionId::FIRST,
        name: "subscription".into(),
        endpoint: Endpoint::Http { url: "http://127.0.0.1:1/".into() },
        strategy,
        format: Format::Json,
        filter_tags: filter_tags.iter().map(|tag| (*tag).to_owned()).collect(),
        binding_keys: Vec::new(),
        start: 0,
        manner: Manner::default(),
        secrets: None,
        replays: Vec::new(),
        stage: Stage::default(),
        health: Health::default(),
        outlets: Outlets::default(),
        cursor: 0,
        created: START,
        modified: START,
    }
}

pub(crate) fn message(seq: u64, published: Timestamp, tag: &str) -> Arc<TopicMessage> {
    let (body, tags) = (format!("message {seq}").into(), vec![tag.to_owned()]);
    Arc::new(TopicMessage {
        topic: KEY.topic,
        seq,
        published,
        body,
        tags,
        routing_key: String::new(),
        previous: 0,
        owner: None,
    })
}

pub(crate) fn attempt(seq: u64, number: u32, at: Timestamp, status: u16) -> Arc<Attempt> {
    let key = DeliveryKey { subscription: KEY, seq };
    let outcome = Outcome::Replied { status, body: String::new() };
    Arc::new(Attempt { key, number, at, duration_ms: 1, address: "http://127.0.0.1:1/".into(), outcome })
}

/// An attempt as it is told to the loop.
pub(super) fn posted(attempt: Arc<Attempt>) -> PushInput {
    PushInput::Posted(Posted { attempt, retry_after_ms: None, owner: None })
}

pub(super) fn row(seq: u64, attempts: u32, stage: DeliveryStage) -> Delivery {
    Delivery { key: DeliveryKey { subscription: KEY, seq }, stage, attempts }
}

/// A loop with its log. Loads are answered at once, records when told.
pub(super) struct Stand {
    push: PushLoop,
    pub(super) log: Vec<Arc<TopicMessage>>,
    pub(super) now: Timestamp,
    rng: rand::rngs::StdRng,
    /// Posts that have not been answered, with their attempts' numbers.
    pub(super) posts: BTreeMap<u64, u32>,
    records: Vec<DeliveryRecord>,
}

impl Stand {
    fn new(strategy: Strategy) -> Self {
        Self::resume(strategy, DAY_S, Vec::new(), 0, Vec::new())
    }

    fn resume(
        strategy: Strategy,
        retention_s: u64,
        log: Vec<Arc<TopicMessage>>,
        cursor: u64,
        rows: Vec<Delivery>,
    ) -> Self {
        Self::of(Subscription { cursor, ..subscription(strategy, &["wanted"]) }, retention_s, log, rows)
    }

    pub(super) fn of(
        subscription: Subscription,
        retention_s: u64,
        log: Vec<Arc<TopicMessage>>,
        rows: Vec<Delivery>,
    ) -> Self {
        let topic = Topic { next_seq: log.len() as u64 + 1, ..topic(retention_s) };
        let push = PushLoop::new(Arc::new(topic), Arc::new(subscription), rows, PushLimits::default());
        let (posts, rng) = (BTreeMap::new(), crate::testing::rng(1));
        let mut stand = Self { push, log, now: START, rng, posts, records: Vec::new() };
        stand.tell(PushInput::Tick);
        stand
    }

    pub(super) fn tell(&mut self, input: PushInput) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.push.on(input, self.now, &mut self.rng, &mut out);
            assert!(self.push.wake() > self.now, "what is due is done");
            for output in out {
                match output {
                    PushOutput::Load { after, most } => inputs.push(self.load(after, most)),
                    PushOutput::Post { seq, attempt, message } => {
                        assert!(message.is_none_or(|message| message.seq == seq));
                        assert_eq!(self.posts.insert(seq, attempt), None, "message {seq} is in flight already");
                    }
                    PushOutput::Record(record) => self.records.push(record),
                }
            }
        }
        assert_eq!(self.push.in_flight(), self.posts.len());
    }

    fn load(&self, after: u64, most: usize) -> PushInput {
        let found = self.log.iter().filter(|message| message.seq > after);
        let messages: Vec<_> = found.take(most).cloned().collect();
        let end = self.log.last().map_or(0, |message| message.seq);
        let through = if messages.len() == most { messages[most - 1].seq } else { end };
        PushInput::Loaded { messages, through }
    }

    fn publish(&mut self, tags: &[&str]) {
        for tag in tags {
            let seq = self.log.len() as u64 + 1;
            self.log.push(message(seq, self.now, tag));
        }
        self.tell(PushInput::Grown(self.log.len() as u64));
    }

    pub(super) fn answer(&mut self, seq: u64, status: u16) {
        let number = self.posts.remove(&seq).expect("it is in flight");
        self.tell(posted(attempt(seq, number, self.now, status)));
    }

    /// Lets time pass to the loop's next wish.
    pub(super) fn wake(&mut self) {
        self.now = self.push.wake();
        assert!(self.now < Timestamp::NEVER, "nothing is awaited");
        self.tell(PushInput::Tick);
    }

    /// The records so far, each of them committed.
    pub(super) fn commit(&mut self) -> Vec<DeliveryRecord> {
        let mut records = Vec::new();
        while !self.records.is_empty() {
            records.append(&mut self.records);
            self.tell(PushInput::Recorded);
        }
        records
    }

    pub(super) fn in_flight(&self) -> Vec<u64> {
        self.posts.keys().copied().collect()
    }
}

#[test]
fn successes_become_durable_together_and_late() {
    let mut stand = Stand::new(Strategy::ExponentialDecayRetry);
    stand.publish(&["wanted", "wanted", "wanted"]);
    assert_eq!(stand.in_flight(), [1, 2, 3]);
    for seq in [1, 2, 3] {
        stand.answer(seq, 204);
        assert!(stand.records.is_empty(), "no hurry");
        stand.now = stand.now.plus_ms(10);
    }
    stand.wake();
    assert_eq!(stand.now, START.plus_ms(100));
    let records = stand.commit();
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].cursor, records[0].attempts.len()), (3, 3));
    assert!(records[0].put.is_empty() && records[0].cleared.is_empty(), "what the cursor has passed needs no row");
    assert_eq!(stand.push.wake(), Timestamp::NEVER);
}

#[test]
fn a_failure_becomes_durable_at_once_and_is_tried_beside_later_messages() {
    let mut stand = Stand::new(Strategy::ExponentialDecayRetry);
    stand.publish(&["wanted", "wanted"]);
    stand.answer(1, 500);
    let next = START.plus_ms(1_000);
    let records = stand.commit();
    assert_eq!(records[0].put, [row(1, 1, DeliveryStage::Retrying { next })]);
    assert_eq!((records[0].cursor, records[0].attempts.len()), (0, 1));
    stand.answer(2, 200);
    stand.wake();
    assert_eq!(stand.commit()[0].put, [row(2, 1, DeliveryStage::Delivered)], "ahead of the cursor");
    stand.wake();
    assert_eq!((stand.now, stand.posts.clone()), (next, BTreeMap::from([(1, 2)])));
    stand.answer(1, 200);
    stand.wake();
    let last = &stand.commit()[0];
    assert_eq!((last.cursor, last.cleared.clone()), (2, vec![1, 2]));
}

#[test]
fn decay_tries_177_times_in_a_day_then_gives_up() {
    let mut stand = Stand::new(Strategy::ExponentialDecayRetry);
    stand.publish(&["wanted"]);
    let mut at = Vec::new();
    while let Some(number) = stand.posts.get(&1).copied() {
        at.push(stand.now.since_ms(START) / 1_000);
        assert_eq!(number as usize, at.len());
        stand.answer(1, 503);
        let records = stand.commit();
        assert_eq!(records.len(), 1);
        if stand.push.wake() < Timestamp::NEVER {
            stand.wake();
        } else {
            assert_eq!(records[0].put, [row(1, 177, DeliveryStage::Dead)]);
            assert_eq!(records[0].cursor, 1);
        }
    }
    assert_eq!(at[..12], [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1_023, 1_535]);
    assert_eq!((at.len(), at.last()), (177, Some(&86_015)));
}

#[test]
fn retries_never_extend_the_retention() {
    let mut stand = Stand::resume(Strategy::ExponentialDecayRetry, 60, Vec::new(), 0, Vec::new());
    stand.publish(&["wanted"]);
    let mut posts = 0;
    while stand.posts.contains_key(&1) {
        posts += 1;
        stand.answer(1, 500);
        let records = stand.commit();
        match records[0].put[0].stage {
            DeliveryStage::Retrying { next } => assert!(next < START.plus_s(60)),
            stage => assert_eq!((stage, posts), (DeliveryStage::Dead, 6), "the seventh would leave after 63 s"),
        }
        if stand.push.wake() < Timestamp::NEVER {
            stand.wake();
        }
    }
    assert_eq!(stand.push.cursor(), 1);
}

#[test]
fn backoff_holds_later_messages_back_and_goes_on_after_three_retries() {
    let mut stand = Stand::new(Strategy::BackoffRetry);
    stand.publish(&["wanted", "wanted", "wanted"]);
    for number in 1..=4 {
        assert_eq!(stand.posts, BTreeMap::from([(1, number)]), "only the first, until it has ended");
        stand.answer(1, 500);
        let record = stand.commit().remove(0);
        if number < 4 {
            assert!(stand.posts.is_empty());
            let before = stand.now;
            stand.wake();
            assert!((10_000..=20_000).contains(&stand.now.since_ms(before)));
        } else {
            assert_eq!((record.put, record.cursor), (vec![row(1, 4, DeliveryStage::Dead)], 1));
        }
    }
    assert_eq!(stand.posts, BTreeMap::from([(2, 1)]));
    stand.answer(2, 200);
    assert_eq!(stand.posts, BTreeMap::from([(3, 1)]));
}

#[test]
fn the_window_bounds_what_is_begun() {
    let limits = PushLimits::default();
    let mut stand = Stand::new(Strategy::ExponentialDecayRetry);
    stand.publish(&vec!["wanted"; 3 * limits.window]);
    let mut begun = 0;
    while let Some(seq) = stand.in_flight().first().copied() {
        assert!(stand.posts.len() <= limits.in_flight);
        begun += 1;
        stand.answer(seq, 500);
        stand.commit();
    }
    assert_eq!((begun, stand.push.cursor()), (limits.window, 0));
    stand.wake();
    assert_eq!(stand.posts.len(), limits.in_flight, "retries keep to the bound, too");
    let seq = stand.in_flight()[0];
    stand.answer(seq, 200);
    while stand.posts.keys().all(|seq| *seq <= limits.window as u64) {
        let seq = stand.in_flight()[0];
        stand.answer(seq, 500);
        stand.commit();
    }
    assert!(stand.posts.contains_key(&(limits.window as u64 + 1)), "one ended, so one more begins");
}

#[test]
fn what_is_not_wanted_ends_without_a_post() {
    let mut stand = Stand::new(Strategy::ExponentialDecayRetry);
    stand.publish(&["other", "wanted", "other"]);
    assert_eq!((stand.in_flight(), stand.push.cursor()), (vec![2], 1));
    stand.answer(2, 200);
    stand.wake();
    assert_eq!(stand.commit()[0].cursor, 3);
    let filter = Subscription { cursor: 3, ..subscription(Strategy::ExponentialDecayRetry, &["other"]) };
    stand.tell(PushInput::Changed(Arc::new(topic(DAY_S)), Arc::new(filter)));
    stand.publish(&["other", "wanted"]);
    assert_eq!(stand.in_flight(), [4]);
}

#[test]
fn what_is_past_its_retention_dies_without_a_post() {
    let old = START.plus_ms(1).minus_s(DAY_S);
    let log = vec![message(1, START.minus_s(DAY_S), "wanted"), message(2, old, "wanted")];
    let mut stand = Stand::resume(Strategy::ExponentialDecayRetry, DAY_S, log, 0, Vec::new());
    assert_eq!(stand.in_flight(), [2]);
    let record = stand.commit().remove(0);
    assert_eq!((record.cursor, record.put), (1, vec![row(1, 0, DeliveryStage::Dead)]));
}

#[test]
fn a_message_that_has_left_the_log_dies() {
    let retrying = DeliveryStage::Retrying { next: START };
    let mut stand = Stand::resume(Strategy::ExponentialDecayRetry, DAY_S, Vec::new(), 0, vec![row(1, 5, retrying)]);
    assert_eq!(stand.posts, BTreeMap::from([(1, 6)]));
    stand.posts.clear();
    stand.tell(PushInput::Gone(1));
    assert_eq!(stand.commit()[0].put, [row(1, 5, DeliveryStage::Dead)]);
}

#[test]
fn a_new_loop_goes_on_from_what_is_durable() {
    let log: Vec<_> = (1..=6).map(|seq| message(seq, START, "wanted")).collect();
    let next = START.plus_ms(700);
    let rows = vec![
        row(1, 1, DeliveryStage::Delivered),
        row(3, 2, DeliveryStage::Retrying { next }),
        row(4, 1, DeliveryStage::Delivered),
        row(5, 4, DeliveryStage::Dead),
    ];
    let mut stand = Stand::resume(Strategy::ExponentialDecayRetry, DAY_S, log, 1, rows);
    assert_eq!(stand.posts, BTreeMap::from([(2, 1), (6, 1)]));
    stand.wake();
    assert_eq!(stand.commit()[0].cleared, [1], "left behind the cursor");
    stand.wake();
    assert_eq!((stand.now, stand.posts.get(&3)), (next, Some(&3)));
    for seq in [2, 6, 3] {
        stand.answer(seq, 200);
    }
    stand.wake();
    let last = stand.commit().remove(0);
    assert_eq!((last.cursor, last.cleared), (6, vec![3, 4]));
}

#[test]
fn under_backoff_a_row_waits_for_what_lies_before_it() {
    let log: Vec<_> = (1..=3).map(|seq| message(seq, START, "wanted")).collect();
    let rows = vec![row(2, 1, DeliveryStage::Retrying { next: START })];
    let mut stand = Stand::resume(Strategy::BackoffRetry, DAY_S, log, 0, rows);
    for (seq, number) in [(1, 1), (2, 2), (3, 1)] {
        assert_eq!(stand.posts, BTreeMap::from([(seq, number)]));
        stand.answer(seq, 200);
    }
}

#[test]
fn answers_that_were_not_asked_for_change_nothing() {
    let mut stand = Stand::new(Strategy::ExponentialDecayRetry);
    stand.publish(&["wanted"]);
    for (seq, number) in [(1, 2), (2, 1)] {
        stand.tell(posted(attempt(seq, number, START, 200)));
    }
    stand.tell(PushInput::Gone(2));
    assert_eq!((stand.in_flight(), stand.push.cursor()), (vec![1], 0));
    assert_eq!(stand.push.wake(), Timestamp::NEVER, "nothing to record");
}

#[test]
fn posts_wait_when_records_do_not_come_back() {
    let most = PushLimits::default().unrecorded;
    let mut stand = Stand::new(Strategy::ExponentialDecayRetry);
    stand.publish(&vec!["wanted"; 3 * most]);
    let mut ended = 0;
    while let Some(seq) = stand.in_flight().first().copied() {
        stand.answer(seq, 200);
        ended += 1;
    }
    assert_eq!(stand.records.len(), 1, "one record at a time");
    assert!(ended < 2 * most + 2 * PushLimits::default().in_flight, "{ended}");
    while !stand.records.is_empty() || !stand.posts.is_empty() {
        stand.commit();
        while let Some(seq) = stand.in_flight().first().copied() {
            stand.answer(seq, 200);
        }
    }
    assert_eq!(stand.push.cursor(), 3 * most as u64);
}
