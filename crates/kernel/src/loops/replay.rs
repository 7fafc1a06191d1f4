//! The loop of one replay to an HTTP subscriber.
//!
//! The cast: the *replay*, whose `next` is durable; the *window*, messages that were begun and have not ended; what
//! has happened and is not recorded yet.
//!
//! The story is the push loop's, without its cursor: messages are read, those that the subscription wants are posted at
//! the replay's own rate, and failures are tried again as the strategy says. `next` follows the lowest message that has
//! not ended, and is recorded some 100 ms late. A crash in between costs a repeated post, never a lost one. A message
//! that was to be replayed and is no longer in the log ends a rewind, by name; nothing is passed over silently. While
//! the subscription is paused or held nothing leaves; where its circuit is open, one post at a time, and only after
//! the circuit's pause: what comes of it is no probe.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand::Rng;

use super::push::{Posted, Rate, asked_ms};
use crate::command::ReplayRecord;
use crate::delivery::Attempt;
use crate::filter;
use crate::limits;
use crate::loops::backoff;
use crate::replay::{Replay, ReplayStage, Which};
use crate::subscription::{Order, Stage, Strategy, Subscription};
use crate::time::Timestamp;
use crate::topic::{Topic, TopicMessage};

/// A message that is to be replayed, as it was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its place.
    pub seq: u64,
    /// The message; `None`: it is no longer in the log.
    pub message: Option<Arc<TopicMessage>>,
    /// The number of the last attempt there was; 0: none is known.
    pub attempts: u32,
    /// Its delivery has a row that says it was given up.
    pub dead: bool,
}

/// What a replay's loop is told.
#[derive(Debug, Clone)]
pub enum ReplayInput {
    /// It is time to look: the first call, and at [`ReplayLoop::wake`].
    Tick,
    /// What a [`ReplayOutput::Load`] found.
    Loaded {
        /// Messages of the replay after the place asked for, in order.
        found: Vec<Found>,
        /// Up to this place there are no others.
        through: u64,
    },
    /// What came of a [`ReplayOutput::Post`].
    Posted(Posted),
    /// The last [`ReplayOutput::Record`] is committed. If it cannot be, the loop is to be replaced by a new one.
    Recorded,
    /// The topic or the subscription has other attributes now.
    Changed(Arc<Topic>, Arc<Subscription>),
}

/// What a replay's loop wants done.
#[derive(Debug, Clone)]
pub enum ReplayOutput {
    /// Find messages of the replay; [`ReplayInput::Loaded`] answers. There is never more than one at a time.
    Load {
        /// After this place.
        after: u64,
        /// At most this many.
        most: usize,
    },
    /// Post a message; [`ReplayInput::Posted`] answers.
    Post {
        /// The attempt's number.
        attempt: u32,
        /// The message.
        message: Arc<TopicMessage>,
    },
    /// Commit a record; [`ReplayInput::Recorded`] answers. There is never more than one at a time.
    Record(Box<ReplayRecord>),
}

/// A message that was begun and has not ended.
#[derive(Debug)]
struct Open {
    message: Arc<TopicMessage>,
    dead: bool,
    /// The number of its last attempt.
    attempts: u32,
    /// How many of them this replay has made.
    tries: u32,
    /// When it is tried again; `None` while a post is in flight.
    next: Option<Timestamp>,
}

/// The loop of one replay, without IO.
#[derive(Debug)]
pub struct ReplayLoop {
    topic: Arc<Topic>,
    subscription: Arc<Subscription>,
    replay: Replay,
    now: Timestamp,
    rate: Rate,
    /// Messages have been found up to here.
    read: u64,
    loading: bool,
    ready: VecDeque<Found>,
    open: BTreeMap<u64, Open>,
    /// What is not recorded.
    book: ReplayRecord,
    since: Option<Timestamp>,
    recording: bool,
    /// Why it cannot go on.
    broken: Option<String>,
    /// Its end has been recorded, or is being so.
    ended: bool,
}

impl ReplayLoop {
    /// A loop that goes on from what is durable. `replay` is one of the subscription's, and goes on.
    #[must_use]
    pub fn new(topic: Arc<Topic>, subscription: Arc<Subscription>, replay: Replay) -> Self {
        let (read, rate) = (replay.next - 1, Rate::new(replay.rate_per_s));
        let book = blank(&subscription, &replay);
        let (ready, open) = (VecDeque::new(), BTreeMap::new());
        let (now, since, broken) = (Timestamp::default(), None, None);
        let (loading, recording, ended) = (false, false, false);
        Self {
            topic,
            subscription,
            replay,
            now,
            rate,
            read,
            loading,
            ready,
            open,
            book,
            since,
            recording,
            broken,
            ended,
        }
    }

