//! The push loop of one HTTP subscription.
//!
//! The cast: the topic's *log*; the subscription's *cursor*, behind which every message is done with; the *window*,
//! messages ahead of the cursor that were begun and have not ended, each either in flight or waiting to be tried
//! again; the [`Book`], what has happened and is not durable yet.
//!
//! The story: the loop reads the log a page at a time, passes over what the subscription does not want, and posts the
//! rest, at most so many at once. A success ends a message. A failure gives it a row that says when it is tried
//! again; when the strategy or the topic's retention ends, the row says that it is dead. The cursor follows the lowest
//! message that has not ended. Whatever the loop decides becomes durable through records: failures at once,
//! successes some 100 ms later together. A crash in between costs a repeated post, never a lost one. So a loop that
//! starts from the durable cursor and rows goes on where the last one was, and two at once do no harm but posts.
//!
//! `EXPONENTIAL_DECAY_RETRY` tries failed messages beside later ones. `BACKOFF_RETRY` posts only the lowest message
//! that has not ended, so later ones wait for it. The first attempt is made at any age within the retention; the
//! strategy's day is counted in retries.
//!
//! What a subscription asks for beyond that has parts of its own: the [`Gate`] says whether posts leave at all, the
//! [`Rate`] when the next one may, the [`Lanes`] which messages wait for an earlier one of the same job. While the gate
//! is closed the loop goes on to give up what the topic keeps no longer.

mod book;
mod gate;
mod lanes;
#[cfg(test)]
mod manner_tests;
#[cfg(test)]
mod model_tests;
mod places;
mod rate;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use rand::Rng;

use crate::command::DeliveryRecord;
use crate::delivery::{Attempt, Delivery, DeliveryStage};
use crate::event::Owner;
use crate::filter;
use crate::limits;
use crate::loops::backoff;
use crate::subscription::{Order, Strategy, Subscription};
use crate::time::Timestamp;
use crate::topic::{Topic, TopicMessage};
use book::Book;
pub(crate) use gate::asked_ms;
use gate::{Answer, Gate};
use lanes::{Lanes, Waiting};
pub use places::Places;
pub(super) use rate::Rate;

/// How much a push loop does at once.
#[derive(Debug, Clone, Copy)]
pub struct PushLimits {
    /// Posts in flight.
    pub in_flight: usize,
    /// Messages begun and not ended.
    pub window: usize,
    /// Messages delivered while an earlier one has not ended.
    pub ahead: usize,
    /// Messages read from the log and not begun.
    pub page: usize,
    /// Attempts and rows that are not durable yet; beyond it nothing new is begun.
    pub unrecorded: usize,
    /// How late a success may become durable, in milliseconds.
    pub record_lag_ms: u64,
}

impl Default for PushLimits {
    fn default() -> Self {
        Self {
            in_flight: limits::PUSH_IN_FLIGHT,
            window: limits::PUSH_WINDOW,
            ahead: limits::PUSH_AHEAD,
            page: limits::PUSH_IN_FLIGHT,
            unrecorded: limits::PUSH_UNRECORDED,
            record_lag_ms: limits::PUSH_RECORD_LAG_MS,
        }
    }
}

/// What a push loop is told.
#[derive(Debug, Clone)]
pub enum PushInput {
    /// It is time to look: the first call, and at [`PushLoop::wake`].
    Tick,
    /// The log reaches to this place: the topic's [`end`](Topic::end), whenever it has grown. It is a level, so
    /// telling only the last of many is enough.
    Grown(u64),
    /// What a [`PushOutput::Load`] found.
    Loaded {
        /// Messages after the place asked for, in order.
        messages: Vec<Arc<TopicMessage>>,
        /// Up to this place no other message is in the log: the last message's place where as many were found as
        /// were asked for, else the end of the log at the time of reading.
        through: u64,
    },
    /// What came of a [`PushOutput::Post`].
    Posted(Posted),
    /// A post was not made: its message is no longer in the log.
    Gone(u64),
    /// The last [`PushOutput::Record`] is committed. If it cannot be, the loop is to be replaced by a new one.
    Recorded,
    /// The topic or the subscription has other attributes now. Messages that were begun go on.
    Changed(Arc<Topic>, Arc<Subscription>),
}

