//! Topics: made, deleted, published to.

use std::sync::Arc;

use crate::change::What;
use crate::command::{Refusal, Reply};
use crate::decide::Draft;
use crate::filter;
use crate::id::TopicId;
use crate::limits;
use crate::subscription::SubscriptionKey;
use crate::topic::{FilterType, MsgId, NewBody, NewMessage, StreamNo, Topic, TopicEdit};

/// How many of those that stand in the way of a deletion are named.
const NAMED: usize = 5;

/// A topic to be made.
pub(super) struct NewTopic {
    pub(super) name: String,
    pub(super) filter: FilterType,
    pub(super) max_msg_bytes: u64,
    pub(super) retention_s: u64,
    pub(super) trace: bool,
    pub(super) tags: Vec<(String, String)>,
}

pub(super) fn create(draft: &mut Draft<'_>, new: NewTopic) -> Result<Reply, Refusal> {
    if let Some(other) = draft.state.topic_named(&new.name) {
        return Err(Refusal::TopicExists(other.name.clone()));
    }
    if draft.state.topics.len() >= limits::TOPICS {
        return Err(Refusal::TooManyTopics(limits::TOPICS));
    }
    let id = TopicId::draw(draft.rng);
    let [no, _] = next_streams(draft)?;
    let topic = Topic {
        no,
        id,
        name: new.name,
        filter: new.filter,
        max_msg_bytes: new.max_msg_bytes,
        retention_s: new.retention_s,
        trace: new.trace,
        tags: new.tags,
        next_seq: 1,
        next_subscription: 1,
        created: draft.now,
        modified: draft.now,
    };
    draft.record(What::TopicCreated(topic));
    Ok(Reply::Topic(id))
}

pub(super) fn modify(draft: &mut Draft<'_>, name: &str, edit: TopicEdit) -> Result<Reply, Refusal> {
    let topic = named(draft, name)?;
    let same = edit.max_msg_bytes.is_none_or(|bytes| bytes == topic.max_msg_bytes)
        && edit.retention_s.is_none_or(|seconds| seconds == topic.retention_s)
        && edit.trace.is_none_or(|trace| trace == topic.trace);
    if !same {
        draft.record(What::TopicModified(topic.no, edit));
    }
    Ok(Reply::Done)
}

pub(super) fn delete(draft: &mut Draft<'_>, name: &str, with_subscriptions: bool) -> Result<Reply, Refusal> {
    let topic = named(draft, name)?;
    if draft.settings.audit_topic.as_ref().is_some_and(|audit| audit.eq_ignore_ascii_case(&topic.name)) {
        return Err(Refusal::AuditTopic(topic.name.clone()));
    }
    let mut users = users_of(draft, topic.no);
    if let Some(first) = users.next() {
        let by = list(std::iter::once(first).chain(users));
        return Err(Refusal::TopicInUse { topic: topic.name.clone(), by });
    }
    drop(users);
    let subscriptions: Vec<SubscriptionKey> = draft.state.subscriptions_of(topic.no).map(|row| row.key).collect();
    if !subscriptions.is_empty() && !with_subscriptions {
        return Err(Refusal::TopicHasSubscriptions(topic.name.clone()));
    }
    for key in subscriptions {
        draft.record(What::Unsubscribed(key));
    }
    draft.record(What::TopicDeleted(topic.no));
    Ok(Reply::Done)
}

pub(super) fn publish(
    draft: &mut Draft<'_>,
    topic: &str,
    bodies: Vec<Arc<str>>,
    tags: Vec<String>,
    routing_key: String,
) -> Result<Reply, Refusal> {
    let topic = named(draft, topic)?;
    check_sizes(&bodies, topic.max_msg_bytes)?;
    // What the topic does not filter by belongs to no message of it.
    let (tags, routing_key) = match topic.filter {
        FilterType::Tags => (tags, String::new()),
        FilterType::Routing if routing_key.is_empty() => return Err(Refusal::RoutingKeyMissing(topic.name.clone())),
        FilterType::Routing => (Vec::new(), routing_key),
    };
    if !draft.settings.keep_untaken {
        let mut subscriptions = draft.state.subscriptions_of(topic.no).peekable();
        if subscriptions.peek().is_none() {
            return Err(Refusal::NoSubscriber(topic.name.clone()));
        }
        if !subscriptions.any(|subscription| filter::wants(topic.filter, subscription, &tags, &routing_key)) {
            return Err(Refusal::NoMatch(topic.name.clone()));
        }
    }
    let first = draft.grow_topic(topic.no, bodies.len() as u64);
    let mut ids = Vec::with_capacity(bodies.len());
    for (seq, body) in (first..).zip(bodies) {
        ids.push(MsgId::new(topic.no, seq));
        draft.publish(NewMessage {
            topic: topic.no,
            seq,
            published: draft.now,
            body: NewBody::Text(body),
            tags: tags.clone(),
            routing_key: routing_key.clone(),
            previous: 0,
            owner: None,
        });
    }
    Ok(Reply::Messages(ids))
}

/// The topic that a request names.
pub(super) fn named(draft: &Draft<'_>, name: &str) -> Result<Arc<Topic>, Refusal> {
    let missing = || Refusal::NoTopic { topic: name.to_owned(), path: "TopicName".into() };
    draft.state.topic_named(name).cloned().ok_or_else(missing)
}

/// The next two numbers that a topic or queue, or what a queue holds, can have.
pub(super) fn next_streams(draft: &Draft<'_>) -> Result<[StreamNo; 2], Refusal> {
    let next = draft.state.next_stream();
    let other = StreamNo(next.0.saturating_add(1));
    if other > MsgId::STREAM_MAX { Err(Refusal::StreamsExhausted) } else { Ok([next, other]) }
}

/// Refuses texts of which one is larger than `limit` bytes.
pub(super) fn check_sizes(bodies: &[Arc<str>], limit: u64) -> Result<(), Refusal> {
    match bodies.iter().map(|body| body.len()).find(|bytes| *bytes as u64 > limit) {
        Some(bytes) => Err(Refusal::MessageTooLarge { bytes, limit }),
        None => Ok(()),
    }
}

/// The first few of `names`, and how many more there are.
pub(super) fn list(names: impl Iterator<Item = String>) -> String {
    let mut names = names;
    let mut text = names.by_ref().take(NAMED).collect::<Vec<_>>().join(", ");
    let more = names.count();
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// Jobs that have not finished or have nodes yet, environments and subscriptions whose events go to a topic.
fn users_of<'a>(draft: &'a Draft<'_>, topic: StreamNo) -> impl Iterator<Item = String> + 'a {
    let jobs = draft.state.jobs().filter(move |job| {
        let lives = !job.phase.is_finished() || draft.state.has_own_nodes(job.id);
        lives && job.spec.notifications.iter().any(|notification| notification.topic == topic)
    });
    let envs = draft
        .state
        .envs()
        .filter(move |env| env.spec.notifications.iter().any(|notification| notification.topic == topic));
    // Those of the topic itself go with it.
    let subscriptions = draft.state.subscriptions().filter(move |subscription| {
        let names_it = subscription.manner.notifications.iter().any(|notification| notification.topic == topic);
        names_it && subscription.key.topic != topic
    });
    let jobs = jobs.map(|job| job.id.to_string()).chain(envs.map(|env| env.id.to_string()));
    jobs.chain(subscriptions.map(|subscription| subscription.id.to_string()))
}