    /// Takes in what has happened by `now` and says what is to be done.
    pub fn on(&mut self, input: ReplayInput, now: Timestamp, rng: &mut dyn Rng, out: &mut Vec<ReplayOutput>) {
        self.now = self.now.max(now);
        match input {
            ReplayInput::Tick => {}
            ReplayInput::Loaded { found, through } => self.loaded(found, through),
            ReplayInput::Posted(posted) => self.posted(&posted, rng),
            ReplayInput::Recorded => self.recording = false,
            ReplayInput::Changed(topic, subscription) => (self.topic, self.subscription) = (topic, subscription),
        }
        if self.broken.is_none() {
            self.retry(out);
            self.begin(out);
        }
        self.record(out);
        self.load(out);
    }

    /// When it wants to be called with [`ReplayInput::Tick`], if nothing else happens before.
    #[must_use]
    pub fn wake(&self) -> Timestamp {
        let record = match self.since {
            Some(since) if !self.recording => since.plus_ms(limits::PUSH_RECORD_LAG_MS),
            _ => Timestamp::NEVER,
        };
        let (most, opens) = self.allowed();
        if most == 0 {
            return record.min(opens);
        }
        if !self.has_room() || self.broken.is_some() {
            return record;
        }
        let due = self.due().map_or(Timestamp::NEVER, |(at, _)| at);
        let begin = if self.may_begin() { self.now } else { Timestamp::NEVER };
        record.min(due.min(begin).max(self.rate.opens(self.now)))
    }

    /// All messages before this place have ended, or are not wanted.
    fn next(&self) -> u64 {
        let open = self.open.first_key_value().map(|(seq, _)| *seq);
        let ready = self.ready.front().map(|found| found.seq);
        open.into_iter().chain(ready).fold(self.read + 1, u64::min)
    }

    fn loaded(&mut self, found: Vec<Found>, through: u64) {
        self.loading = false;
        let read = self.read;
        for found in found.into_iter().filter(|found| found.seq > read) {
            self.read = found.seq;
            match &found.message {
                Some(message) if !filter::wants_message(self.topic.filter, &self.subscription, message) => {}
                Some(_) => self.ready.push_back(found),
                None if self.replay.which == Which::All => {
                    self.read = found.seq - 1;
                    let seq = found.seq;
                    self.broken = Some(format!("the message at place {seq} is over the topic's retention and is gone"));
                    return;
                }
                None => self.book.lost += 1,
            }
        }
        self.read = self.read.max(through.min(self.replay.to));
    }

    fn posted(&mut self, posted: &Posted, rng: &mut dyn Rng) {
        let attempt = &posted.attempt;
        let seq = attempt.key.seq;
        let Some(open) = self.open.get_mut(&seq) else { return };
        if open.next.is_some() || attempt.number != open.attempts + 1 {
            return; // Not asked for: an answer to the loop before this one.
        }
        (open.attempts, open.tries) = (attempt.number, open.tries + 1);
        self.book.attempts.push(Arc::<Attempt>::clone(attempt));
        let gap = backoff::gap_ms(self.subscription.strategy, open.tries, rng);
        let asked = asked_ms(&attempt.outcome, posted.retry_after_ms, &self.subscription.manner).unwrap_or(0);
        let gap = gap.map(|gap| gap.max(asked));
        let over = open.message.published <= self.topic.keeps_since(self.now.plus_ms(gap.unwrap_or(0)));
        if attempt.outcome.is_success() {
            self.book.count += 1;
            if self.open.remove(&seq).is_some_and(|open| open.dead) {
                self.book.delivered.push(seq);
            }
        } else if let Some(gap) = gap.filter(|_| !over) {
            open.next = Some(self.now.plus_ms(gap));
        } else if let Some(open) = self.open.remove(&seq) {
            self.book.dead.push((open.message, open.attempts));
        }
    }

