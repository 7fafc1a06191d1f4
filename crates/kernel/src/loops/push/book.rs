//! What a push loop has seen and decided that is not durable yet, and when it is to be made so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::command::DeliveryRecord;
use crate::delivery::{Attempt, Delivery, DeliveryKey, DeliveryStage};
use crate::loops::push::PushLimits;
use crate::subscription::SubscriptionKey;
use crate::time::Timestamp;

/// Failures, successes and attempts since the last record.
#[derive(Debug)]
pub(super) struct Book {
    key: SubscriptionKey,
    limits: PushLimits,
    /// The cursor of the last record.
    cursor: u64,
    /// Messages ahead of it that were delivered.
    delivered: BTreeSet<u64>,
    /// Those of them that no row says so of yet, with their number of attempts.
    unrowed: BTreeMap<u64, u32>,
    /// Messages that have a row, by the records so far, that will have to go.
    rows: BTreeSet<u64>,
    /// Failures that are not recorded.
    put: BTreeMap<u64, Delivery>,
    attempts: Vec<Arc<Attempt>>,
    /// Messages of which nothing is to be told.
    quiet: BTreeSet<u64>,
    /// A failure waits.
    urgent: bool,
    /// When the first of what waits without hurry happened.
    since: Option<Timestamp>,
    /// A record is being committed.
    recording: bool,
}

impl Book {
    pub(super) fn new(key: SubscriptionKey, cursor: u64, limits: PushLimits) -> Self {
        Self {
            key,
            limits,
            cursor,
            delivered: BTreeSet::new(),
            unrowed: BTreeMap::new(),
            rows: BTreeSet::new(),
            put: BTreeMap::new(),
            attempts: Vec::new(),
            quiet: BTreeSet::new(),
            urgent: false,
            since: None,
            recording: false,
        }
    }

    /// A message has a row.
    pub(super) fn has_row(&mut self, seq: u64) {
        self.rows.insert(seq);
    }

    /// A delivered message has a row that says so.
    pub(super) fn was_delivered(&mut self, seq: u64) {
        self.rows.insert(seq);
        self.delivered.insert(seq);
    }

    pub(super) fn attempted(&mut self, attempt: Arc<Attempt>, is_quiet: bool) {
        if is_quiet {
            self.quiet.insert(attempt.key.seq);
        }
        self.attempts.push(attempt);
    }

    pub(super) fn delivered(&mut self, seq: u64, attempts: u32) {
        self.put.remove(&seq);
        self.delivered.insert(seq);
        self.unrowed.insert(seq, attempts);
    }

    pub(super) fn retrying(&mut self, seq: u64, attempts: u32, next: Timestamp) {
        self.put(seq, attempts, DeliveryStage::Retrying { next });
    }

    pub(super) fn dead(&mut self, seq: u64, attempts: u32, is_quiet: bool) {
        if is_quiet {
            self.quiet.insert(seq);
        }
        self.put(seq, attempts, DeliveryStage::Dead);
    }

    fn put(&mut self, seq: u64, attempts: u32, stage: DeliveryStage) {
        self.urgent = true;
        self.put.insert(seq, self.row(seq, attempts, stage));
    }

    fn row(&self, seq: u64, attempts: u32, stage: DeliveryStage) -> Delivery {
        Delivery { key: DeliveryKey { subscription: self.key, seq }, stage, attempts }
    }

    /// How many messages ahead of the recorded cursor were delivered.
    pub(super) fn ahead(&self) -> usize {
        self.delivered.len()
    }

    /// Whether so much waits to be recorded that nothing may be added to it.
    pub(super) fn is_full(&self) -> bool {
        self.attempts.len() + self.put.len() >= self.limits.unrecorded
    }

    /// The last record is committed.
    pub(super) fn recorded(&mut self) {
        self.recording = false;
    }

    /// When [`turn`](Self::turn) has something to record.
    pub(super) fn due(&self) -> Timestamp {
        match self.since {
            Some(since) if !self.recording => since.plus_ms(self.limits.record_lag_ms),
            _ => Timestamp::NEVER,
        }
    }

    /// Takes notice of where the cursor is, and gives a record if it is time for one.
    /// `has_news`: something else is to be recorded without delay.
    pub(super) fn turn(&mut self, cursor: u64, now: Timestamp, has_news: bool) -> Option<DeliveryRecord> {
        self.urgent |= has_news;
        if self.since.is_none() && (self.urgent || cursor > self.cursor || !self.attempts.is_empty() || self.is_stale())
        {
            self.since = Some(now);
        }
        let since = self.since?;
        let late = now >= since.plus_ms(self.limits.record_lag_ms);
        if self.recording || !(late || self.urgent || self.is_full()) {
            return None;
        }
        (self.since, self.urgent, self.recording) = (None, false, true);
        self.cursor = cursor;
        let cleared = self.clear();
        Some(DeliveryRecord {
            key: self.key,
            cursor,
            put: self.rows(),
            cleared,
            attempts: std::mem::take(&mut self.attempts),
            quiet: std::mem::take(&mut self.quiet).into_iter().collect(),
            stage: None,
            texts: Vec::new(),
        })
    }

    /// Whether rows are left behind the recorded cursor.
    fn is_stale(&self) -> bool {
        self.delivered.first().is_some_and(|seq| *seq <= self.cursor)
    }

    /// Forgets deliveries that the cursor has passed; gives those that had a row, not more than one record may clear.
    fn clear(&mut self) -> Vec<u64> {
        let mut cleared = Vec::new();
        while let Some(seq) = self.delivered.first().copied()
            && seq <= self.cursor
            && cleared.len() < self.limits.window
        {
            self.delivered.remove(&seq);
            self.unrowed.remove(&seq);
            if self.rows.remove(&seq) {
                cleared.push(seq);
            }
        }
        cleared
    }

    /// Rows of what has failed, and of what was delivered ahead of the cursor.
    fn rows(&mut self) -> Vec<Delivery> {
        let unrowed = self.unrowed.split_off(&(self.cursor + 1));
        let failed = std::mem::take(&mut self.put).into_values();
        let delivered = unrowed.into_iter().map(|(seq, attempts)| self.row(seq, attempts, DeliveryStage::Delivered));
        let put: Vec<Delivery> = failed.chain(delivered).collect();
        for row in &put {
            match row.stage {
                // A dead one keeps its row.
                DeliveryStage::Dead => self.rows.remove(&row.key.seq),
                _ => self.rows.insert(row.key.seq),
            };
        }
        put
    }
}
