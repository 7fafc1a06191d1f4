//! The push loop in a world that fails: posts are answered late and at random, records are committed late or not at
//! all, the loop is lost at any moment and begins anew from what is durable. Time is virtual; a seed is a history.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use proptest::prelude::*;
use rand::RngExt;
use rand::rngs::StdRng;

use super::tests::{KEY, START, attempt, message, posted, subscription, topic};
use super::{PushInput, PushLimits, PushLoop, PushOutput};
use crate::change::{Change, What};
use crate::command::{Command, DeliveryRecord};
use crate::decide::{Settings, decide};
use crate::delivery::{DeliveryKey, DeliveryStage};
use crate::event::Owner;
use crate::evolve::evolve;
use crate::id::JobId;
use crate::loops::expire::cutoffs;
use crate::state::{Row, State};
use crate::subscription::{Manner, Order, Strategy, Subscription};
use crate::time::Timestamp;
use crate::topic::TopicMessage;

const MESSAGES: u64 = 40;

/// What will happen.
enum Due {
    Publish,
    Load { after: u64, most: usize },
    Answer { seq: u64, number: u32 },
    Gone(u64),
    Commit(Box<DeliveryRecord>),
    Crash,
}

struct World {
    rng: StdRng,
    now: Timestamp,
    strategy: Strategy,
    order: Order,
    limits: PushLimits,
    /// How likely a post fails.
    failing: f64,
    /// Topic, subscription and deliveries as the ledger has them.
    state: State,
    log: Vec<Arc<TopicMessage>>,
    push: PushLoop,
    /// Which loop this is; what an earlier one asked for is not told to it.
    life: u32,
    agenda: BinaryHeap<Reverse<(Timestamp, u64)>>,
    due: BTreeMap<u64, (u32, Due)>,
    published: BTreeMap<u64, Timestamp>,
    owners: BTreeMap<u64, Option<Owner>>,
    wanted: BTreeSet<u64>,
    received: BTreeSet<u64>,
    in_flight: BTreeSet<u64>,
    last_post: u64,
}

impl World {
    fn new(seed: u64, strategy: Strategy, order: Order) -> Self {
        let mut rng = crate::testing::rng(seed);
        let limits = PushLimits {
            in_flight: rng.random_range(1..6),
            window: rng.random_range(1..8),
            ahead: rng.random_range(1..10),
            page: rng.random_range(1..6),
            unrecorded: rng.random_range(1..20),
            record_lag_ms: 100,
        };
        let retention_s = [120, 3_600, 86_400][rng.random_range(0..3)];
        let failing = [0.0, 0.3, 0.9, 1.0][rng.random_range(0..4)];
        let mut state = State::default();
        state.load(Row::Topic(Arc::new(topic(retention_s))));
        let manner = Manner { order, ..Manner::default() };
        let row = Subscription { manner, ..subscription(strategy, &["wanted"]) };
        state.load(Row::Subscription(Arc::new(row)));
        let mut world = Self {
            push: begin(&state, limits),
            rng,
            now: START,
            strategy,
            order,
            limits,
            failing,
            state,
            log: Vec::new(),
            life: 0,
            agenda: BinaryHeap::new(),
            due: BTreeMap::new(),
            published: BTreeMap::new(),
            owners: BTreeMap::new(),
            wanted: BTreeSet::new(),
            received: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            last_post: 0,
        };
        for _ in 0..MESSAGES {
            world.in_ms(60_000, Due::Publish);
        }
        for _ in 0..world.rng.random_range(0..6) {
            world.in_ms(90_000, Due::Crash);
        }
        world
    }

    /// Lets something happen within so many milliseconds.
    fn in_ms(&mut self, within: u64, due: Due) {
        let (at, number) = (self.now.plus_ms(self.rng.random_range(0..within)), self.agenda.len() as u64);
        let number = self.due.last_key_value().map_or(number, |(last, _)| last + 1);
        self.agenda.push(Reverse((at, number)));
        self.due.insert(number, (self.life, due));
    }

