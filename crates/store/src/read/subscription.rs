//! Subscriptions, their deliveries and attempts.

use std::sync::Arc;

use kernel::delivery::{Attempt, Delivery, DeliveryKey};
use kernel::subscription::{Subscription, SubscriptionKey};
use kernel::time::Timestamp;
use kernel::topic::StreamNo;

use crate::engine::{Engine, EngineError, all, first};
use crate::page::{DeadFigures, DeliverySet, Page, Span, SubscriptionFilter};
use crate::read::{Conditions, page};
use crate::rows::{delivery, subscription};
use crate::statement::{Statement, values};

pub(crate) fn subscription(
    engine: &mut dyn Engine,
    topic: StreamNo,
    name: &str,
) -> Result<Option<Arc<Subscription>>, EngineError> {
    let text = format!("{} where topic = ?1 and name_key = ?2", subscription::TEXTS.select);
    let statement = Statement::new(text, values![topic, name.to_lowercase()]);
    first(engine, &statement, |row| subscription::read(row).map(Arc::new))
}

pub(crate) fn subscriptions(
    engine: &mut dyn Engine,
    topic: StreamNo,
    filter: &SubscriptionFilter,
    span: Span,
) -> Result<Page<Arc<Subscription>>, EngineError> {
    let mut conditions = Conditions::new();
    conditions.compare("topic", "=", topic);
    conditions.contains("name_key", &filter.contains);
    if let Some(queue) = &filter.queue {
        conditions.compare("protocol", "=", "queue");
        conditions.compare("endpoint_key", "=", queue.to_lowercase());
    }
    let select = &subscription::TEXTS.select;
    page(engine, "subscription", select, conditions, "no desc", span, |row| subscription::read(row).map(Arc::new))
}

pub(crate) fn deliveries(
    engine: &mut dyn Engine,
    key: SubscriptionKey,
    set: DeliverySet,
    after: u64,
    limit: usize,
) -> Result<Vec<Arc<Delivery>>, EngineError> {
    let set = of_set(set);
    let text = format!(
        "{} where topic = ?1 and subscription = ?2 and seq > ?3{set} order by topic, subscription, seq limit ?4",
        delivery::TEXTS.select
    );
    let statement = Statement::new(text, values![key.topic, key.no, after, limit as u64]);
    all(engine, &statement, |row| delivery::read(row).map(Arc::new))
}

pub(crate) fn deliveries_before(
    engine: &mut dyn Engine,
    key: SubscriptionKey,
    set: DeliverySet,
    before: u64,
    limit: usize,
) -> Result<Vec<Arc<Delivery>>, EngineError> {
    let set = of_set(set);
    let text = format!(
        "{} where topic = ?1 and subscription = ?2 and seq < ?3{set} order by topic desc, subscription desc, seq desc \
         limit ?4",
        delivery::TEXTS.select
    );
    let before = before.min(i64::MAX.cast_unsigned());
    let statement = Statement::new(text, values![key.topic, key.no, before, limit as u64]);
    all(engine, &statement, |row| delivery::read(row).map(Arc::new))
}

fn of_set(set: DeliverySet) -> &'static str {
    match set {
        DeliverySet::Open => " and state <> 'DEAD'",
        DeliverySet::Dead => " and state = 'DEAD'",
        DeliverySet::All => "",
    }
}

/// The sign keeps the walk on the primary key: the index of the dead is in another order.
const DEAD_SINCE: &str = "topic = ?1 and subscription = ?2 and seq > ?3 and state = 'DEAD' and +dead_since >= ?4";

pub(crate) fn dead_deliveries(
    engine: &mut dyn Engine,
    key: SubscriptionKey,
    since: Timestamp,
    after: u64,
    limit: usize,
) -> Result<Vec<Arc<Delivery>>, EngineError> {
    let text = format!("{} where {DEAD_SINCE} order by topic, subscription, seq limit ?5", delivery::TEXTS.select);
    let statement = Statement::new(text, values![key.topic, key.no, after, since, limit as u64]);
    all(engine, &statement, |row| delivery::read(row).map(Arc::new))
}

pub(crate) fn dead_figures(
    engine: &mut dyn Engine,
    key: SubscriptionKey,
    since: Timestamp,
    most: u64,
) -> Result<DeadFigures, EngineError> {
    let text = format!(
        "select count(*), coalesce(min(seq), 0), coalesce(max(seq), 0) from \
         (select seq from delivery where {DEAD_SINCE} order by topic, subscription, seq limit ?5) as dead"
    );
    let statement = Statement::new(text, values![key.topic, key.no, 0u64, since, most]);
    let found =
        first(engine, &statement, |row| Ok(DeadFigures { count: row.int()?, first: row.int()?, last: row.int()? }))?;
    Ok(found.unwrap_or_default())
}

pub(crate) fn delivery(engine: &mut dyn Engine, key: DeliveryKey) -> Result<Option<Arc<Delivery>>, EngineError> {
    let text = format!("{} where topic = ?1 and subscription = ?2 and seq = ?3", delivery::TEXTS.select);
    let statement = Statement::new(text, values![key.subscription.topic, key.subscription.no, key.seq]);
    first(engine, &statement, |row| delivery::read(row).map(Arc::new))
}

pub(crate) fn attempts(
    engine: &mut dyn Engine,
    key: SubscriptionKey,
    before: Option<(u64, u32)>,
    limit: usize,
) -> Result<Vec<Arc<Attempt>>, EngineError> {
    let (seq, number) = before.unwrap_or((i64::MAX.cast_unsigned(), u32::MAX));
    let text = format!(
        "{} where topic = ?1 and subscription = ?2 and (seq, number) < (?3, ?4) order by topic desc, subscription desc, \
         seq desc, number desc limit ?5",
        delivery::ATTEMPT_TEXTS.select
    );
    let statement = Statement::new(text, values![key.topic, key.no, seq, number, limit as u64]);
    all(engine, &statement, |row| delivery::read_attempt(row).map(Arc::new))
}

pub(crate) fn attempts_of(
    engine: &mut dyn Engine,
    key: SubscriptionKey,
    seq: u64,
    limit: usize,
) -> Result<Vec<Arc<Attempt>>, EngineError> {
    let text = format!(
        "{} where topic = ?1 and subscription = ?2 and seq = ?3 order by number limit ?4",
        delivery::ATTEMPT_TEXTS.select
    );
    let statement = Statement::new(text, values![key.topic, key.no, seq, limit as u64]);
    all(engine, &statement, |row| delivery::read_attempt(row).map(Arc::new))
}

pub(crate) fn last_attempt(engine: &mut dyn Engine, key: DeliveryKey) -> Result<Option<Arc<Attempt>>, EngineError> {
    let text = format!(
        "{} where topic = ?1 and subscription = ?2 and seq = ?3 order by number desc limit 1",
        delivery::ATTEMPT_TEXTS.select
    );
    let statement = Statement::new(text, values![key.subscription.topic, key.subscription.no, key.seq]);
    first(engine, &statement, |row| delivery::read_attempt(row).map(Arc::new))
}
