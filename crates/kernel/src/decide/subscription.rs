//! Subscriptions: made, changed, paused, deleted. What they deliver is decided in `delivery`.

use std::sync::Arc;

use crate::change::What;
use crate::command::{NewSubscription, Refusal, Reply, SubscriptionEdit};
use crate::decide::{Draft, queue, topic};
use crate::event::{EventConfig, EventName, Notification, Outlets};
use crate::id::SubscriptionId;
use crate::limits;
use crate::mistake::Mistake;
use crate::subscription::{
    CircuitRule, DeadLetters, Endpoint, Format, Health, Manner, MannerEdit, PauseReason, Secret, Secrets, Signing,
    Stage, Subscription, SubscriptionKey,
};
use crate::topic::{FilterType, Topic};

pub(super) fn subscribe(draft: &mut Draft<'_>, new: NewSubscription) -> Result<Reply, Refusal> {
    let topic = topic::named(draft, &new.topic)?;
    if let Some(other) = find(draft, &topic, &new.name) {
        return Err(Refusal::SubscriptionExists { topic: topic.name.clone(), name: other.name.clone() });
    }
    if draft.state.subscriptions_of(topic.no).count() >= limits::SUBSCRIPTIONS {
        return Err(Refusal::TooManySubscriptions(topic.name.clone()));
    }
    let endpoint = match new.endpoint {
        Endpoint::Queue { name, .. } => Endpoint::Queue { queue: queue::named(draft, &name)?.no, name },
        Endpoint::Http { url } => Endpoint::Http { url },
    };
    let id = SubscriptionId::draw(draft.rng);
    let mut subscription = Subscription {
        key: SubscriptionKey { topic: topic.no, no: topic.next_subscription },
        id,
        name: new.name,
        endpoint,
        strategy: new.strategy,
        format: new.format,
        filter_tags: new.filter_tags,
        binding_keys: new.binding_keys,
        start: topic.end(),
        manner: Manner::default(),
        secrets: None,
        replays: Vec::new(),
        stage: Stage::default(),
        health: Health::default(),
        outlets: Outlets::default(),
        cursor: topic.end(),
        created: draft.now,
        modified: draft.now,
    };
    edit_manner(draft, &mut subscription, new.manner)?;
    check(&topic, &subscription)?;
    draft.record(What::Subscribed(Box::new(subscription)));
    Ok(Reply::Subscription(id))
}

pub(super) fn unsubscribe(draft: &mut Draft<'_>, topic: &str, name: &str) -> Result<Reply, Refusal> {
    let (_, subscription) = named(draft, topic, name)?;
    if !draft.errs(Mistake::KeepSubscription) {
        draft.record(What::Unsubscribed(subscription.key));
    }
    Ok(Reply::Done)
}

pub(super) fn modify(draft: &mut Draft<'_>, topic: &str, name: &str, edit: SubscriptionEdit) -> Result<Reply, Refusal> {
    let (topic, subscription) = named(draft, topic, name)?;
    let mut next = (*subscription).clone();
    next.strategy = edit.strategy.unwrap_or(next.strategy);
    next.format = edit.format.unwrap_or(next.format);
    next.filter_tags = edit.filter_tags.unwrap_or(next.filter_tags);
    next.binding_keys = edit.binding_keys.unwrap_or(next.binding_keys);
    edit_manner(draft, &mut next, edit.manner)?;
    check(&topic, &next)?;
    put(draft, next);
    Ok(Reply::Done)
}

/// Lets no message leave any more. One that is paused stays as it is.
pub(super) fn pause(draft: &mut Draft<'_>, topic: &str, name: &str) -> Result<Reply, Refusal> {
    let (_, subscription) = named(draft, topic, name)?;
    if !subscription.stage.is_paused() {
        let stage = Stage::Paused { why: PauseReason::Asked, since: draft.now };
        put(draft, Subscription { stage, ..(*subscription).clone() });
    }
    Ok(Reply::Done)
}

/// Lets messages leave: ends a pause, and also an open circuit and what a `Retry-After` has asked for.
pub(super) fn resume(draft: &mut Draft<'_>, topic: &str, name: &str) -> Result<Reply, Refusal> {
    let (_, subscription) = named(draft, topic, name)?;
    if subscription.stage != Stage::Active {
        put(draft, Subscription { stage: Stage::Active, ..(*subscription).clone() });
    }
    Ok(Reply::Done)
}

/// Gives a subscription that signs its posts another secret; the old one stays valid beside it for a while.
pub(super) fn rotate_secret(
    draft: &mut Draft<'_>,
    topic: &str,
    name: &str,
    secret: Option<Secret>,
    keep_s: u64,
) -> Result<Reply, Refusal> {
    let (topic, subscription) = named(draft, topic, name)?;
    let Some(secrets) = &subscription.secrets else {
        return Err(Refusal::NotSigned { topic: topic.name.clone(), name: subscription.name.clone() });
    };
    let current = secret.unwrap_or_else(|| Secret::draw(draft.rng));
    let previous = (keep_s > 0).then(|| (secrets.current.clone(), draft.now.plus_s(keep_s)));
    let secrets = Some(Secrets { current, previous });
    put(draft, Subscription { secrets, ..(*subscription).clone() });
    Ok(Reply::Done)
}