    /// Lets everything happen, until nothing more will.
    fn run(&mut self) {
        self.tell(PushInput::Tick);
        loop {
            let wake = self.push.wake();
            match self.agenda.peek().copied() {
                Some(Reverse((at, number))) if at <= wake => {
                    self.agenda.pop();
                    self.now = self.now.max(at);
                    let (life, due) = self.due.remove(&number).unwrap();
                    self.happen(life, due);
                }
                _ if wake == Timestamp::NEVER => return,
                _ => {
                    self.now = wake;
                    self.tell(PushInput::Tick);
                }
            }
        }
    }

    fn happen(&mut self, life: u32, due: Due) {
        let mine = life == self.life;
        match due {
            Due::Publish => self.publish(),
            Due::Crash => {
                self.life += 1;
                self.push = begin(&self.state, self.limits);
                self.in_flight.clear();
                self.last_post = 0;
                self.tell(PushInput::Tick);
            }
            Due::Load { after, most } if mine => {
                let found = self.log.iter().filter(|message| message.seq > after);
                let messages: Vec<_> = found.take(most).cloned().collect();
                let end = self.published.len() as u64;
                let through = if messages.len() == most { messages[most - 1].seq } else { end };
                self.tell(PushInput::Loaded { messages, through });
            }
            Due::Answer { seq, number } => {
                let fails = self.rng.random_bool(self.failing);
                if !fails {
                    self.received.insert(seq);
                }
                if mine {
                    self.in_flight.remove(&seq);
                    let status = if fails { 500 } else { 200 };
                    self.tell(posted(attempt(seq, number, self.now, status)));
                }
            }
            Due::Gone(seq) if mine => {
                self.in_flight.remove(&seq);
                self.tell(PushInput::Gone(seq));
            }
            // That of a lost loop is committed late, behind the new one's back, or never.
            Due::Commit(record) if mine || self.rng.random_bool(0.5) => {
                self.commit(*record);
                if mine {
                    self.tell(PushInput::Recorded);
                }
            }
            Due::Load { .. } | Due::Gone(_) | Due::Commit(_) => {}
        }
    }

    fn publish(&mut self) {
        let seq = self.published.len() as u64 + 1;
        let tag = if self.rng.random_bool(0.8) { "wanted" } else { "other" };
        if tag == "wanted" {
            self.wanted.insert(seq);
        }
        let jobs = [None, Some(Owner::Job(JobId::FIRST)), Some(Owner::Job(JobId::LAST))];
        let owner = jobs[self.rng.random_range(0..jobs.len())];
        self.owners.insert(seq, owner);
        self.log.push(Arc::new(TopicMessage { owner, ..(*message(seq, self.now, tag)).clone() }));
        self.published.insert(seq, self.now);
        evolve(&mut self.state, &Change { at: self.now, what: What::TopicGrew(KEY.topic, 1), notices: Vec::new() });
        self.expire();
        self.tell(PushInput::Grown(seq));
    }

    fn expire(&mut self) {
        let cutoff = cutoffs(&self.state, &crate::decide::Settings::default(), self.now, Timestamp(0)).topics[0];
        self.log.retain(|message| !cutoff.takes(message.seq, message.published));
    }

    fn tell(&mut self, input: PushInput) {
        let mut out = Vec::new();
        self.push.on(input, self.now, &mut self.rng, &mut out);
        assert!(self.push.wake() > self.now, "what is due is done");
        for output in out {
            match output {
                PushOutput::Load { after, most } => self.in_ms(20, Due::Load { after, most }),
                PushOutput::Post { seq, attempt, .. } => self.post(seq, attempt),
                PushOutput::Record(record) => self.in_ms(300, Due::Commit(Box::new(record))),
            }
        }
    }

    fn post(&mut self, seq: u64, number: u32) {
        assert!(self.wanted.contains(&seq), "message {seq} is not wanted");
        assert!(self.in_flight.insert(seq), "message {seq} is in flight already");
        if let (Order::Job, Some(owner)) = (self.order, self.owners[&seq]) {
            // What has arrived may be repeated at any time: a record of a lost loop can make it look unfinished.
            let earlier = self.wanted.range(..seq).filter(|earlier| self.owners[*earlier] == Some(owner));
            for earlier in earlier.filter(|earlier| !self.received.contains(earlier)) {
                assert!(!self.is_unfinished(*earlier), "{seq} of {owner} before {earlier}");
            }
        }
        match (self.strategy, self.order) {
            (Strategy::ExponentialDecayRetry, _) | (_, Order::Job) => {
                assert!(self.in_flight.len() <= self.limits.in_flight);
                assert!(number > 1 || self.order == Order::Job || self.push.open.len() <= self.limits.window);
            }
            (Strategy::BackoffRetry, Order::Strategy) => {
                assert!(self.in_flight.len() == 1 && seq >= self.last_post, "in order, one at a time");
                assert_eq!(self.push.cursor() + 1, seq, "later messages wait");
            }
        }
        self.last_post = seq;
        let within = if self.rng.random_bool(0.1) { 15_000 } else { 200 };
        let there = self.log.iter().any(|message| message.seq == seq);
        self.in_ms(within, if there { Due::Answer { seq, number } } else { Due::Gone(seq) });
    }