/// What came of a post.
#[derive(Debug, Clone)]
pub struct Posted {
    /// The attempt.
    pub attempt: Arc<Attempt>,
    /// How long the answer's `Retry-After` asks to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// Whose event the message is.
    pub owner: Option<Owner>,
}

/// What a push loop wants done.
#[derive(Debug, Clone)]
pub enum PushOutput {
    /// Read the log; [`PushInput::Loaded`] answers. There is never more than one at a time.
    Load {
        /// Messages after this place.
        after: u64,
        /// At most this many.
        most: usize,
    },
    /// Post a message; [`PushInput::Posted`] or [`PushInput::Gone`] answers.
    Post {
        /// Its place in the topic.
        seq: u64,
        /// The attempt's number, from 1.
        attempt: u32,
        /// The message. `None` at a retry: it is to be read from the log again, so that what waits for hours does
        /// not fill the memory.
        message: Option<Arc<TopicMessage>>,
    },
    /// Commit a record; [`PushInput::Recorded`] answers. There is never more than one at a time.
    Record(DeliveryRecord),
}

/// A message that was begun and has not ended.
#[derive(Debug)]
struct Open {
    /// How many attempts have ended.
    attempts: u32,
    /// When it is tried again; `None` while a post is in flight.
    next: Option<Timestamp>,
    /// When it was published. `None` after a restart until the log has been read that far.
    published: Option<Timestamp>,
    /// Whose event it is; `None` also after a restart until the log has been read that far.
    owner: Option<Owner>,
}

/// How many messages may be begun and not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turns {
    /// One: later ones wait.
    One,
    /// As many as the window takes.
    Many,
}

/// Nothing is told of what happens to a subscription's own events.
fn is_quiet(owner: Option<Owner>) -> bool {
    matches!(owner, Some(Owner::Subscription(_)))
}

/// The push loop of one HTTP subscription, without IO.
#[derive(Debug)]
pub struct PushLoop {
    topic: Arc<Topic>,
    subscription: Arc<Subscription>,
    limits: PushLimits,
    now: Timestamp,
    /// The log is known to reach to here.
    end: u64,
    /// The log has been read to here.
    read: u64,
    loading: bool,
    /// Ended messages that have not been read, known from their rows.
    settled: BTreeSet<u64>,
    /// Wanted messages that have been read and not begun.
    ready: VecDeque<Arc<TopicMessage>>,
    open: BTreeMap<u64, Open>,
    /// The open messages that are not in flight, by the time they are tried again.
    due: BTreeSet<(Timestamp, u64)>,
    book: Book,
    gate: Gate,
    rate: Rate,
    lanes: Lanes,
}

impl PushLoop {
    /// A loop that goes on from what is durable. `rows` are the subscription's deliveries: all those ahead of its
    /// cursor, and behind it all that are not dead.
    #[must_use]
    pub fn new(topic: Arc<Topic>, subscription: Arc<Subscription>, rows: Vec<Delivery>, limits: PushLimits) -> Self {
        let mut this = Self {
            limits,
            now: Timestamp::default(),
            end: topic.end(),
            read: subscription.cursor,
            loading: false,
            settled: BTreeSet::new(),
            ready: VecDeque::new(),
            open: BTreeMap::new(),
            due: BTreeSet::new(),
            book: Book::new(subscription.key, subscription.cursor, limits),
            gate: Gate::new(&subscription),
            rate: Rate::new(subscription.manner.posts_per_s),
            lanes: Lanes::default(),
            topic,
            subscription,
        };
        for row in rows {
            this.take_row(&row);
        }
        this
    }

    fn take_row(&mut self, row: &Delivery) {
        let seq = row.key.seq;
        match row.stage {
            DeliveryStage::Retrying { next } if seq > self.read => {
                let open = Open { attempts: row.attempts, next: Some(next), published: None, owner: None };
                self.open.insert(seq, open);
                self.due.insert((next, seq));
                self.book.has_row(seq);
            }
            DeliveryStage::Delivered | DeliveryStage::Retrying { .. } => {
                self.settled.insert(seq);
                self.book.was_delivered(seq);
            }
            DeliveryStage::Dead => {
                self.settled.insert(seq);
            }
        }
    }