/// Records a subscription as it is to be. Each time it is later than before, so that its loop sees that it changed.
fn put(draft: &mut Draft<'_>, mut next: Subscription) {
    next.modified = draft.now.max(next.modified.plus_ms(1));
    draft.record(What::SubscriptionModified(Box::new(next)));
}

fn check(topic: &Topic, subscription: &Subscription) -> Result<(), Refusal> {
    if topic.filter == FilterType::Routing && subscription.binding_keys.is_empty() {
        return Err(Refusal::BindingKeyMissing(topic.name.clone()));
    }
    match subscription.endpoint {
        Endpoint::Queue { .. } if subscription.format != Format::Simplified => Err(Refusal::QueueNeedsSimplified),
        _ => Ok(()),
    }
}

fn edit_manner(draft: &mut Draft<'_>, subscription: &mut Subscription, edit: MannerEdit) -> Result<(), Refusal> {
    if matches!(subscription.endpoint, Endpoint::Queue { .. }) && edit.is_of_posts() {
        return Err(Refusal::ForPostsOnly(subscription.name.clone()));
    }
    let manner = &mut subscription.manner;
    manner.order = edit.order.unwrap_or(manner.order);
    manner.posts_per_s = edit.posts_per_s.unwrap_or(manner.posts_per_s);
    manner.concurrency = edit.concurrency.unwrap_or(manner.concurrency);
    manner.retry_after = edit.retry_after.unwrap_or(manner.retry_after);
    manner.pause_on_gone = edit.pause_on_gone.unwrap_or(manner.pause_on_gone);
    manner.circuit = circuit(manner.circuit, edit.circuit_failures, edit.circuit_pause_s)?;
    if let Some(name) = edit.dead_letters {
        manner.dead_letters = dead_letters(draft, name)?;
    }
    if let Some(name) = edit.notify {
        manner.notifications = notifications(draft, name)?;
    }
    match edit.signing {
        None => {}
        Some(Signing::Off) => subscription.secrets = None,
        Some(Signing::Given(current)) => subscription.secrets = Some(Secrets { current, previous: None }),
        Some(Signing::Drawn) => {
            let drawn = || Secrets { current: Secret::draw(draft.rng), previous: None };
            subscription.secrets.get_or_insert_with(drawn);
        }
    }
    Ok(())
}

fn circuit(
    rule: Option<CircuitRule>,
    failures: Option<u32>,
    pause_s: Option<u32>,
) -> Result<Option<CircuitRule>, Refusal> {
    let failures = failures.unwrap_or(rule.map_or(0, |rule| rule.failures));
    if failures == 0 {
        return if pause_s.is_some() { Err(Refusal::NoCircuit) } else { Ok(None) };
    }
    let old_s = rule.map_or(limits::CIRCUIT_PAUSE_DEFAULT_S, |rule| rule.pause_s);
    Ok(Some(CircuitRule { failures, pause_s: pause_s.unwrap_or(old_s) }))
}

fn dead_letters(draft: &Draft<'_>, name: String) -> Result<Option<DeadLetters>, Refusal> {
    if name.is_empty() {
        return Ok(None);
    }
    match draft.state.queue_named(&name) {
        Some(queue) => Ok(Some(DeadLetters { queue: queue.no, name })),
        None => Err(Refusal::NoDeadLetterQueue(name)),
    }
}

/// All events of a subscription, to the topic of this name.
fn notifications(draft: &Draft<'_>, topic_name: String) -> Result<Vec<Notification>, Refusal> {
    if topic_name.is_empty() {
        return Ok(Vec::new());
    }
    let Some(topic) = draft.state.topic_named(&topic_name).map(|topic| topic.no) else {
        return Err(Refusal::NoTopic { topic: topic_name, path: "NotificationTopicName".into() });
    };
    let names = EventName::ALL.iter().copied().filter(|name| name.is_of_subscription());
    let events = names.map(|name| EventConfig { name, vars: Vec::new() }).collect();
    Ok(vec![Notification { topic_name, topic, events }])
}

pub(super) fn named(draft: &Draft<'_>, topic: &str, name: &str) -> Result<(Arc<Topic>, Arc<Subscription>), Refusal> {
    let topic = topic::named(draft, topic)?;
    let missing = || Refusal::NoSubscription { topic: topic.name.clone(), name: name.to_owned() };
    let subscription = find(draft, &topic, name).cloned().ok_or_else(missing)?;
    Ok((topic, subscription))
}

/// A subscription by name, in any case: names are compared like those of topics and queues.
fn find<'a>(draft: &'a Draft<'_>, topic: &Topic, name: &str) -> Option<&'a Arc<Subscription>> {
    let name = name.to_lowercase();
    draft.state.subscriptions_of(topic.no).find(|subscription| subscription.name.to_lowercase() == name)
}

#[cfg(test)]
#[path = "subscription_tests.rs"]
mod tests;
