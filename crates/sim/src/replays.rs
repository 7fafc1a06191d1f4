//! Replays: of those to HTTP subscribers the production loop, beside the live one, and what arrives by it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kernel::command::{Command, ReplayRecord};
use kernel::delivery::{Attempt, DeliveryKey, DeliveryStage};
use kernel::loops::push::Posted;
use kernel::loops::replay::{Found, ReplayInput, ReplayLoop, ReplayOutput};
use kernel::replay::{Replay, ReplayStage, Which};
use kernel::state::State;
use kernel::subscription::{Endpoint, Subscription, SubscriptionKey};
use kernel::time::Timestamp;
use kernel::topic::TopicMessage;
use rand::{Rng, RngExt};
use store::Reader;

use crate::copies;
use crate::promises::ensure;
use crate::pushes;
use crate::world::words;

/// Answers of one round beyond which there is no end to them.
const ENDLESS: usize = 20_000;

/// Which replay.
pub(crate) type ReplayKey = (SubscriptionKey, u32);

/// All that go on, and what has arrived by each that there was.
#[derive(Default)]
pub(crate) struct Replays {
    loops: BTreeMap<ReplayKey, Replayer>,
    arrived: BTreeMap<ReplayKey, BTreeSet<u64>>,
}

/// The loop of one.
struct Replayer {
    posts: ReplayLoop,
    replay: Replay,
    /// The subscription as it was last told.
    told: Arc<Subscription>,
    /// Posts that have not been answered, each with the attempt's number.
    flying: Vec<(Arc<TopicMessage>, u32)>,
    /// What is to be committed, and whether that has been asked for.
    record: Option<ReplayRecord>,
    asked: bool,
}

impl Replays {
    /// Those that go on, as a state has it.
    pub(crate) fn running(state: &State) -> Vec<ReplayKey> {
        let of = |row: &Arc<Subscription>| {
            let (key, running) = (row.key, row.replays.iter().filter(|replay| replay.is_running()));
            running.map(move |replay| (key, replay.no)).collect::<Vec<_>>()
        };
        state.subscriptions().flat_map(of).collect()
    }

    /// Forgets everything that is not stored.
    pub(crate) fn begin_anew(&mut self) {
        self.loops.clear();
    }

    /// When one that goes on, as a state has it, wants to be looked at.
    pub(crate) fn wake(&mut self, state: &State) -> Timestamp {
        self.loops.retain(|which, _| subject(state, *which).is_some());
        self.loops.values().map(|replayer| replayer.posts.wake()).fold(Timestamp::NEVER, Timestamp::min)
    }

    /// Looks at the time, answers some posts; a record that is to be committed. Of one into a queue: a page to be copied.
    pub(crate) fn act(
        &mut self,
        which: ReplayKey,
        state: &State,
        reader: &mut dyn Reader,
        now: Timestamp,
        calm: bool,
        rng: &mut dyn Rng,
    ) -> Result<Option<Command>, String> {
        let Some((topic, subscription, replay)) = subject(state, which) else {
            self.loops.remove(&which);
            return Ok(None);
        };
        if matches!(subscription.endpoint, Endpoint::Queue { .. }) {
            return copies::page(which, &replay, reader, rng).map(Some);
        }
        let replayer = self.loops.entry(which).or_insert_with(|| Replayer {
            posts: ReplayLoop::new(topic.clone(), subscription.clone(), replay.clone()),
            replay,
            told: subscription.clone(),
            flying: Vec::new(),
            record: None,
            asked: false,
        });
        if replayer.told != subscription {
            replayer.told = subscription.clone();
            replayer.tell(ReplayInput::Changed(topic, subscription), reader, now, rng)?;
        }
        replayer.tell(ReplayInput::Tick, reader, now, rng)?;
        let arrived = self.arrived.entry(which).or_default();
        let mut answers = if calm { ENDLESS } else { rng.random_range(0..=replayer.flying.len()) };
        while answers > 0 && !replayer.flying.is_empty() {
            answers -= 1;
            let (message, number) = replayer.flying.swap_remove(rng.random_range(0..replayer.flying.len()));
            let (outcome, retry_after_ms) = pushes::answered(calm, rng);
            if outcome.is_success() {
                arrived.insert(message.seq);
            }
            let key = DeliveryKey { subscription: which.0, seq: message.seq };
            let attempt = Attempt { key, number, at: now, duration_ms: 1, address: "drawn".into(), outcome };
            let posted = Posted { attempt: Arc::new(attempt), retry_after_ms, owner: message.owner };
            replayer.tell(ReplayInput::Posted(posted), reader, now, rng)?;
        }
        if answers == 0 && calm {
            return Err("a replay posts without end".into());
        }
        if replayer.asked {
            return Ok(None);
        }
        replayer.asked = replayer.record.is_some();
        Ok(replayer.record.clone().map(|record| Command::RecordReplay(Box::new(record))))
    }

