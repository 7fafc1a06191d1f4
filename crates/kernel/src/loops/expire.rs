//! What is over its time, and may be removed, in chunks of at most [`EXPIRE_ROWS`](crate::limits::EXPIRE_ROWS).
//!
//! Topic messages and attempts are rows that no decision looks at: whoever removes them does so by these bounds.
//! Messages of queues are counted, so their removal is a command,
//! [`ExpireMessages`](crate::command::Command::ExpireMessages), and so is that of deleted ones that are kept,
//! [`DropKept`](crate::command::Command::DropKept).

use crate::decide::Settings;
use crate::limits;
use crate::state::State;
use crate::subscription::{Subscription, SubscriptionKey};
use crate::time::Timestamp;
use crate::topic::{StreamNo, Topic};

/// What is over its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cutoffs {
    /// One for each topic.
    pub topics: Vec<TopicCutoff>,
    /// Attempts that left at this moment or before.
    pub attempts: Timestamp,
    /// For subscriptions of topics with many messages: attempts at those up to this place go, whatever their time.
    pub many: Vec<(SubscriptionKey, u64)>,
    /// Activities that ended at this moment or before.
    pub activities: Timestamp,
}

/// Which messages of a topic are over their time: those for which [`takes`](Self::takes) is true, a beginning of its
/// log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicCutoff {
    /// The topic.
    pub topic: StreamNo,
    /// The retention of messages published at this moment or before has ended.
    pub over: Timestamp,
    /// Every subscription is done with the messages up to this place.
    pub through: u64,
    /// Messages published at this moment or before go, though a subscription is not done with them.
    pub lost: Timestamp,
}

impl TopicCutoff {
    /// Whether a message may be removed.
    #[must_use]
    pub fn takes(&self, seq: u64, published: Timestamp) -> bool {
        published <= self.lost || (published <= self.over && seq <= self.through)
    }
}

/// What is over its time at `now`. `since`: when the loops that deal with messages began, with the server. Until they
/// have had [`TOPIC_GRACE_S`](limits::TOPIC_GRACE_S), nothing goes that a subscription is not done with, however long
/// the server was away: they give up what is overdue by name, so that it can be seen.
#[must_use]
pub fn cutoffs(state: &State, settings: &Settings, now: Timestamp, since: Timestamp) -> Cutoffs {
    let many = |subscription: &Subscription| {
        let end = state.topic(subscription.key.topic)?.end();
        end.checked_sub(settings.attempts_kept).filter(|place| *place > 0).map(|place| (subscription.key, place))
    };
    Cutoffs {
        topics: state.topics().map(|topic| topic_cutoff(state, topic, now, since)).collect(),
        attempts: now.minus_s(settings.attempts_kept_s),
        many: state.subscriptions().filter_map(|subscription| many(subscription)).collect(),
        activities: now.minus_s(limits::ACTIVITIES_KEPT_S),
    }
}

fn topic_cutoff(state: &State, topic: &Topic, now: Timestamp, since: Timestamp) -> TopicCutoff {
    let over = topic.keeps_since(now);
    let through =
        state.subscriptions_of(topic.no).map(|subscription| needs_after(subscription)).min().unwrap_or(u64::MAX);
    let graced = now.since_ms(since) >= limits::TOPIC_GRACE_S * 1000;
    let lost = if graced { over.minus_s(limits::TOPIC_GRACE_S) } else { Timestamp(i64::MIN) };
    TopicCutoff { topic: topic.no, over, through, lost }
}

/// The place up to which a subscription needs no message any more, its replays neither.
fn needs_after(subscription: &Subscription) -> u64 {
    let replays = subscription.replays.iter().filter(|replay| replay.is_running());
    replays.map(|replay| replay.next - 1).fold(subscription.cursor, u64::min)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::loops::push::tests::{KEY, START, subscription, topic};
    use crate::state::Row;
    use crate::subscription::Strategy;
    use crate::topic::Topic;

    const LONG_AGO: Timestamp = Timestamp(0);

    #[test]
    fn a_topic_keeps_its_retention_and_an_hour_more_what_a_subscription_has_not_dealt_with() {
        let mut state = State::default();
        state.load(Row::Topic(Arc::new(Topic { next_seq: 10, ..topic(60) })));
        let cutoff = cutoffs(&state, &Settings::default(), START, LONG_AGO).topics[0];
        let (over, kept) = (START.minus_s(60), START.minus_s(60).plus_ms(1));
        assert!(cutoff.takes(9, over) && !cutoff.takes(1, kept), "without a subscription");
        for (no, cursor) in [(1, 7), (2, 4)] {
            let key = crate::subscription::SubscriptionKey { no, ..KEY };
            let row = Subscription { key, cursor, ..subscription(Strategy::default(), &[]) };
            state.load(Row::Subscription(Arc::new(row)));
        }
        let cutoff = cutoffs(&state, &Settings::default(), START, LONG_AGO).topics[0];
        assert!(cutoff.takes(4, over) && !cutoff.takes(5, over), "up to the cursor that is last");
        let hour = over.minus_s(3_600);
        assert!(cutoff.takes(5, hour) && !cutoff.takes(5, hour.plus_ms(1)));
        let back = cutoffs(&state, &Settings::default(), START, START.minus_s(3_599)).topics[0];
        assert!(back.takes(4, hour) && !back.takes(5, hour), "a server that was away deals with its backlog first");
    }

    #[test]
    fn attempts_are_kept_for_a_time_and_of_the_latest_messages() {
        let mut state = State::default();
        let settings = Settings { attempts_kept: 100, ..Settings::default() };
        assert_eq!(cutoffs(&state, &settings, START, LONG_AGO).attempts, START.minus_s(7 * 86_400));
        state.load(Row::Topic(Arc::new(Topic { next_seq: 251, ..topic(60) })));
        state.load(Row::Subscription(Arc::new(subscription(Strategy::default(), &[]))));
        assert_eq!(cutoffs(&state, &settings, START, LONG_AGO).many, [(KEY, 150)]);
        let settings = Settings { attempts_kept: 250, ..settings };
        assert_eq!(cutoffs(&state, &settings, START, LONG_AGO).many, []);
    }
}
