//! A page of deliveries.

use std::sync::Arc;

use kernel::delivery::{Attempt, Delivery, DeliveryKey, Standing, standing};
use kernel::event::Outlet;
use kernel::subscription::Subscription;
use kernel::topic::{Topic, TopicMessage};
use store::{DeliverySet, Reader, StoreError};

use crate::api::herald::fields::Place;

/// Deliveries that one call looks at; a page may be shorter than asked for when few of them are wanted.
const LOOKS: usize = 1_000;

/// A delivery in a list.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) topic: Arc<Topic>,
    pub(super) subscription: Arc<Subscription>,
    pub(super) seq: u64,
    /// `None`: the topic's retention has ended.
    pub(super) message: Option<Arc<TopicMessage>>,
    pub(super) row: Option<Arc<Delivery>>,
    pub(super) last: Option<Arc<Attempt>>,
    pub(super) standing: Standing,
}

/// A topic, and those of its subscriptions that a list is about, in order of their numbers.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) topic: Arc<Topic>,
    pub(super) subscriptions: Vec<Arc<Subscription>>,
    pub(super) walk: Walk,
}

/// Which of a topic's messages.
#[derive(Debug, Clone, Copy)]
pub(super) enum Walk {
    /// One.
    One(u64),
    /// All, the newest first.
    All,
    /// Those that the only subscription has given up or will try again, the newest first.
    Failed,
    /// One job's or environment's, the newest first.
    Sent(Outlet),
}

/// A list that is being made.
struct List<'a> {
    reader: &'a mut dyn Reader,
    /// The words of the states that are wanted; none: all.
    states: &'a [String],
    limit: usize,
    looks: usize,
    found: Vec<Listed>,
}

/// Lists up to `limit` deliveries, behind `from`; says where the next page goes on, if there may be one.
pub(super) fn page(
    reader: &mut dyn Reader,
    parts: &[Part],
    states: &[String],
    from: Option<Place>,
    limit: usize,
) -> Result<(Vec<Listed>, Option<Place>), StoreError> {
    let mut list = List { reader, states, limit, looks: 0, found: Vec::new() };
    let begin = from.map_or(0, |(topic, ..)| parts.iter().position(|part| part.topic.no.0 == topic).unwrap_or(0));
    for (at, part) in parts.iter().enumerate().skip(begin) {
        let from = from.filter(|(topic, ..)| at == begin && *topic == part.topic.no.0);
        if let Some(place) = list.part(part, from)? {
            return Ok((list.found, Some(place)));
        }
    }
    Ok((list.found, None))
}

/// A message that a walk has come to.
struct Step {
    seq: u64,
    message: Option<Arc<TopicMessage>>,
    /// Where the walk goes on; `None`: nowhere.
    next: Option<u64>,
}

impl List<'_> {
    /// Takes in a part's deliveries; gives the place of the last one looked at once it is enough.
    fn part(&mut self, part: &Part, from: Option<Place>) -> Result<Option<Place>, StoreError> {
        if part.subscriptions.is_empty() {
            return Ok(None);
        }
        let first = match part.walk {
            Walk::One(seq) => seq,
            Walk::All | Walk::Failed => u64::MAX,
            Walk::Sent(outlet) => outlet.last,
        };
        let (mut at, mut after) = from.map_or((Some(first), 0), |(_, seq, no)| (Some(seq), no));
        let mut again = from.is_some();
        while let Some(seq) = at {
            let Some(step) = self.step(part, seq, again)? else { return Ok(None) };
            if step.seq != seq {
                after = 0; // What the page before ended with has gone.
            }
            for subscription in part.subscriptions.iter().filter(|subscription| subscription.key.no > after) {
                self.consider(part, subscription, &step)?;
                if self.found.len() >= self.limit || self.looks >= LOOKS {
                    return Ok(Some((part.topic.no.0, step.seq, subscription.key.no)));
                }
            }
            (at, after, again) = (step.next, 0, false);
        }
        Ok(None)
    }

    /// The message at `seq`, or, on a walk along all, the one before it unless `again`: then the walk had come to it.
    fn step(&mut self, part: &Part, seq: u64, again: bool) -> Result<Option<Step>, StoreError> {
        let topic = part.topic.no;
        let before = if again { seq.saturating_add(1) } else { seq };
        match part.walk {
            Walk::One(_) => {
                let message = self.message(part, seq)?;
                Ok(Some(Step { seq, message, next: None }))
            }
            Walk::Sent(_) => Ok(self.message(part, seq)?.map(|message| {
                let next = (message.previous != 0).then_some(message.previous);
                Step { seq, message: Some(message), next }
            })),
            Walk::All => Ok(self.reader.topic_messages_before(topic, before, 1)?.into_iter().next().map(|message| {
                let seq = message.seq;
                Step { seq, message: Some(message), next: Some(seq) }
            })),
            Walk::Failed => {
                let Some(subscription) = part.subscriptions.first() else { return Ok(None) };
                let rows = self.reader.deliveries_before(subscription.key, DeliverySet::All, before, 1)?;
                let Some(seq) = rows.first().map(|row| row.key.seq) else { return Ok(None) };
                Ok(Some(Step { seq, message: self.message(part, seq)?, next: Some(seq) }))
            }
        }
    }

    fn message(&mut self, part: &Part, seq: u64) -> Result<Option<Arc<TopicMessage>>, StoreError> {
        let found = self.reader.topic_messages(part.topic.no, seq.saturating_sub(1), 1)?;
        Ok(found.into_iter().find(|message| message.seq == seq))
    }

    fn consider(&mut self, part: &Part, subscription: &Subscription, step: &Step) -> Result<(), StoreError> {
        self.looks += 1;
        let key = DeliveryKey { subscription: subscription.key, seq: step.seq };
        let (row, last) = (self.reader.delivery(key)?, self.reader.last_attempt(key)?);
        // Last, so that a row which the cursor has passed meanwhile is not missed.
        let Some(subscription) = self.reader.subscription(key.subscription.topic, &subscription.name)? else {
            return Ok(());
        };
        let stage = row.as_ref().map(|row| row.stage);
        let (message, filter) = (step.message.clone(), part.topic.filter);
        let standing = standing(filter, &subscription, step.seq, message.as_deref(), stage, last.as_deref());
        if self.states.is_empty() || self.states.iter().any(|state| state == standing.as_str()) {
            let topic = part.topic.clone();
            self.found.push(Listed { topic, subscription, seq: step.seq, message, row, last, standing });
        }
        Ok(())
    }
}