    fn commit(&mut self, record: DeliveryRecord) {
        for row in record.put.iter().filter(|row| row.stage == DeliveryStage::Dead) {
            let over = self.published[&row.key.seq].plus_s(self.state.topic(KEY.topic).unwrap().retention_s);
            let tries = if self.strategy == Strategy::BackoffRetry { 4 } else { 177 };
            assert!(row.attempts == tries || over <= self.now.plus_s(512), "{row:?} was given up too early");
        }
        let command = Command::RecordDeliveries(Box::new(record));
        let decision = decide(&self.state, &Settings::default(), command, self.now, &mut self.rng).unwrap();
        for change in decision.changes {
            evolve(&mut self.state, &change);
        }
        crate::invariant::check(&self.state).unwrap();
        let cursor = self.state.subscription(KEY).unwrap().cursor;
        for seq in self.wanted.range(..=cursor) {
            assert!(self.received.contains(seq) || self.is_dead(*seq), "{cursor} is ahead of {seq}");
        }
        for (key, row) in self.state.deliveries.iter() {
            assert!(row.stage != DeliveryStage::Delivered || self.received.contains(&key.seq));
        }
        self.expire();
    }

    /// Whether the loop has still to post a message.
    fn is_unfinished(&self, seq: u64) -> bool {
        let is_ready = self.push.ready.iter().any(|message| message.seq == seq);
        let is_unread = seq > self.push.read && !self.push.settled.contains(&seq);
        self.push.open.contains_key(&seq) || is_ready || is_unread
    }

    fn is_dead(&self, seq: u64) -> bool {
        let row = self.state.deliveries.get(&DeliveryKey { subscription: KEY, seq });
        row.is_some_and(|row| row.stage == DeliveryStage::Dead)
    }
}

fn begin(state: &State, limits: PushLimits) -> PushLoop {
    let (topic, subscription) = (state.topic(KEY.topic).unwrap(), state.subscription(KEY).unwrap());
    let rows = state.deliveries.iter().map(|(_, row)| (**row).clone());
    let rows = rows.filter(|row| row.key.seq > subscription.cursor || row.stage != DeliveryStage::Dead);
    PushLoop::new(topic.clone(), subscription.clone(), rows.collect(), limits)
}

fn check(seed: u64, strategy: Strategy, order: Order) {
    let mut world = World::new(seed, strategy, order);
    world.run();
    // A last loss shows that nothing was left behind.
    world.happen(world.life, Due::Crash);
    world.run();
    assert_eq!(world.state.subscription(KEY).unwrap().cursor, MESSAGES);
    assert_eq!(world.push.cursor(), MESSAGES);
    for seq in &world.wanted {
        assert!(world.received.contains(seq) || world.is_dead(*seq), "message {seq} is lost");
    }
    let left: Vec<_> = world.state.deliveries.iter().filter(|(_, row)| row.stage != DeliveryStage::Dead).collect();
    assert!(left.is_empty(), "{left:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn under_decay_every_wanted_message_ends_delivered_or_dead(seed: u64) {
        check(seed, Strategy::ExponentialDecayRetry, Order::Strategy);
    }

    #[test]
    fn under_backoff_every_wanted_message_ends_in_order(seed: u64) {
        check(seed, Strategy::BackoffRetry, Order::Strategy);
    }

    #[test]
    fn by_job_every_wanted_message_ends_and_those_of_a_job_in_order(seed: u64, backoff: bool) {
        check(seed, if backoff { Strategy::BackoffRetry } else { Strategy::ExponentialDecayRetry }, Order::Job);
    }
}
