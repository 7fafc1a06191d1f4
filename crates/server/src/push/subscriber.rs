//! The task of one HTTP subscription.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use kernel::command::{Command, DeliveryRecord};
use kernel::delivery::{Delivery, DeliveryStage};
use kernel::loops::push::{PushInput, PushLimits, PushLoop, PushOutput};
use kernel::subscription::{Subscription, SubscriptionKey};
use kernel::time::Timestamp;
use kernel::topic::{Topic, TopicMessage};
use rand::rngs::{StdRng, SysRng};
use rand::{RngExt, SeedableRng};
use store::{DeliverySet, StoreError};
use tokio::sync::Notify;

use super::{Push, Subject};
use crate::chain::Chain;
use crate::ledger::{Lane, SubmitError};

/// How long a task that failed waits before it begins anew.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest sleep, since the clock may be set.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// Rows read at once.
const PAGE: usize = 1_000;
/// Request ids are drawn from this on: ten digits each.
const REQUEST_ID_FIRST: u32 = 1_000_000_000;

/// The task of one subscription.
pub(super) struct Subscriber {
    pub(super) push: Push,
    pub(super) key: SubscriptionKey,
    /// Rings when the topic has grown, or something may have changed.
    pub(super) bell: Arc<Notify>,
}

/// Why a task has to begin anew.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Read(#[from] StoreError),
    #[error(transparent)]
    Submit(#[from] SubmitError),
    #[error("no random numbers are to be had")]
    Random(#[from] rand::rngs::SysError),
}

impl Subscriber {
    /// Posts until the subscription is gone.
    pub(super) async fn run(self) {
        while let Some(subject) = self.subject() {
            if let Err(error) = self.drive(subject).await {
                if matches!(error, Failed::Submit(SubmitError::Stopping)) {
                    break;
                }
                tracing::warn!(subscription = ?self.key, error = %Chain(&error), "a push loop begins anew");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Runs one push loop, until the subscription is gone.
    async fn drive(&self, mut subject: Subject) -> Result<(), Failed> {
        let rows = self.rows(subject.1.cursor).await?;
        let mut push = PushLoop::new(subject.0.clone(), subject.1.clone(), rows, PushLimits::default());
        let mut rng = StdRng::try_from_rng(&mut SysRng)?;
        let mut deeds: FuturesUnordered<BoxFuture<'_, Result<PushInput, Failed>>> = FuturesUnordered::new();
        let (mut input, mut out) = (PushInput::Tick, Vec::new());
        loop {
            push.on(input, self.push.app.clock(), &mut rng, &mut out);
            for output in out.drain(..) {
                deeds.push(self.deed(output, &subject, &mut rng));
            }
            input = tokio::select! {
                Some(done) = deeds.next() => done?,
                () = self.bell.notified() => match self.news(&mut subject) {
                    Some(news) => news,
                    None => return Ok(()),
                },
                () = tokio::time::sleep(self.rest(push.wake())) => PushInput::Tick,
            };
        }
    }

    fn subject(&self) -> Option<Subject> {
        let state = self.push.app.state();
        Some((state.topic(self.key.topic)?.clone(), state.subscription(self.key)?.clone()))
    }

    /// What is to be told to the loop when the bell has rung; `None`: the subscription is gone.
    fn news(&self, subject: &mut Subject) -> Option<PushInput> {
        let (topic, subscription) = self.subject()?;
        let end = topic.end();
        let seen =
            |topic: &Topic, subscription: &Subscription| (topic.modified, subscription.modified, subscription.stage);
        let is_known = seen(&topic, &subscription) == seen(&subject.0, &subject.1);
        *subject = (topic, subscription);
        if is_known {
            return Some(PushInput::Grown(end));
        }
        Some(PushInput::Changed(subject.0.clone(), subject.1.clone()))
    }

    fn rest(&self, wake: Timestamp) -> Duration {
        Duration::from_millis(wake.since_ms(self.push.app.clock())).min(LONGEST_REST)
    }

    /// The rows a loop begins with: all ahead of the cursor, and behind it those that are not dead.
    async fn rows(&self, cursor: u64) -> Result<Vec<Delivery>, Failed> {
        let mut rows = Vec::new();
        for (set, from, to) in [(DeliverySet::Open, 0, cursor), (DeliverySet::All, cursor, u64::MAX)] {
            let mut after = from;
            loop {
                let key = self.key;
                let page = self.push.log.readers().read(move |reader| reader.deliveries(key, set, after, PAGE)).await?;
                let is_last = page.len() < PAGE || page.last().is_some_and(|row| row.key.seq > to);
                after = page.last().map_or(after, |row| row.key.seq);
                rows.extend(page.iter().filter(|row| row.key.seq <= to).map(|row| Delivery::clone(row)));
                if is_last {
                    break;
                }
            }
        }
        Ok(rows)
    }

    fn deed(
        &self,
        output: PushOutput,
        subject: &Subject,
        rng: &mut StdRng,
    ) -> BoxFuture<'_, Result<PushInput, Failed>> {
        match output {
            PushOutput::Load { after, most } => Box::pin(self.load(after, most)),
            PushOutput::Record(record) => Box::pin(self.record(record)),
            PushOutput::Post { seq, attempt, message } => {
                let request_id = rng.random_range(REQUEST_ID_FIRST..=u32::MAX);
                Box::pin(self.post(subject.clone(), (seq, attempt), message, request_id))
            }
        }
    }

    async fn load(&self, after: u64, most: usize) -> Result<PushInput, Failed> {
        // Before the read, which may see more.
        let end = self.subject().map_or(after, |(topic, _)| topic.end());
        let messages = self.push.log.messages(self.key.topic, after, most).await?;
        let last = messages.last().map_or(after, |message| message.seq);
        let through = if messages.len() == most { last } else { end.max(last) };
        Ok(PushInput::Loaded { messages, through })
    }

    async fn record(&self, record: DeliveryRecord) -> Result<PushInput, Failed> {
        let mut record = record;
        record.texts = self.texts(&record).await?;
        let command = Command::RecordDeliveries(Box::new(record));
        self.push.app.ledger.submit_patiently(Lane::Background, command).await?;
        Ok(PushInput::Recorded)
    }

    /// The messages that a record gives up, where they are to go to a queue for dead letters.
    async fn texts(&self, record: &DeliveryRecord) -> Result<Vec<Arc<TopicMessage>>, Failed> {
        let mut texts = Vec::new();
        if self.subject().is_some_and(|(_, subscription)| subscription.manner.dead_letters.is_some()) {
            for row in record.put.iter().filter(|row| row.stage == DeliveryStage::Dead) {
                texts.extend(self.message(row.key.seq).await?);
            }
        }
        Ok(texts)
    }

    /// A message, if it is in the log.
    async fn message(&self, seq: u64) -> Result<Option<Arc<TopicMessage>>, Failed> {
        let found = self.push.log.messages(self.key.topic, seq - 1, 1).await?;
        Ok(found.into_iter().find(|message| message.seq == seq))
    }

    async fn post(
        &self,
        subject: Subject,
        (seq, number): (u64, u32),
        message: Option<Arc<TopicMessage>>,
        request_id: u32,
    ) -> Result<PushInput, Failed> {
        let message = match message {
            Some(message) => Some(message),
            None => self.message(seq).await?,
        };
        let Some(message) = message else { return Ok(PushInput::Gone(seq)) };
        let posted = self.push.post(&subject, &message, number, request_id, false).await;
        Ok(posted.map_or(PushInput::Gone(seq), PushInput::Posted))
    }
}
