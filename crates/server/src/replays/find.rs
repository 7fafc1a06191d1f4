//! Finding the messages of a replay.

use std::sync::Arc;

use kernel::delivery::{DeliveryKey, DeliveryStage};
use kernel::loops::replay::Found;
use kernel::replay::{Replay, Which};
use kernel::topic::TopicMessage;
use store::StoreError;

use super::Replayer;

/// A place that a replay comes to, and its message; `None`: it is no longer in the log.
type Step = (u64, Option<Arc<TopicMessage>>);

impl Replayer {
    /// Up to `most` messages of the replay after a place, and up to where there are no others.
    pub(super) async fn steps(&self, replay: &Replay, after: u64, most: usize) -> Result<(Vec<Step>, u64), StoreError> {
        let (topic, to) = (self.key.topic, replay.to);
        let places: Vec<u64> = match &replay.which {
            Which::All => {
                let found = self.push.log.messages(topic, after, most).await?;
                let mut steps: Vec<Step> = Vec::new();
                // The log has no gap but that which retention leaves at its beginning.
                if found.first().is_none_or(|first| first.seq > after + 1) && after < to {
                    steps.push((after + 1, None));
                }
                steps.extend(found.into_iter().filter(|message| message.seq <= to).map(|it| (it.seq, Some(it))));
                let through = steps.last().map_or(after, |(seq, _)| *seq);
                return Ok((steps, through));
            }
            Which::These { seqs } => seqs.iter().copied().filter(|seq| *seq > after && *seq <= to).take(most).collect(),
            Which::Dead { since } => {
                let (key, since) = (self.key, *since);
                let read = move |reader: &mut dyn store::Reader| reader.dead_deliveries(key, since, after, most);
                let rows = self.push.log.readers().read(read).await?;
                rows.iter().map(|row| row.key.seq).filter(|seq| *seq <= to).collect()
            }
        };
        let through = if places.len() == most { places[most - 1] } else { to };
        let mut steps = Vec::with_capacity(places.len());
        for seq in places {
            let found = self.push.log.messages(topic, seq - 1, 1).await?;
            steps.push((seq, found.into_iter().find(|message| message.seq == seq)));
        }
        Ok((steps, through))
    }

    /// What is known of the deliveries of these messages.
    pub(super) async fn found(&self, steps: Vec<Step>) -> Result<Vec<Found>, StoreError> {
        let subscription = self.key;
        let read = move |reader: &mut dyn store::Reader| {
            let look = |(seq, message): Step| {
                let key = DeliveryKey { subscription, seq };
                let attempts = reader.last_attempt(key)?.map_or(0, |last| last.number);
                let row = reader.delivery(key)?;
                let dead = row.as_ref().is_some_and(|row| row.stage == DeliveryStage::Dead);
                // Attempts that are no longer kept have had their numbers all the same.
                let attempts = attempts.max(row.map_or(0, |row| row.attempts));
                Ok(Found { seq, message, attempts, dead })
            };
            steps.into_iter().map(look).collect()
        };
        self.push.log.readers().read(read).await
    }
}
