//! Deliveries: copied into queues, recorded for the push loops, given up; and what a subscription's own events tell of
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::change::What;
use crate::command::{DeliveryRecord, Refusal, Reply};
use crate::decide::{Draft, Owner, message};
use crate::delivery::{Attempt, Delivery, DeliveryKey, DeliveryStage, Outcome};
use crate::event::{self, DeliveryTrouble, EventName, Subject};
use crate::filter;
use crate::limits;
use crate::mistake::Mistake;
use crate::subscription::{Endpoint, Health, Stage, Subscription, SubscriptionKey};
use crate::topic::{MsgId, Topic, TopicMessage};

/// Copies what a queue subscription wants of `messages` into its queue, as far as there is room, and moves its cursor
/// behind what it has dealt with. The copies and the cursor are one decision, so none is missing and none is double.
pub(super) fn fan_out(
    draft: &mut Draft<'_>,
    key: SubscriptionKey,
    messages: &[Arc<TopicMessage>],
    through: u64,
) -> Result<Reply, Refusal> {
    // Gone meanwhile: nothing is left to be done.
    let Some((topic, subscription)) = find_key(draft, key) else { return Ok(Reply::Done) };
    let Endpoint::Queue { queue, .. } = &subscription.endpoint else { return Ok(Reply::Done) };
    let room = draft.state.queue(*queue).ok_or(Refusal::NoStream(*queue))?.room();
    let mut room = usize::try_from(room).unwrap_or(usize::MAX).min(limits::FAN_OUT_MESSAGES);
    if subscription.stage.is_paused() {
        room = 0;
    }
    let mut cursor = through;
    for message in messages.iter().filter(|message| message.seq > subscription.cursor) {
        if !filter::wants_message(topic.filter, &subscription, message) {
            continue;
        }
        if room == 0 {
            if message.published > topic.keeps_since(draft.now) {
                cursor = cursor.min(message.seq - 1);
                break;
            }
            // Its retention has ended while the queue was full: given up, where it can be seen.
            let key = DeliveryKey { subscription: key, seq: message.seq };
            let row = Delivery { key, stage: DeliveryStage::Dead, attempts: 0 };
            let is_quiet = is_of_subscription(message);
            give_up(draft, (&topic, &subscription), row, Given { text: Some(message), last: None, is_quiet });
            continue;
        }
        room -= 1;
        if !draft.errs(Mistake::SkipCopy) {
            message::store(draft, *queue, message.body.clone(), draft.now);
        }
    }
    move_cursor(draft, &topic, &subscription, cursor);
    Ok(Reply::Done)
}

/// Makes durable what a push loop has decided. It may be late, or come from a loop that has been replaced: the cursor
/// only moves forward, and no row is kept behind it but those of the dead.
pub(super) fn record(draft: &mut Draft<'_>, record: DeliveryRecord) -> Result<Reply, Refusal> {
    let Some((topic, subscription)) = find_key(draft, record.key) else { return Ok(Reply::Done) };
    let cursor = record.cursor.min(topic.end()).max(subscription.cursor);
    let has_place = |row: &Delivery| {
        let ahead = row.key.seq > cursor || row.stage == DeliveryStage::Dead;
        ahead && row.key.seq <= topic.end() && row.key.subscription == record.key
    };
    let quiet: BTreeSet<u64> = record.quiet.into_iter().collect();
    let texts: BTreeMap<u64, Arc<TopicMessage>> = record.texts.into_iter().map(|text| (text.seq, text)).collect();
    let mut attempts = record.attempts;
    attempts.retain(|attempt| attempt.key.subscription == record.key);
    for attempt in &attempts {
        draft.record(What::AttemptEnded(attempt.clone()));
    }
    fare(draft, &topic, &subscription, attempts.iter().filter(|attempt| !quiet.contains(&attempt.key.seq)));
    for row in record.put.into_iter().filter(has_place) {
        if row.stage == DeliveryStage::Dead {
            let text = texts.get(&row.key.seq);
            let is_quiet = quiet.contains(&row.key.seq) || text.is_some_and(|text| is_of_subscription(text));
            let last = attempts.iter().rev().find(|attempt| attempt.key.seq == row.key.seq);
            give_up(draft, (&topic, &subscription), row, Given { text, last: last.map(|last| &**last), is_quiet });
        } else {
            draft.record(What::DeliveryPut(row));
        }
    }
    for seq in record.cleared {
        draft.record(What::DeliveryCleared(record.key, seq));
    }
    enter(draft, &subscription, record.stage);
    move_cursor(draft, &topic, &subscription, cursor);
    Ok(Reply::Done)
}

/// The stage that a loop has led its subscription to. A pause ends only on request.
fn enter(draft: &mut Draft<'_>, subscription: &Subscription, stage: Option<Stage>) {
    let Some(stage) = stage.filter(|stage| *stage != subscription.stage) else { return };
    if !subscription.stage.is_paused() {
        draft.record(What::SubscriptionStaged(subscription.key, stage));
    }
}

