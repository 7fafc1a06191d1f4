//! HTTP subscribers: the production push loop, and an endpoint that fails, is slow, and answers in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kernel::command::{Command, DeliveryRecord};
use kernel::delivery::{Attempt, Delivery, DeliveryKey, DeliveryStage, Outcome};
use kernel::event::Owner;
use kernel::loops::push::{Posted, PushInput, PushLimits, PushLoop, PushOutput};
use kernel::state::State;
use kernel::subscription::{Order, Strategy, Subscription, SubscriptionKey};
use kernel::time::Timestamp;
use kernel::topic::StreamNo;
use rand::{Rng, RngExt};
use store::{DeliverySet, Reader};

use crate::promises::ensure;
use crate::world::words;

/// Rows read at once.
const PAGE: usize = 1_000;
/// Answers of one round beyond which there is no end to them.
const ENDLESS: usize = 20_000;
/// Small, so that every limit is met.
const LIMITS: PushLimits =
    PushLimits { in_flight: 4, window: 10, ahead: 6, page: 8, unrecorded: 24, record_lag_ms: 100 };

/// A subscriber's end of its subscription.
pub(crate) struct Pusher {
    key: SubscriptionKey,
    /// `None` before its first look, and after a failure: it begins anew.
    push: Option<PushLoop>,
    /// The subscription as it was last told.
    told: Option<Arc<Subscription>>,
    /// Posts that have not been answered.
    posts: Vec<(u64, u32)>,
    /// What is to be committed, and whether that has been asked for.
    record: Option<DeliveryRecord>,
    asked: bool,
    /// Messages that have arrived, each at the time it first did.
    arrived: Vec<u64>,
    seen: BTreeSet<u64>,
    /// Whose event each message is that was looked at. It never changes.
    owners: BTreeMap<u64, Option<Owner>>,
}

impl Pusher {
    pub(crate) fn new(topic: StreamNo, no: u32) -> Self {
        let key = SubscriptionKey { topic, no };
        let (arrived, seen) = (Vec::new(), BTreeSet::new());
        let owners = BTreeMap::new();
        Self { key, push: None, told: None, posts: Vec::new(), record: None, asked: false, arrived, seen, owners }
    }

    /// Its subscription.
    pub(crate) fn key(&self) -> SubscriptionKey {
        self.key
    }

    /// Forgets everything that is not stored.
    pub(crate) fn begin_anew(&mut self) {
        self.push = None;
        self.posts.clear();
        self.record = None;
        self.asked = false;
    }

    pub(crate) fn wake(&self) -> Timestamp {
        self.push.as_ref().map_or(Timestamp(0), PushLoop::wake)
    }

