//! What is read of topics, queues and subscriptions, for lists and details.

use std::sync::Arc;

use kernel::queue::{DeadLetterRule, Queue};
use kernel::state::State;
use kernel::subscription::Subscription;
use kernel::time::Timestamp;
use kernel::topic::{StreamNo, Topic};
use store::{NameFilter, Page, QueueFigures, Reader, Span, StoreError, SubscriptionFilter, TopicFigures};

use crate::App;

/// A queue and what it holds.
pub(in crate::api) struct QueueView {
    /// The queue.
    pub(in crate::api) queue: Arc<Queue>,
    /// What it holds.
    pub(in crate::api) figures: QueueFigures,
    /// The queue its dead letters go to.
    pub(in crate::api) dead_letters_to: Option<Arc<Queue>>,
    /// Queues whose dead letters it takes.
    pub(in crate::api) sources: Vec<Arc<Queue>>,
}

impl QueueView {
    /// How many deleted messages it can be set back to.
    pub(in crate::api) fn kept(&self) -> u64 {
        self.queue.kept.map_or(0, |kept| kept.count)
    }

    /// Where its dead letters go, and when.
    pub(in crate::api) fn dead_letter(&self) -> Option<(&str, DeadLetterRule)> {
        let bound = self.queue.dead_letter?;
        Some((self.dead_letters_to.as_ref().map_or("", |queue| queue.name.as_str()), bound.rule))
    }
}

/// A topic and what it holds.
pub(in crate::api) struct TopicView {
    /// The topic.
    pub(in crate::api) topic: Arc<Topic>,
    /// Messages that some subscription still waits for; those kept, when there is no subscription.
    pub(in crate::api) waiting: u64,
    /// How many subscriptions it has.
    pub(in crate::api) subscriptions: u64,
}

/// A queue by its name, in any case.
pub(in crate::api) async fn queue(app: &App, name: &str) -> Result<Option<QueueView>, StoreError> {
    let state = app.state();
    let Some(queue) = state.queue_named(name).cloned() else { return Ok(None) };
    let now = app.clock();
    app.read(move |reader| queue_view(reader, &state, queue, now).map(Some)).await
}

/// A page of queues.
pub(in crate::api) async fn queues(app: &App, filter: NameFilter, span: Span) -> Result<Page<Arc<Queue>>, StoreError> {
    app.read(move |reader| reader.queues(&filter, span)).await
}

/// A page of queues, with what they hold.
pub(in crate::api) async fn queue_views(
    app: &App,
    filter: NameFilter,
    span: Span,
) -> Result<Page<QueueView>, StoreError> {
    let (now, state) = (app.clock(), app.state());
    app.read(move |reader| {
        let page = reader.queues(&filter, span)?;
        let views = page.items.into_iter().map(|queue| queue_view(reader, &state, queue, now));
        let items = views.collect::<Result<_, StoreError>>()?;
        Ok(Page { total: page.total, items })
    })
    .await
}

fn queue_view(
    reader: &mut dyn Reader,
    state: &State,
    queue: Arc<Queue>,
    now: Timestamp,
) -> Result<QueueView, StoreError> {
    let figures = reader.queue_figures(queue.no, now)?;
    let dead_letters_to = queue.dead_letter.and_then(|bound| state.queue(bound.queue)).cloned();
    let sources = state.dead_letter_sources(queue.no).cloned().collect();
    Ok(QueueView { queue, figures, dead_letters_to, sources })
}

/// A topic by its name, in any case.
pub(in crate::api) async fn topic(app: &App, name: &str) -> Result<Option<TopicView>, StoreError> {
    let state = app.state();
    let Some(topic) = state.topic_named(name).cloned() else { return Ok(None) };
    app.read(move |reader| topic_view(reader, &state, topic).map(Some)).await
}

/// A page of topics.
pub(in crate::api) async fn topics(app: &App, filter: NameFilter, span: Span) -> Result<Page<Arc<Topic>>, StoreError> {
    app.read(move |reader| reader.topics(&filter, span)).await
}

/// A page of topics, with what they hold.
pub(in crate::api) async fn topic_views(
    app: &App,
    filter: NameFilter,
    span: Span,
) -> Result<Page<TopicView>, StoreError> {
    let state = app.state();
    app.read(move |reader| {
        let page = reader.topics(&filter, span)?;
        let views = page.items.into_iter().map(|topic| topic_view(reader, &state, topic));
        Ok(Page { total: page.total, items: views.collect::<Result<_, StoreError>>()? })
    })
    .await
}

fn topic_view(reader: &mut dyn Reader, state: &State, topic: Arc<Topic>) -> Result<TopicView, StoreError> {
    let TopicFigures { messages, subscriptions, .. } = reader.topic_figures(topic.no)?;
    let behind = state.subscriptions_of(topic.no).map(|subscription| waiting(&topic, subscription)).max();
    Ok(TopicView { waiting: behind.map_or(messages, |behind| behind.min(messages)), subscriptions, topic })
}

/// How many messages lie ahead of a subscription's cursor: those it waits for, and those it will not want.
pub(in crate::api) fn waiting(topic: &Topic, subscription: &Subscription) -> u64 {
    topic.next_seq.saturating_sub(1).saturating_sub(subscription.cursor)
}

/// A page of the subscriptions of a topic.
pub(in crate::api) async fn subscriptions(
    app: &App,
    topic: StreamNo,
    filter: SubscriptionFilter,
    span: Span,
) -> Result<Page<Arc<Subscription>>, StoreError> {
    app.read(move |reader| reader.subscriptions(topic, &filter, span)).await
}

/// The secret that a subscription signs its posts with, as receivers are given it.
pub(in crate::api) fn secret(app: &App, topic: &str, name: &str) -> Option<String> {
    let state = app.state();
    let found = subscription(&state, state.topic_named(topic)?.no, name)?;
    Some(wire::webhook::secret_text(&found.secrets.as_ref()?.current))
}

/// A subscription by its name, in any case.
pub(in crate::api) fn subscription<'a>(state: &'a State, topic: StreamNo, name: &str) -> Option<&'a Arc<Subscription>> {
    let name = name.to_lowercase();
    state.subscriptions_of(topic).find(|subscription| subscription.name.to_lowercase() == name)
}
