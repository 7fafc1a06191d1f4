//! Subscriptions: made, deleted, moved on.

use std::sync::Arc;

use crate::change::What;
use crate::command::{DeliveryRecord, NewSubscription, Refusal, Reply};
use crate::decide::{Draft, message, topic};
use crate::delivery::{Delivery, DeliveryKey, DeliveryStage};
use crate::filter;
use crate::id::SubscriptionId;
use crate::limits;
use crate::subscription::{Endpoint, Subscription, SubscriptionKey};
use crate::topic::{FilterType, Topic, TopicMessage};

pub(super) fn subscribe(draft: &mut Draft<'_>, new: NewSubscription) -> Result<Reply, Refusal> {
    let topic = topic::named(draft, &new.topic)?;
    if let Some(other) = find(draft, &topic, &new.name) {
        return Err(Refusal::SubscriptionExists { topic: topic.name.clone(), name: other.name.clone() });
    }
    if draft.state.subscriptions_of(topic.no).count() >= limits::SUBSCRIPTIONS {
        return Err(Refusal::TooManySubscriptions(topic.name.clone()));
    }
    if topic.filter == FilterType::Routing && new.binding_keys.is_empty() {
        return Err(Refusal::BindingKeyMissing(topic.name.clone()));
    }
    let endpoint = match new.endpoint {
        Endpoint::Queue { name, .. } => Endpoint::Queue { queue: message::named(draft, &name)?.no, name },
        Endpoint::Http { url } => Endpoint::Http { url },
    };
    let id = SubscriptionId::draw(draft.rng);
    draft.record(What::Subscribed(Subscription {
        key: SubscriptionKey { topic: topic.no, no: topic.next_subscription },
        id,
        name: new.name,
        endpoint,
        strategy: new.strategy,
        format: new.format,
        filter_tags: new.filter_tags,
        binding_keys: new.binding_keys,
        start: topic.end(),
        cursor: topic.end(),
        created: draft.now,
        modified: draft.now,
    }));
    Ok(Reply::Subscription(id))
}

pub(super) fn unsubscribe(draft: &mut Draft<'_>, topic: &str, name: &str) -> Result<Reply, Refusal> {
    let topic = topic::named(draft, topic)?;
    let missing = || Refusal::NoSubscription { topic: topic.name.clone(), name: name.to_owned() };
    let key = find(draft, &topic, name).ok_or_else(missing)?.key;
    draft.record(What::Unsubscribed(key));
    Ok(Reply::Done)
}

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
            draft.record(What::DeliveryPut(Delivery { key, stage: DeliveryStage::Dead, attempts: 0 }));
            continue;
        }
        room -= 1;
        message::store(draft, *queue, message.body.clone(), draft.now);
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
    for attempt in record.attempts.into_iter().filter(|attempt| attempt.key.subscription == record.key) {
        draft.record(What::AttemptEnded(attempt));
    }
    for row in record.put.into_iter().filter(has_place) {
        draft.record(What::DeliveryPut(row));
    }
    for seq in record.cleared {
        draft.record(What::DeliveryCleared(record.key, seq));
    }
    move_cursor(draft, &topic, &subscription, cursor);
    Ok(Reply::Done)
}

fn move_cursor(draft: &mut Draft<'_>, topic: &Topic, subscription: &Subscription, to: u64) {
    let to = to.min(topic.end());
    if to > subscription.cursor {
        draft.record(What::CursorMoved(subscription.key, to));
    }
}

/// A subscription by name, in any case: names are compared like those of topics and queues.
fn find<'a>(draft: &'a Draft<'_>, topic: &Topic, name: &str) -> Option<&'a Arc<Subscription>> {
    let name = name.to_lowercase();
    draft.state.subscriptions_of(topic.no).find(|subscription| subscription.name.to_lowercase() == name)
}

fn find_key(draft: &Draft<'_>, key: SubscriptionKey) -> Option<(Arc<Topic>, Arc<Subscription>)> {
    Some((draft.state.topic(key.topic)?.clone(), draft.state.subscription(key)?.clone()))
}