    /// Whether everything it knows is durable.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.record.is_none() && self.wake() == Timestamp::NEVER
    }

    /// Looks at the time and the topic, answers some posts; a record it wants committed.
    pub(crate) fn act(
        &mut self,
        state: &State,
        reader: &mut dyn Reader,
        now: Timestamp,
        calm: bool,
        rng: &mut dyn Rng,
    ) -> Result<Option<Command>, String> {
        let (Some(topic), Some(subscription)) = (state.topic(self.key.topic), state.subscription(self.key)) else {
            // A server that has done nothing yet since others made it; but in the calm the one at work has.
            return ensure(!calm, || "a subscription is gone".to_owned()).map(|()| None);
        };
        if self.push.is_none() {
            let rows = rows(reader, self.key, subscription.cursor)?;
            self.push = Some(PushLoop::new(topic.clone(), subscription.clone(), rows, LIMITS));
            self.told = Some(subscription.clone());
        }
        if self.told.as_ref() != Some(subscription) {
            self.told = Some(subscription.clone());
            self.tell(PushInput::Changed(topic.clone(), subscription.clone()), reader, now, rng)?;
        }
        self.tell(PushInput::Tick, reader, now, rng)?;
        self.tell(PushInput::Grown(topic.end()), reader, now, rng)?;
        // In the calm as many as there are, with those that follow; it is the record that stops it.
        let mut answers = if calm { ENDLESS } else { rng.random_range(0..=self.posts.len()) };
        while answers > 0 && !self.posts.is_empty() {
            answers -= 1;
            let (seq, number) = self.posts.swap_remove(rng.random_range(0..self.posts.len()));
            let owner = self.owner(reader, seq)?;
            let (outcome, retry_after_ms) = answered(calm, rng);
            if outcome.is_success() && self.seen.insert(seq) {
                self.arrived.push(seq);
            }
            let key = DeliveryKey { subscription: self.key, seq };
            let attempt = Attempt { key, number, at: now, duration_ms: 1, address: "drawn".into(), outcome };
            let attempt = Arc::new(attempt);
            let input = PushInput::Posted(Posted { attempt, retry_after_ms, owner });
            self.tell(input, reader, now, rng)?;
        }
        if answers == 0 && calm {
            return Err("a subscriber is posted to without end".into());
        }
        if self.asked {
            return Ok(None);
        }
        self.asked = self.record.is_some();
        Ok(self.record.clone().map(|record| Command::RecordDeliveries(Box::new(record))))
    }

    /// Its record was committed, or was not.
    pub(crate) fn recorded(
        &mut self,
        done: bool,
        reader: &mut dyn Reader,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<(), String> {
        if !done {
            self.begin_anew();
            return Ok(());
        }
        self.record = None;
        self.asked = false;
        self.tell(PushInput::Recorded, reader, now, rng)
    }

    fn tell(
        &mut self,
        input: PushInput,
        reader: &mut dyn Reader,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<(), String> {
        let mut inputs = vec![input];
        let mut rounds = 0;
        while let (Some(input), Some(push)) = (inputs.pop(), self.push.as_mut()) {
            rounds += 1;
            if rounds > ENDLESS {
                return Err("a subscriber looks for a message that is not there".into());
            }
            let mut outputs = Vec::new();
            push.on(input, now, rng, &mut outputs);
            for output in outputs {
                match output {
                    PushOutput::Load { after, most } => {
                        let messages = reader.topic_messages(self.key.topic, after, most).map_err(words)?;
                        self.owners.extend(messages.iter().map(|message| (message.seq, message.owner)));
                        let through = messages.last().map_or(after, |message| message.seq);
                        inputs.push(PushInput::Loaded { messages, through });
                    }
                    PushOutput::Post { seq, attempt, .. } => self.posts.push((seq, attempt)),
                    PushOutput::Record(record) => self.record = Some(record),
                }
            }
        }
        Ok(())
    }

    /// Whose event a message is.
    fn owner(&self, reader: &mut dyn Reader, seq: u64) -> Result<Option<Owner>, String> {
        if let Some(owner) = self.owners.get(&seq) {
            return Ok(*owner);
        }
        let found = reader.topic_messages(self.key.topic, seq - 1, 1).map_err(words)?;
        Ok(found.first().filter(|message| message.seq == seq).and_then(|message| message.owner))
    }

    /// Every message up to the end has arrived or was given up; where order was promised, they arrived in it.
    /// `replayed`: those that arrived by replays.
    pub(crate) fn audit(&self, state: &State, reader: &mut dyn Reader, replayed: &BTreeSet<u64>) -> Result<(), String> {
        let rows = rows(reader, self.key, 0)?;
        let dead: BTreeSet<u64> =
            rows.iter().filter(|row| row.stage == DeliveryStage::Dead).map(|row| row.key.seq).collect();
        let end = state.topic(self.key.topic).map_or(0, |topic| topic.end());
        for seq in 1..=end {
            let arrived = self.seen.contains(&seq) || replayed.contains(&seq);
            ensure(arrived || dead.contains(&seq), || format!("{:?} never got {seq}", self.key))?;
            let attempts = reader.attempts_of(self.key, seq, PAGE).map_err(words)?;
            for (number, attempt) in (1..).zip(&attempts) {
                ensure(attempt.number == number, || format!("{:?} lacks attempt {number} of {seq}", self.key))?;
            }
            ensure(!attempts.is_empty(), || format!("{:?} has no attempt of {seq}", self.key))?;
        }
        ensure(rows.len() == dead.len(), || format!("{:?} is left with {rows:?}", self.key))?;
        let mut by_owner: BTreeMap<Owner, Vec<u64>> = BTreeMap::new();
        for seq in &self.arrived {
            if let Some(owner) = self.owner(reader, *seq)? {
                by_owner.entry(owner).or_default().push(*seq);
            }
        }
        let by_job = state.subscription(self.key).is_some_and(|row| row.manner.order == Order::Job);
        let in_order = by_owner.values().all(|seqs| seqs.is_sorted());
        ensure(!by_job || in_order, || format!("{:?} got {by_owner:?}", self.key))?;
        let ordered = state.subscription(self.key).is_some_and(|row| row.strategy == Strategy::BackoffRetry);
        ensure(!ordered || self.arrived.is_sorted(), || format!("{:?} got {:?}", self.key, self.arrived))
    }
}

/// What an endpoint answers, and how many milliseconds it asks to be left alone for.
pub(crate) fn answered(calm: bool, rng: &mut dyn Rng) -> (Outcome, Option<u64>) {
    let replied = |status| Outcome::Replied { status, body: "drawn".into() };
    let outcome = match rng.random_range(0..40) {
        0..=7 if !calm => Outcome::Failed { error: "drawn".into() },
        8..=9 if !calm => replied(503),
        10..=11 if !calm => replied(429),
        // It is gone, and posted to no more until somebody resumes the subscription.
        12 if !calm => replied(410),
        13 if !calm => replied(302),
        _ => Outcome::Replied { status: 200, body: String::new() },
    };
    let asks_to_wait = matches!(outcome, Outcome::Replied { status: 429 | 503, .. });
    let retry_after_ms = (asks_to_wait && rng.random_bool(0.5)).then(|| rng.random_range(1..5_000));
    (outcome, retry_after_ms)
}

/// The rows a loop begins with: all ahead of the cursor, and behind it those that are not dead.
fn rows(reader: &mut dyn Reader, key: SubscriptionKey, cursor: u64) -> Result<Vec<Delivery>, String> {
    let mut rows = reader.deliveries(key, DeliverySet::Open, 0, PAGE).map_err(words)?;
    rows.retain(|row| row.key.seq <= cursor);
    let mut after = cursor;
    loop {
        let page = reader.deliveries(key, DeliverySet::All, after, PAGE).map_err(words)?;
        let Some(last) = page.last() else { break };
        after = last.key.seq;
        rows.extend(page);
    }
    Ok(rows.iter().map(|row| Delivery::clone(row)).collect())
}