    /// Takes in what has happened by `now` and says what is to be done. [`wake`](Self::wake) may differ after it.
    pub fn on(&mut self, input: PushInput, now: Timestamp, rng: &mut dyn Rng, out: &mut Vec<PushOutput>) {
        self.now = self.now.max(now);
        match input {
            PushInput::Tick => {}
            PushInput::Grown(end) => self.end = self.end.max(end),
            PushInput::Loaded { messages, through } => self.loaded(messages, through),
            PushInput::Posted(posted) => self.posted(posted, rng),
            PushInput::Gone(seq) => {
                self.gate.gone(seq);
                if self.open.get(&seq).is_some_and(|open| open.next.is_none()) {
                    self.give_up(seq);
                }
            }
            PushInput::Recorded => self.book.recorded(),
            PushInput::Changed(topic, subscription) => self.changed(topic, subscription),
        }
        self.post(out);
        if let Some(mut record) = self.book.turn(self.cursor(), self.now, self.gate.has_news()) {
            record.stage = self.gate.tell();
            out.push(PushOutput::Record(record));
            // It may have made room.
            self.post(out);
        }
        self.load(out);
    }

    /// When it wants to be called with [`PushInput::Tick`], if nothing else happens before.
    #[must_use]
    pub fn wake(&self) -> Timestamp {
        let retry = self.next_retry().filter(|(_, seq)| self.has_turn(*seq)).map(|(at, _)| at);
        let first = self.ready.front().filter(|message| self.can_begin(message));
        let post = retry.into_iter().chain(first.map(|_| Timestamp::default())).min();
        let opens = self.gate.opens().max(self.rate.opens(self.now));
        let post = post.map_or(Timestamp::NEVER, |post| if opens > self.now { post.max(opens) } else { post });
        post.min(self.lapses()).min(self.book.due())
    }

