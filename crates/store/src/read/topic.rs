//! Topics and their logs.

use std::sync::Arc;

use kernel::time::Timestamp;
use kernel::topic::{StreamNo, Topic, TopicMessage};

use crate::engine::{Engine, EngineError, all, first};
use crate::page::{NameFilter, Page, Span, TopicFigures, TopicSpan};
use crate::read::{Conditions, page};
use crate::rows::topic;
use crate::statement::{Statement, Value, values};

/// Behind every place that a column can hold.
const LAST: u64 = i64::MAX.cast_unsigned();

pub(crate) fn topic(engine: &mut dyn Engine, name: &str) -> Result<Option<Arc<Topic>>, EngineError> {
    let text = format!("{} where name_key = ?1", topic::TEXTS.select);
    first(engine, &Statement::new(text, values![name.to_lowercase()]), |row| topic::read(row).map(Arc::new))
}

pub(crate) fn topics(
    engine: &mut dyn Engine,
    filter: &NameFilter,
    span: Span,
) -> Result<Page<Arc<Topic>>, EngineError> {
    let select = &topic::TEXTS.select;
    page(engine, "topic", select, named("topic", filter), "no desc", span, |row| topic::read(row).map(Arc::new))
}

/// Conditions on the names and tags of topics and queues.
pub(super) fn named<'a>(table: &str, filter: &'a NameFilter) -> Conditions<'a> {
    let mut conditions = Conditions::new();
    conditions.contains("name_key", &filter.contains);
    conditions.within("name_key", filter.names.iter().map(|name| Value::from(name.to_lowercase())));
    conditions.tagged(&format!("{table}_tag"), table, &format!("{table}.no"), &filter.tags);
    conditions
}

pub(crate) fn figures(engine: &mut dyn Engine, topic: StreamNo) -> Result<TopicFigures, EngineError> {
    let mut edge = |order: &str| -> Result<Option<(u64, Timestamp)>, EngineError> {
        let text = format!("select seq, published from topic_message where topic = ?1 order by seq {order} limit 1");
        first(engine, &Statement::new(text, values![topic]), |row| Ok((row.int()?, row.time()?)))
    };
    let (oldest, newest) = (edge("asc")?, edge("desc")?);
    let text = "select count(*) from subscription where topic = ?1";
    let subscriptions = first(engine, &Statement::new(text, values![topic]), |row| row.int())?.unwrap_or_default();
    // The numbers of a topic's messages have no gap, and the oldest go first.
    let messages = oldest.zip(newest).map_or(0, |((from, _), (to, _))| to - from + 1);
    Ok(TopicFigures { messages, oldest: oldest.map(|(_, published)| published), subscriptions })
}

pub(crate) fn messages(
    engine: &mut dyn Engine,
    topic: StreamNo,
    after: u64,
    limit: usize,
) -> Result<Vec<Arc<TopicMessage>>, EngineError> {
    let text = format!("{} where topic = ?1 and seq > ?2 order by topic, seq limit ?3", topic::MESSAGE_TEXTS.select);
    let statement = Statement::new(text, values![topic, after, limit as u64]);
    all(engine, &statement, |row| topic::read_message(row).map(Arc::new))
}

pub(crate) fn messages_before(
    engine: &mut dyn Engine,
    topic: StreamNo,
    before: u64,
    limit: usize,
) -> Result<Vec<Arc<TopicMessage>>, EngineError> {
    let text =
        format!("{} where topic = ?1 and seq < ?2 order by topic desc, seq desc limit ?3", topic::MESSAGE_TEXTS.select);
    let statement = Statement::new(text, values![topic, before.min(LAST), limit as u64]);
    all(engine, &statement, |row| topic::read_message(row).map(Arc::new))
}

/// From a message to the one before it of the same job or environment, and so on: each is found by its key.
pub(crate) fn messages_from(
    engine: &mut dyn Engine,
    topic: StreamNo,
    last: u64,
    limit: usize,
) -> Result<Vec<Arc<TopicMessage>>, EngineError> {
    let text = format!("{} where topic = ?1 and seq = ?2", topic::MESSAGE_TEXTS.select);
    let (mut found, mut at) = (Vec::new(), last);
    while at != 0 && found.len() < limit {
        let statement = Statement::new(text.clone(), values![topic, at]);
        let Some(message) = first(engine, &statement, topic::read_message)? else { break };
        at = message.previous;
        found.push(Arc::new(message));
    }
    Ok(found)
}

/// Places follow the order of publication and have no gap, so that a time is found by halving.
pub(crate) fn span(engine: &mut dyn Engine, topic: StreamNo, at: Timestamp) -> Result<TopicSpan, EngineError> {
    let mut look = |condition: &str, seq: u64| -> Result<Option<(u64, Timestamp)>, EngineError> {
        let text = format!("select seq, published from topic_message where topic = ?1 and {condition} limit 1");
        first(engine, &Statement::new(text, values![topic, seq]), |row| Ok((row.int()?, row.time()?)))
    };
    let (oldest, newest) = (look("seq >= ?2 order by seq", 0)?, look("seq <= ?2 order by seq desc", LAST)?);
    let (Some((first, _)), Some((last, published))) = (oldest, newest) else { return Ok(TopicSpan::default()) };
    if published < at {
        return Ok(TopicSpan { oldest, from: None });
    }
    let (mut low, mut high) = (first, last);
    while low < high {
        let middle = low + (high - low) / 2;
        match look("seq >= ?2 order by seq", middle)? {
            Some((_, published)) if published < at => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(TopicSpan { oldest, from: Some(low) })
}
