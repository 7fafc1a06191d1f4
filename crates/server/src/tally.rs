//! What has happened since the server started: for the console's first page and `/metrics`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::change::{Change, What};
use kernel::delivery::{DeliveryStage, Outcome};
use kernel::time::Timestamp;
use kernel::topic::TopicMessage;

/// Minutes that are told apart.
pub(crate) const MINUTES: usize = 60;
/// Events that are kept to be shown.
const RECENT: usize = 20;
const MINUTE_MS: i64 = 60_000;

/// Counts. Cheap to look at.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

/// So much has happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// Events of jobs, environments and subscriptions, one for each topic that a change was sent to.
    pub(crate) events: u64,
    /// Posts that were answered with 2xx.
    pub(crate) delivered: u64,
    /// Posts that failed, each attempt counted.
    pub(crate) failed: u64,
    /// Messages that were given up.
    pub(crate) dead: u64,
    /// Messages that came into queues: copies of topics' messages, what clients sent, and dead letters.
    pub(crate) stored: u64,
    /// The events of each minute, the newest last; minutes without any are left out.
    minutes: VecDeque<(i64, u64)>,
    /// The last events, the newest last.
    recent: VecDeque<Arc<TopicMessage>>,
}

impl Tally {
    /// Counts what one commit did.
    pub(crate) fn add(&self, changes: &[Change], messages: &[Arc<TopicMessage>]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).add(changes, messages);
    }

    /// The counts now.
    pub(crate) fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Counts {
    fn add(&mut self, changes: &[Change], messages: &[Arc<TopicMessage>]) {
        for change in changes {
            match &change.what {
                What::AttemptEnded(attempt) => match attempt.outcome {
                    Outcome::Replied { status: 200..=299, .. } => self.delivered += 1,
                    _ => self.failed += 1,
                },
                What::DeliveryPut(delivery) if delivery.stage == DeliveryStage::Dead => self.dead += 1,
                What::MessageStored(_) => self.stored += 1,
                _ => {}
            }
            let sent = change.notices.len() as u64;
            if sent > 0 {
                self.events += sent;
                self.add_to_minute(change.at.0.div_euclid(MINUTE_MS), sent);
            }
        }
        self.recent.extend(messages.iter().filter(|message| message.owner.is_some()).cloned());
        let surplus = self.recent.len().saturating_sub(RECENT);
        self.recent.drain(..surplus);
    }

    fn add_to_minute(&mut self, minute: i64, count: u64) {
        match self.minutes.back_mut() {
            Some((last, sum)) if *last == minute => *sum += count,
            _ => self.minutes.push_back((minute, count)),
        }
        if self.minutes.len() > MINUTES {
            self.minutes.pop_front();
        }
    }

    /// How many events each of the last [`MINUTES`] minutes had, the one that `now` is in last.
    pub(crate) fn by_minute(&self, now: Timestamp) -> Vec<u64> {
        let last = now.0.div_euclid(MINUTE_MS);
        let first = last - i64::try_from(MINUTES).expect("a small number") + 1;
        let of = |minute| self.minutes.iter().filter(|(at, _)| *at == minute).map(|(_, count)| count).sum();
        (first..=last).map(of).collect()
    }

    /// The last events, the newest first.
    pub(crate) fn recent(&self) -> impl Iterator<Item = &Arc<TopicMessage>> {
        self.recent.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use kernel::change::Notice;
    use kernel::delivery::{Attempt, DeliveryKey};
    use kernel::event::{EventId, EventName};
    use kernel::subscription::SubscriptionKey;
    use kernel::topic::StreamNo;
    use rand::SeedableRng;

    use super::*;

    fn attempt(outcome: Outcome) -> What {
        let key = DeliveryKey { subscription: SubscriptionKey { topic: StreamNo(1), no: 1 }, seq: 1 };
        What::AttemptEnded(Arc::new(Attempt {
            key,
            number: 1,
            at: Timestamp(0),
            duration_ms: 1,
            address: String::new(),
            outcome,
        }))
    }

    fn change(at: i64, what: What, events: u64) -> Change {
        let id = EventId::draw(Timestamp(at), &mut rand::rngs::StdRng::seed_from_u64(1));
        let notice = |sequence| Notice { topic: StreamNo(1), sequence, id, name: EventName::JobRunning };
        Change { at: Timestamp(at), what, notices: (1..=events).map(notice).collect() }
    }

    #[test]
    fn events_are_counted_by_the_minute_and_posts_by_what_came_of_them() {
        let replied = |status| attempt(Outcome::Replied { status, body: String::new() });
        let tally = Tally::default();
        let hung = attempt(Outcome::Failed { error: "hung".into() });
        tally.add(&[change(0, replied(204), 0), change(59_999, replied(500), 2), change(60_000, hung, 1)], &[]);
        tally.add(&[change(200_000, replied(200), 4)], &[]);
        let counts = tally.counts();
        assert_eq!((counts.events, counts.delivered, counts.failed, counts.dead), (7, 2, 2, 0));
        let by_minute = counts.by_minute(Timestamp(240_001));
        assert_eq!((by_minute.len(), &by_minute[MINUTES - 5..]), (MINUTES, &[2, 1, 0, 4, 0][..]));
    }
}