/// Counts failures running, and tells when they become three and when they end. Attempts at the events of
/// subscriptions are not counted, so that such events never cause further ones.
fn fare<'a>(
    draft: &mut Draft<'_>,
    topic: &Topic,
    subscription: &Subscription,
    attempts: impl Iterator<Item = &'a Arc<Attempt>>,
) {
    let (key, mut health) = (subscription.key, subscription.health.clone());
    for attempt in attempts {
        let before = std::mem::take(&mut health);
        health = after(&before, &attempt.outcome);
        let (name, told) = match (before.is_failing(), health.is_failing()) {
            (false, true) => (EventName::SubscriptionFailing, &health),
            (true, false) => (EventName::SubscriptionRecovered, &before),
            _ => continue,
        };
        let trouble = DeliveryTrouble {
            failures: told.failures,
            last_status: told.last_status,
            last_error: told.last_error.clone(),
            ..trouble(topic, subscription)
        };
        let what = What::SubscriptionFared(key, health.clone());
        draft.record_event(what, name, Owner::Subscription(key), |_| Some(Subject::Delivery(Box::new(trouble))));
    }
    if draft.state.subscription(key).is_some_and(|row| row.health != health) {
        draft.record(What::SubscriptionFared(key, health));
    }
}

fn after(health: &Health, outcome: &Outcome) -> Health {
    if outcome.is_success() {
        return Health::default();
    }
    let failures = health.failures.saturating_add(1);
    let (last_status, last_error) = told(outcome);
    Health { failures, last_status, last_error }
}

/// The status of an answer, or why there was none.
fn told(outcome: &Outcome) -> (Option<u16>, String) {
    match outcome {
        Outcome::Replied { status, .. } => (Some(*status), String::new()),
        Outcome::Failed { error } => (None, error.chars().take(limits::LAST_ERROR_CHARS).collect()),
    }
}

/// What is known of a delivery that is given up.
pub(super) struct Given<'a> {
    /// Its message, if it is still in the log.
    pub(super) text: Option<&'a Arc<TopicMessage>>,
    /// Its last attempt, if that has just ended.
    pub(super) last: Option<&'a Attempt>,
    /// Nothing is told of it: it is an event of a subscription itself.
    pub(super) is_quiet: bool,
}

/// Gives a delivery up: its row says so, an event tells it, and its text goes to the queue for dead letters, unless
/// that is full.
pub(super) fn give_up(
    draft: &mut Draft<'_>,
    (topic, subscription): (&Topic, &Subscription),
    row: Delivery,
    given: Given<'_>,
) {
    let (last_status, last_error) = given.last.map(|last| told(&last.outcome)).unwrap_or_default();
    let trouble = DeliveryTrouble {
        failures: row.attempts,
        last_status,
        last_error,
        message: Some(MsgId::new(topic.no, row.key.seq)),
        ..trouble(topic, subscription)
    };
    if given.is_quiet {
        draft.record(What::DeliveryPut(row));
    } else {
        let owner = Owner::Subscription(subscription.key);
        draft.record_event(What::DeliveryPut(row), EventName::DeliveryDead, owner, |_| {
            Some(Subject::Delivery(Box::new(trouble)))
        });
    }
    let letters = subscription.manner.dead_letters.as_ref().map(|letters| letters.queue);
    let queue = letters.filter(|queue| draft.state.queue(*queue).is_some_and(|queue| queue.room() > 0));
    if let (Some(queue), Some(text)) = (queue, given.text) {
        message::store(draft, queue, text.body.clone(), draft.now);
    }
}

fn trouble(topic: &Topic, subscription: &Subscription) -> DeliveryTrouble {
    let endpoint = match &subscription.endpoint {
        Endpoint::Queue { name, .. } => name.clone(),
        Endpoint::Http { url } => url.clone(),
    };
    DeliveryTrouble {
        id: subscription.id,
        topic: topic.name.clone(),
        name: subscription.name.clone(),
        endpoint,
        failures: 0,
        last_status: None,
        last_error: String::new(),
        message: None,
    }
}

pub(super) fn is_of_subscription(message: &TopicMessage) -> bool {
    matches!(message.owner, Some(event::Owner::Subscription(_)))
}

fn move_cursor(draft: &mut Draft<'_>, topic: &Topic, subscription: &Subscription, to: u64) {
    let to = to.min(topic.end());
    if to > subscription.cursor {
        draft.record(What::CursorMoved(subscription.key, to));
    }
}

pub(super) fn find_key(draft: &Draft<'_>, key: SubscriptionKey) -> Option<(Arc<Topic>, Arc<Subscription>)> {
    Some((draft.state.topic(key.topic)?.clone(), draft.state.subscription(key)?.clone()))
}