    /// Posts again what is due.
    fn retry(&mut self, out: &mut Vec<ReplayOutput>) {
        while let Some((at, seq)) = self.due()
            && at <= self.now
            && self.has_room()
            && self.rate.is_open(self.now)
        {
            let Some(open) = self.open.get_mut(&seq) else { return };
            open.next = None;
            self.rate.passed(self.now);
            out.push(ReplayOutput::Post { attempt: open.attempts + 1, message: open.message.clone() });
        }
    }

    /// Posts for the first time what has been found.
    fn begin(&mut self, out: &mut Vec<ReplayOutput>) {
        while self.may_begin() && self.has_room() && self.rate.is_open(self.now) {
            let Some(found) = self.ready.pop_front() else { return };
            let Some(message) = found.message else { continue };
            self.rate.passed(self.now);
            out.push(ReplayOutput::Post { attempt: found.attempts + 1, message: message.clone() });
            let open = Open { message, dead: found.dead, attempts: found.attempts, tries: 0, next: None };
            self.open.insert(found.seq, open);
        }
    }

    fn record(&mut self, out: &mut Vec<ReplayOutput>) {
        if self.ended {
            return;
        }
        let (next, done) = (self.next(), self.is_done());
        let news = next > self.book.next || self.book.lost > 0 || !self.book.attempts.is_empty();
        if self.since.is_none() && (news || done) {
            self.since = Some(self.now);
        }
        let Some(since) = self.since else { return };
        let due = self.now >= since.plus_ms(limits::PUSH_RECORD_LAG_MS) || done || !self.book.dead.is_empty();
        if self.recording || !due {
            return;
        }
        let mut record = blank(&self.subscription, &self.replay);
        record.next = next;
        std::mem::swap(&mut record, &mut self.book);
        record.next = next;
        if done {
            self.ended = true;
            record.end = Some(match self.broken.clone() {
                Some(reason) => ReplayStage::Failed { reason },
                None => ReplayStage::Done,
            });
        }
        (self.since, self.recording) = (None, true);
        out.push(ReplayOutput::Record(Box::new(record)));
    }

    fn load(&mut self, out: &mut Vec<ReplayOutput>) {
        let few = self.ready.len() <= limits::REPLAY_WINDOW / 2;
        if !self.loading && self.read < self.replay.to && few && self.broken.is_none() {
            self.loading = true;
            out.push(ReplayOutput::Load { after: self.read, most: limits::REPLAY_WINDOW - self.ready.len() });
        }
    }

    /// Whether nothing is left to be done but to say so.
    fn is_done(&self) -> bool {
        let all = self.read >= self.replay.to && self.ready.is_empty();
        (all && self.open.is_empty()) || (self.broken.is_some() && self.in_flight() == 0)
    }

    /// The message that is tried again next, and when.
    fn due(&self) -> Option<(Timestamp, u64)> {
        self.open.iter().filter_map(|(seq, open)| Some((open.next?, *seq))).min()
    }

    fn in_flight(&self) -> usize {
        self.open.values().filter(|open| open.next.is_none()).count()
    }

    fn may_begin(&self) -> bool {
        let window = if self.is_ordered() { 1 } else { limits::REPLAY_WINDOW };
        !self.ready.is_empty() && self.open.len() < window
    }

    /// How many posts may be in flight; where none may, until when.
    fn allowed(&self) -> (usize, Timestamp) {
        match self.subscription.stage {
            Stage::Active => (limits::REPLAY_IN_FLIGHT, self.now),
            Stage::Held { until } if until <= self.now => (limits::REPLAY_IN_FLIGHT, self.now),
            Stage::Broken { until, .. } if until <= self.now => (1, self.now),
            Stage::Held { until } | Stage::Broken { until, .. } => (0, until),
            Stage::Paused { .. } => (0, Timestamp::NEVER),
        }
    }

    fn has_room(&self) -> bool {
        self.in_flight() < self.allowed().0 && self.book.attempts.len() < limits::PUSH_UNRECORDED
    }

    /// Whether messages are to arrive in order: then one waits for another.
    fn is_ordered(&self) -> bool {
        self.subscription.strategy == Strategy::BackoffRetry || self.subscription.manner.order == Order::Job
    }
}

fn blank(subscription: &Subscription, replay: &Replay) -> ReplayRecord {
    ReplayRecord {
        key: subscription.key,
        no: replay.no,
        next: replay.next,
        attempts: Vec::new(),
        delivered: Vec::new(),
        dead: Vec::new(),
        count: 0,
        lost: 0,
        end: None,
    }
}

#[cfg(test)]
#[path = "replay_tests.rs"]
mod tests;
