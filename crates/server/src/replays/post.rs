//! A replay to an HTTP subscriber.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use kernel::command::{Command, ReplayRecord};
use kernel::loops::replay::{ReplayInput, ReplayLoop, ReplayOutput};
use kernel::replay::Replay;
use kernel::time::Timestamp;
use kernel::topic::TopicMessage;
use rand::rngs::{StdRng, SysRng};
use rand::{RngExt, SeedableRng};

use super::{Failed, Replayer};
use crate::ledger::Lane;
use crate::push::Subject;

/// The longest sleep, since the clock may be set.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// Request ids are drawn from this on: ten digits each.
const REQUEST_ID_FIRST: u32 = 1_000_000_000;

impl Replayer {
    /// Posts until the replay has ended.
    pub(super) async fn post_all(&self, mut subject: Subject, replay: Replay) -> Result<(), Failed> {
        let mut posts = ReplayLoop::new(subject.0.clone(), subject.1.clone(), replay.clone());
        let mut rng = StdRng::try_from_rng(&mut SysRng)?;
        let mut deeds: FuturesUnordered<BoxFuture<'_, Result<ReplayInput, Failed>>> = FuturesUnordered::new();
        let (mut input, mut out) = (ReplayInput::Tick, Vec::new());
        loop {
            posts.on(input, self.push.app.clock(), &mut rng, &mut out);
            for output in out.drain(..) {
                deeds.push(match output {
                    ReplayOutput::Load { after, most } => Box::pin(self.load(replay.clone(), after, most)),
                    ReplayOutput::Record(record) => Box::pin(self.record(record)),
                    ReplayOutput::Post { attempt, message } => {
                        let request_id = rng.random_range(REQUEST_ID_FIRST..=u32::MAX);
                        Box::pin(self.post(subject.clone(), attempt, message, request_id))
                    }
                });
            }
            input = tokio::select! {
                Some(done) = deeds.next() => done?,
                () = self.bell.notified() => match self.subject() {
                    None => return Ok(()),
                    Some((now, _)) => {
                        subject = now;
                        ReplayInput::Changed(subject.0.clone(), subject.1.clone())
                    }
                },
                () = tokio::time::sleep(self.rest(posts.wake())) => ReplayInput::Tick,
            };
        }
    }

    fn rest(&self, wake: Timestamp) -> Duration {
        Duration::from_millis(wake.since_ms(self.push.app.clock())).min(LONGEST_REST)
    }

    async fn load(&self, replay: Replay, after: u64, most: usize) -> Result<ReplayInput, Failed> {
        let (steps, through) = self.steps(&replay, after, most).await?;
        Ok(ReplayInput::Loaded { found: self.found(steps).await?, through })
    }

    async fn record(&self, record: Box<ReplayRecord>) -> Result<ReplayInput, Failed> {
        self.push.app.ledger.submit_patiently(Lane::Background, Command::RecordReplay(record)).await?;
        Ok(ReplayInput::Recorded)
    }

    async fn post(
        &self,
        subject: Subject,
        number: u32,
        message: Arc<TopicMessage>,
        request_id: u32,
    ) -> Result<ReplayInput, Failed> {
        match self.push.post(&subject, &message, number, request_id, true).await {
            Some(posted) => Ok(ReplayInput::Posted(posted)),
            // It fills a queue now, so this loop is replaced by one that copies.
            None => Ok(ReplayInput::Tick),
        }
    }
}