    /// A record was committed, or was not.
    pub(crate) fn recorded(
        &mut self,
        which: ReplayKey,
        done: bool,
        reader: &mut dyn Reader,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<(), String> {
        let Some(replayer) = self.loops.get_mut(&which) else { return Ok(()) };
        if !done {
            self.loops.remove(&which);
            return Ok(());
        }
        (replayer.record, replayer.asked) = (None, false);
        replayer.tell(ReplayInput::Recorded, reader, now, rng)
    }

    /// What has arrived at a subscriber by its replays.
    pub(crate) fn arrived(&self, key: SubscriptionKey) -> BTreeSet<u64> {
        let of_key = self.arrived.iter().filter(|((of, _), _)| *of == key);
        of_key.flat_map(|(_, seqs)| seqs.iter().copied()).collect()
    }

    /// Every replay has ended, and of one that came to its end each message has arrived by it, or counts as given up.
    pub(crate) fn audit(&self, state: &State) -> Result<(), String> {
        for subscription in state.subscriptions() {
            for replay in &subscription.replays {
                let which = (subscription.key, replay.no);
                ensure(!replay.is_running(), || format!("{which:?} goes on: {replay:?}"))?;
                // What was copied into a queue is looked at there. How many were given up at a time, nobody knows any
                // more.
                if matches!(subscription.endpoint, Endpoint::Queue { .. })
                    || replay.stage != ReplayStage::Done
                    || replay.which != Which::All
                {
                    continue;
                }
                let arrived = self.arrived.get(&which);
                let missing = (replay.from..=replay.to).filter(|seq| arrived.is_none_or(|set| !set.contains(seq)));
                let missing: Vec<u64> = missing.collect();
                let given_up = missing.len() as u64 <= replay.failed;
                ensure(given_up, || format!("{which:?} never sent {missing:?}: {replay:?}"))?;
            }
        }
        Ok(())
    }
}

impl Replayer {
    fn tell(
        &mut self,
        input: ReplayInput,
        reader: &mut dyn Reader,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<(), String> {
        let mut inputs = vec![input];
        let mut rounds = 0;
        while let Some(input) = inputs.pop() {
            rounds += 1;
            ensure(rounds <= ENDLESS, || "a replay looks for a message that is not there".into())?;
            let mut outputs = Vec::new();
            self.posts.on(input, now, rng, &mut outputs);
            for output in outputs {
                match output {
                    ReplayOutput::Load { after, most } => {
                        let (found, through) = find(self.told.key, &self.replay, reader, after, most)?;
                        inputs.push(ReplayInput::Loaded { found, through });
                    }
                    ReplayOutput::Post { attempt, message } => self.flying.push((message, attempt)),
                    ReplayOutput::Record(record) => self.record = Some(*record),
                }
            }
        }
        Ok(())
    }
}

/// Messages of a replay after a place, at most so many, and how far was looked.
pub(crate) fn find(
    key: SubscriptionKey,
    replay: &Replay,
    reader: &mut dyn Reader,
    after: u64,
    most: usize,
) -> Result<(Vec<Found>, u64), String> {
    let to = replay.to;
    let places: Vec<u64> = match &replay.which {
        Which::All => (after + 1..=to).take(most).collect(),
        Which::These { seqs } => seqs.iter().copied().filter(|seq| *seq > after).take(most).collect(),
        Which::Dead { since } => {
            let rows = reader.dead_deliveries(key, *since, after, most).map_err(words)?;
            rows.iter().map(|row| row.key.seq).filter(|seq| *seq <= to).collect()
        }
    };
    let through = if places.len() == most { places[most - 1] } else { to };
    let mut look = |seq: u64| -> Result<Found, String> {
        let message = reader.topic_messages(key.topic, seq - 1, 1).map_err(words)?;
        let message = message.into_iter().find(|message| message.seq == seq);
        let delivery = DeliveryKey { subscription: key, seq };
        let last = reader.last_attempt(delivery).map_err(words)?.map_or(0, |last| last.number);
        let row = reader.delivery(delivery).map_err(words)?;
        let dead = row.as_ref().is_some_and(|row| row.stage == DeliveryStage::Dead);
        Ok(Found { seq, message, attempts: last.max(row.map_or(0, |row| row.attempts)), dead })
    };
    let found = places.into_iter().map(&mut look).collect::<Result<Vec<_>, _>>()?;
    Ok((found, through))
}

/// A replay that goes on, with its subscription and topic.
fn subject(state: &State, (key, no): ReplayKey) -> Option<(Arc<kernel::topic::Topic>, Arc<Subscription>, Replay)> {
    let (topic, subscription) = (state.topic(key.topic)?.clone(), state.subscription(key)?.clone());
    let replay = subscription.replays.iter().find(|replay| replay.no == no && replay.is_running())?.clone();
    Some((topic, subscription, replay))
}
