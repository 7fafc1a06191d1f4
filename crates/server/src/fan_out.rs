//! The loop that fills queues: for each queue subscription it copies what the topic's log holds behind the cursor.
//!
//! The copies and the cursor are one commit, so nothing is missing and nothing is double, however often the loop
//! begins anew. A subscription whose queue is full stays where it is until there is room; the others go on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use kernel::command::{Command, Reply};
use kernel::limits::FAN_OUT_MESSAGES;
use kernel::subscription::{Endpoint, SubscriptionKey};
use kernel::topic::{StreamNo, TopicMessage};
use store::StoreError;
use tokio::time::{Instant, MissedTickBehavior};

use crate::App;
use crate::chain::Chain;
use crate::effects::Signals;
use crate::ledger::{Lane, SubmitError};
use crate::topic_log::TopicLog;

/// Subscriptions that are copied for at once.
const AT_ONCE: usize = 16;
/// How often those are tried again that could not go on.
const RETRY: Duration = Duration::from_millis(500);
/// After so many [`RETRY`]s all subscriptions are looked at, also without a signal.
const LOOK_RETRIES: u32 = 60;
/// A subscription is copied for once in so long, so that under load one commit copies many messages. What comes to one
/// that has rested is copied at once.
const PACE: Duration = Duration::from_millis(4);
/// Bytes of text that a page of messages may have, about.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Messages in the first page of a topic whose messages are not known yet.
const FIRST_PAGE: usize = 64;

/// The loop's means.
#[derive(Clone)]
pub(crate) struct FanOut {
    pub(crate) app: App,
    pub(crate) log: TopicLog,
    pub(crate) signals: Arc<Signals>,
}

/// Where the loop stands.
#[derive(Default)]
struct Progress {
    /// Subscriptions that are being copied for, or are to be.
    busy: BTreeSet<SubscriptionKey>,
    waiting: VecDeque<SubscriptionKey>,
    /// Those that could not go on.
    stuck: BTreeSet<SubscriptionKey>,
    /// How many messages to read at once.
    pages: BTreeMap<StreamNo, usize>,
}

/// What came of a chunk.
struct Chunk {
    key: SubscriptionKey,
    /// The page's size that fits the topic's messages.
    page: usize,
    moved: Result<bool, ChunkError>,
}

/// Why a chunk was not copied.
#[derive(Debug, thiserror::Error)]
enum ChunkError {
    #[error(transparent)]
    Read(#[from] StoreError),
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

impl FanOut {
    /// Runs the loop; it does not end by itself.
    pub(crate) async fn run(self) {
        let mut progress = Progress::default();
        let mut chunks = FuturesUnordered::new();
        let mut ticks = tokio::time::interval(RETRY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut count = 0;
        loop {
            while chunks.len() < AT_ONCE
                && let Some(key) = progress.waiting.pop_front()
            {
                let page = progress.pages.get(&key.topic).copied().unwrap_or(FIRST_PAGE);
                chunks.push(self.chunk(key, page));
            }
            tokio::select! {
                topics = self.signals.fan_out.next() => self.consider_topics(topics, &mut progress),
                Some(chunk) = chunks.next() => self.chunk_ended(chunk, &mut progress),
                _ = ticks.tick() => {
                    if count % LOOK_RETRIES == 0 {
                        self.consider_all(&mut progress);
                    }
                    count += 1;
                    for key in std::mem::take(&mut progress.stuck) {
                        self.consider(key, &mut progress);
                    }
                }
            }
        }
    }

    fn consider_all(&self, progress: &mut Progress) {
        let topics: BTreeSet<StreamNo> = self.app.state().topics().map(|topic| topic.no).collect();
        progress.pages.retain(|topic, _| topics.contains(topic));
        self.consider_topics(topics, progress);
    }

    fn consider_topics(&self, topics: BTreeSet<StreamNo>, progress: &mut Progress) {
        let state = self.app.state();
        for topic in topics {
            for subscription in state.subscriptions_of(topic) {
                self.consider(subscription.key, progress);
            }
        }
    }

    /// Puts a subscription among those to be copied for, if it is behind.
    fn consider(&self, key: SubscriptionKey, progress: &mut Progress) {
        if self.behind(key).is_some() && !progress.stuck.contains(&key) && progress.busy.insert(key) {
            progress.waiting.push_back(key);
        }
    }

    /// The cursor of a queue subscription that is behind its topic, and the topic's end.
    fn behind(&self, key: SubscriptionKey) -> Option<(u64, u64)> {
        let state = self.app.state();
        let (subscription, end) = (state.subscription(key)?, state.topic(key.topic)?.end());
        let is_behind = matches!(subscription.endpoint, Endpoint::Queue { .. }) && subscription.cursor < end;
        is_behind.then_some((subscription.cursor, end))
    }

    fn chunk_ended(&self, chunk: Chunk, progress: &mut Progress) {
        progress.busy.remove(&chunk.key);
        progress.pages.insert(chunk.key.topic, chunk.page);
        match chunk.moved {
            Ok(true) => self.consider(chunk.key, progress),
            Ok(false) => {
                progress.stuck.insert(chunk.key);
            }
            Err(error) => {
                if !matches!(error, ChunkError::Submit(SubmitError::Stopping)) {
                    let error = Chain(&error);
                    tracing::warn!(subscription = ?chunk.key, %error, "failed to copy messages to a queue");
                }
                progress.stuck.insert(chunk.key);
            }
        }
    }

    async fn chunk(&self, key: SubscriptionKey, page: usize) -> Chunk {
        let mut next_page = page;
        let began = Instant::now();
        let moved = self.copy(key, page, &mut next_page).await;
        let far_behind = self.behind(key).is_some_and(|(cursor, end)| end - cursor >= page as u64);
        if !far_behind {
            tokio::time::sleep_until(began + PACE).await;
        }
        Chunk { key, page: next_page, moved }
    }

    /// Copies a page of messages; says whether the cursor has moved, or need not.
    async fn copy(&self, key: SubscriptionKey, page: usize, next_page: &mut usize) -> Result<bool, ChunkError> {
        let Some((cursor, end)) = self.behind(key) else { return Ok(true) };
        let messages = self.log.messages(key.topic, cursor, page).await?;
        *next_page = fitting_page(&messages, page);
        let last = messages.last().map_or(0, |message| message.seq);
        // Where fewer were found than asked for, there are no others up to the end as it was before.
        let through = if messages.len() == page { last } else { end.max(last) };
        let command = Command::FanOut { key, messages, through };
        let Reply::Done = self.app.ledger.submit_patiently(Lane::Background, command).await? else { return Ok(false) };
        Ok(self.behind(key).is_none_or(|(now, _)| now > cursor))
    }
}

/// How many messages like these fit into a page.
fn fitting_page(messages: &[Arc<TopicMessage>], page: usize) -> usize {
    let bytes: usize = messages.iter().map(|message| message.body.len()).sum();
    match bytes.checked_div(messages.len()) {
        Some(mean) => (PAGE_BYTES / mean.max(1)).clamp(1, FAN_OUT_MESSAGES),
        None => page,
    }
}