    /// All messages up to this place have ended or are not wanted. It is durable once recorded.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        let open = self.open.first_key_value().map(|(seq, _)| *seq);
        let ready = self.ready.front().map(|message| message.seq);
        open.into_iter().chain(ready).fold(self.read, |cursor, seq| cursor.min(seq - 1))
    }

    /// Posts in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.open.len() - self.due.len()
    }

    fn loaded(&mut self, messages: Vec<Arc<TopicMessage>>, through: u64) {
        self.loading = false;
        for message in messages {
            if message.seq <= self.read {
                continue;
            }
            self.read = message.seq;
            if let Some(open) = self.open.get_mut(&message.seq) {
                (open.published, open.owner) = (Some(message.published), message.owner);
                if self.is_by_job() {
                    self.lanes.enter(message.owner);
                }
            } else if !self.settled.contains(&message.seq) && self.wants(&message) {
                self.ready.push_back(message);
            }
        }
        self.read = self.read.max(through);
        self.end = self.end.max(self.read);
        self.settled = self.settled.split_off(&(self.read + 1));
    }

    fn posted(&mut self, posted: Posted, rng: &mut dyn Rng) {
        let Posted { attempt, retry_after_ms, owner } = posted;
        let (seq, number) = (attempt.key.seq, attempt.number);
        let Some(open) = self.open.get_mut(&seq) else { return };
        if open.next.is_some() || number != open.attempts + 1 {
            return; // Not asked for: an answer to the loop before this one.
        }
        open.attempts = number;
        let published = open.published;
        let answer = Answer { seq, outcome: &attempt.outcome, retry_after_ms, at: self.now };
        self.gate.answered(answer, &self.subscription.manner);
        let (success, gone) = (attempt.outcome.is_success(), answer.is_gone(&self.subscription.manner));
        self.book.attempted(attempt, is_quiet(owner));
        if success {
            self.end(seq);
            self.book.delivered(seq, number);
            return;
        }
        if gone {
            // Whoever resumes the subscription has it tried again at once.
            self.wait(seq, number, self.now);
            return;
        }
        let next = backoff::gap_ms(self.subscription.strategy, number, rng).map(|gap| self.now.plus_ms(gap));
        match next.filter(|next| !self.is_over(published, *next)) {
            Some(next) => self.wait(seq, number, next),
            None => self.give_up(seq),
        }
    }

    fn changed(&mut self, topic: Arc<Topic>, subscription: Arc<Subscription>) {
        self.end = self.end.max(topic.end());
        let was_by_job = self.is_by_job();
        (self.topic, self.subscription) = (topic, subscription);
        self.gate.changed(&self.subscription);
        self.rate.change(self.subscription.manner.posts_per_s);
        if was_by_job != self.is_by_job() {
            self.change_order();
        }
        let mut ready = std::mem::take(&mut self.ready);
        ready.retain(|message| self.wants(message));
        self.ready = ready;
    }

    fn wait(&mut self, seq: u64, attempts: u32, next: Timestamp) {
        if let Some(open) = self.open.get_mut(&seq) {
            open.next = Some(next);
            self.due.insert((next, seq));
            self.book.retrying(seq, attempts, next);
        }
    }

    fn give_up(&mut self, seq: u64) {
        if let Some(open) = self.end(seq) {
            self.book.dead(seq, open.attempts, is_quiet(open.owner));
        }
    }

    /// Takes a message from those that have not ended; what waited for it is begun.
    fn end(&mut self, seq: u64) -> Option<Open> {
        let open = self.open.remove(&seq)?;
        if let Some(next) = open.next {
            self.due.remove(&(next, seq));
        }
        if seq > self.read {
            self.settled.insert(seq);
        }
        if let Some(next) = self.lanes.leave(open.owner) {
            self.lanes.enter(open.owner);
            self.begin_waiting(next, open.owner);
        }
        Some(open)
    }

    fn begin_waiting(&mut self, Waiting { seq, published }: Waiting, owner: Option<Owner>) {
        let now = Some(self.now);
        self.open.insert(seq, Open { attempts: 0, next: now, published: Some(published), owner });
        self.due.insert((self.now, seq));
    }

    /// The order by job has begun or ended.
    fn change_order(&mut self) {
        for (owner, waiting) in self.lanes.end() {
            self.begin_waiting(waiting, Some(owner));
        }
        if self.is_by_job() {
            self.open.values().for_each(|open| self.lanes.enter(open.owner));
        }
    }

    fn post(&mut self, out: &mut Vec<PushOutput>) {
        if !self.gate.is_open(self.now) {
            self.lapse();
        }
        self.retry(out);
        self.begin(out);
    }

    /// Posts again what is due.
    fn retry(&mut self, out: &mut Vec<PushOutput>) {
        while let Some((next, seq)) = self.next_retry() {
            if next > self.now || !self.may_post(seq) {
                return;
            }
            let Some(open) = self.open.get(&seq) else { return };
            let (attempt, published) = (open.attempts + 1, open.published);
            if self.is_over(published, self.now) {
                self.give_up(seq);
            } else if let Some(open) = self.open.get_mut(&seq) {
                open.next = None;
                self.due.remove(&(next, seq));
                self.passed(seq);
                out.push(PushOutput::Post { seq, attempt, message: None });
            }
        }
    }

    /// Posts for the first time what has been read.
    fn begin(&mut self, out: &mut Vec<PushOutput>) {
        self.line_up();
        while self.ready.front().is_some_and(|message| self.can_begin(message) && self.may_post(message.seq)) {
            let Some(message) = self.ready.pop_front() else { return };
            let (seq, published, owner) = (message.seq, Some(message.published), message.owner);
            if self.is_over(published, self.now) {
                self.book.dead(seq, 0, is_quiet(owner));
            } else {
                self.open.insert(seq, Open { attempts: 0, next: None, published, owner });
                if self.is_by_job() {
                    self.lanes.enter(owner);
                }
                self.passed(seq);
                out.push(PushOutput::Post { seq, attempt: 1, message: Some(message) });
            }
            self.line_up();
        }
    }

    /// Lets those in front wait whose job has an earlier message that has not ended.
    fn line_up(&mut self) {
        while let Some(message) = self.ready.front()
            && let Some(owner) = message.owner.filter(|owner| self.lanes.is_taken(Some(*owner)))
            && self.lanes.waiting() < self.limits.ahead
        {
            self.lanes.wait(owner, Waiting { seq: message.seq, published: message.published });
            self.ready.pop_front();
        }
    }

    /// A post leaves.
    fn passed(&mut self, seq: u64) {
        self.gate.passed(seq);
        self.rate.passed(self.now);
    }

    /// Gives up what the topic keeps no longer, while no post leaves.
    fn lapse(&mut self) {
        let over = |open: &Open| open.next.is_some() && self.is_over(open.published, self.now);
        let lapsed: Vec<u64> = self.open.iter().filter(|(_, open)| over(open)).map(|(seq, _)| *seq).collect();
        for seq in lapsed {
            if !self.book.is_full() {
                self.give_up(seq);
            }
        }
        while let Some(message) = self.ready.front()
            && self.is_over(Some(message.published), self.now)
            && !self.book.is_full()
        {
            self.book.dead(message.seq, 0, is_quiet(message.owner));
            self.ready.pop_front();
        }
    }

    /// When the topic keeps one of the messages no longer, if no post leaves till then.
    fn lapses(&self) -> Timestamp {
        if self.gate.is_open(self.now) || self.book.is_full() {
            return Timestamp::NEVER;
        }
        let open = self.open.values().filter(|open| open.next.is_some()).filter_map(|open| open.published);
        let first = open.chain(self.ready.front().map(|message| message.published)).min();
        first.map_or(Timestamp::NEVER, |published| published.plus_s(self.topic.retention_s))
    }

    fn load(&mut self, out: &mut Vec<PushOutput>) {
        if !self.loading && self.read < self.end && self.ready.len() <= self.limits.page / 2 {
            self.loading = true;
            out.push(PushOutput::Load { after: self.read, most: self.limits.page - self.ready.len() });
        }
    }

    fn wants(&self, message: &TopicMessage) -> bool {
        filter::wants_message(self.topic.filter, &self.subscription, message)
    }

    /// Whether the retention of a message ends by `at`. Unknown after a restart until the log has been read that far;
    /// then another post does no harm.
    fn is_over(&self, published: Option<Timestamp>, at: Timestamp) -> bool {
        published.is_some_and(|published| published <= self.topic.keeps_since(at))
    }

    /// The message that is tried again next, and when.
    fn next_retry(&self) -> Option<(Timestamp, u64)> {
        match self.turns() {
            Turns::Many => self.due.first().copied(),
            Turns::One => self.open.first_key_value().and_then(|(seq, open)| Some((open.next?, *seq))),
        }
    }

    /// Whether a post of this message may leave now.
    fn may_post(&self, seq: u64) -> bool {
        self.has_turn(seq) && self.gate.is_open(self.now) && self.rate.is_open(self.now)
    }

    /// Whether a post of this message may leave, as far as that does not hang on time.
    fn has_turn(&self, seq: u64) -> bool {
        let in_flight = self.subscription.manner.in_flight(self.limits.in_flight);
        let turn = match self.turns() {
            Turns::Many => self.in_flight() < in_flight,
            Turns::One => self.in_flight() == 0 && seq == self.cursor() + 1,
        };
        turn && !self.book.is_full()
    }

    /// Whether this message may be begun, as far as that does not hang on time.
    fn can_begin(&self, message: &TopicMessage) -> bool {
        !self.lanes.is_taken(message.owner) && self.has_turn(message.seq) && self.has_room(message.seq)
    }

    /// Whether this message may be begun beside what is open.
    fn has_room(&self, seq: u64) -> bool {
        match self.turns() {
            Turns::Many => {
                // The lowest is what those ahead wait for.
                let ahead = self.book.ahead() < self.limits.ahead || seq == self.cursor() + 1;
                self.open.len() < self.limits.window && ahead
            }
            // Only the lowest is ever begun; what an earlier strategy left open is behind it.
            Turns::One => true,
        }
    }

    fn is_by_job(&self) -> bool {
        self.subscription.manner.order == Order::Job
    }

    fn turns(&self) -> Turns {
        match self.subscription.strategy {
            Strategy::BackoffRetry if !self.is_by_job() => Turns::One,
            Strategy::BackoffRetry | Strategy::ExponentialDecayRetry => Turns::Many,
        }
    }
}
