//! A replay to a queue.

use std::sync::Arc;
use std::time::Duration;

use kernel::command::{Command, ReplayRecord};
use kernel::replay::{Replay, ReplayStage, Which};
use kernel::topic::TopicMessage;

use super::{Failed, Replayer};
use crate::ledger::Lane;
use crate::push::Subject;

/// Messages copied at once, at most.
const PAGE: usize = 100;
/// A page is as long as the rate lets through in this time.
const STEP_MS: u64 = 100;
/// How long a replay waits that cannot go on: its queue is full, or its subscription paused.
const WAIT: Duration = Duration::from_millis(500);

impl Replayer {
    /// Copies a page, and rests as long as the replay's rate asks for.
    pub(super) async fn copy_some(&self, subject: &Subject, replay: &Replay) -> Result<(), Failed> {
        let rate = u64::from(replay.rate_per_s);
        let most = usize::try_from((rate * STEP_MS).div_ceil(1_000)).unwrap_or(PAGE).clamp(1, PAGE);
        let (steps, through) = self.steps(replay, replay.next - 1, most).await?;
        if let Some((seq, _)) = steps.iter().find(|(_, message)| message.is_none() && replay.which == Which::All) {
            let reason = format!("the message at place {seq} is over the topic's retention and is gone");
            return self.fail(replay.next, reason).await;
        }
        let lost = steps.iter().filter(|(_, message)| message.is_none()).map(|(seq, _)| *seq).collect();
        let messages: Vec<Arc<TopicMessage>> = steps.into_iter().filter_map(|(_, message)| message).collect();
        let count = messages.len() as u64;
        let command = Command::CopyReplay { key: subject.1.key, no: self.no, messages, lost, through };
        self.push.app.ledger.submit_patiently(Lane::Background, command).await?;
        let moved = self.subject().is_none_or(|(_, now)| now.next > replay.next);
        let rest = if moved { Duration::from_millis(count * 1_000 / rate.max(1)) } else { WAIT };
        // The bell rings for its own commits too, so it does not cut the rest short; a stop is seen after it.
        tokio::time::sleep(rest).await;
        Ok(())
    }

    /// Records why the replay cannot go on.
    async fn fail(&self, next: u64, reason: String) -> Result<(), Failed> {
        let (key, no, end) = (self.key, self.no, Some(ReplayStage::Failed { reason }));
        let (attempts, delivered, dead) = (Vec::new(), Vec::new(), Vec::new());
        let record = ReplayRecord { key, no, next, attempts, delivered, dead, count: 0, lost: 0, end };
        self.push.app.ledger.submit_patiently(Lane::Background, Command::RecordReplay(Box::new(record))).await?;
        Ok(())
    }
}
