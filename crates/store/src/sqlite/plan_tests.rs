//! What lists cost: every statement of a page walks a primary key from a place on, whatever the tables hold, and a
//! page along one job's messages is one step for each message.

use kernel::delivery::DeliveryKey;
use kernel::subscription::SubscriptionKey;
use kernel::time::Timestamp;
use kernel::topic::StreamNo;

use super::open::{Place, migrated};
use crate::engine::{EachRow, Engine, EngineError, Flow};
use crate::page::DeliverySet;
use crate::read::{subscription, topic};
use crate::sqlite::connection::Connection;
use crate::statement::Statement;

const TOPIC: StreamNo = StreamNo(1);
const KEY: SubscriptionKey = SubscriptionKey { topic: TOPIC, no: 1 };

/// An engine that asks the database how it will find what each statement wants.
struct Asking {
    inner: Connection,
    plans: Vec<String>,
}

impl Engine for Asking {
    fn execute(&mut self, statement: &Statement<'_>) -> Result<usize, EngineError> {
        self.inner.execute(statement)
    }

    fn query(&mut self, statement: &Statement<'_>, each: &mut EachRow<'_>) -> Result<(), EngineError> {
        let mut explain = statement.clone();
        explain.text = format!("explain query plan {}", statement.text).into();
        let mut steps = Vec::new();
        self.inner.query(&explain, &mut |cells| {
            let _ = (cells.int::<i64>()?, cells.int::<i64>()?, cells.int::<i64>()?);
            steps.push(cells.string()?);
            Ok(Flow::More)
        })?;
        self.plans.push(steps.join("; "));
        self.inner.query(statement, each)
    }
}

/// A topic of `messages` messages, of which every hundredth is of one job, with a delivery row and two attempts each.
fn filled(messages: u64) -> Asking {
    let connection = migrated(&Place::memory()).unwrap();
    let text = format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < {messages})
         insert into topic_message select 1, i, i * 10, 'body', '[]', '', max(i - 100, 0), null from n;
         insert into delivery select 1, 1, seq, 'DEAD', null, 2, 1 from topic_message;
         insert into attempt select 1, 1, seq, 1, published, 5, 'http://a/', 500, '' from topic_message;
         insert into attempt select 1, 1, seq, 2, published, 5, 'http://a/', 500, '' from topic_message;"
    );
    connection.0.execute_batch(&text).unwrap();
    Asking { inner: connection, plans: Vec::new() }
}

/// One page of each list; gives how many statements each took.
fn pages(engine: &mut Asking, messages: u64) -> Vec<usize> {
    let key = DeliveryKey { subscription: KEY, seq: messages / 2 };
    let mut counts = Vec::new();
    let mut took = |engine: &mut Asking, items: usize, wanted: usize| {
        assert_eq!(items, wanted);
        counts.push(engine.plans.len());
    };
    let items = topic::messages_before(engine, TOPIC, key.seq, 20).unwrap().len();
    took(engine, items, 20);
    let items = topic::messages_from(engine, TOPIC, messages, 20).unwrap().len();
    took(engine, items, 20);
    let items = subscription::deliveries_before(engine, KEY, DeliverySet::Dead, key.seq, 20).unwrap().len();
    took(engine, items, 20);
    let items = subscription::attempts(engine, KEY, Some((key.seq, 1)), 20).unwrap().len();
    took(engine, items, 20);
    let items = subscription::attempts_of(engine, KEY, key.seq, 20).unwrap().len();
    took(engine, items, 2);
    let items = subscription::dead_deliveries(engine, KEY, Timestamp(1), key.seq, 20).unwrap().len();
    took(engine, items, 20);
    let items = usize::from(subscription::last_attempt(engine, key).unwrap().is_some());
    took(engine, items, 1);
    let items = usize::from(subscription::delivery(engine, key).unwrap().is_some());
    took(engine, items, 1);
    counts
}

#[test]
fn a_page_costs_the_same_however_much_there_is() {
    let (mut few, mut many) = (filled(4_000), filled(40_000));
    assert_eq!(pages(&mut few, 4_000), pages(&mut many, 40_000));
    assert_eq!(many.plans.len(), 20 + 7, "a step for each message of the job, one statement for each other page");
    assert_eq!(few.plans, many.plans);
    for plan in &many.plans {
        let table = plan.strip_prefix("SEARCH ").and_then(|plan| plan.split_once(" USING PRIMARY KEY (topic=?"));
        assert!(table.is_some() && !plan.contains(';'), "{plan}");
    }
}

#[test]
fn a_time_is_found_in_few_steps() {
    let mut many = filled(40_000);
    let span = topic::span(&mut many, TOPIC, Timestamp(123_456)).unwrap();
    assert_eq!(span.from, Some(12_346));
    assert!(many.plans.len() <= 2 + 16, "{} statements", many.plans.len());
    assert!(many.plans.iter().all(|plan| plan.starts_with("SEARCH topic_message USING PRIMARY KEY (topic=? AND seq")));
}
