//! Removal of rows whose owner is gone or whose time is over, along the primary keys and never many at once.

use kernel::id::JobId;
use kernel::loops::expire::TopicCutoff;
use kernel::subscription::SubscriptionKey;
use kernel::time::Timestamp;

use crate::engine::{Cells, Engine, EngineError, all, first};
use crate::rows::garbage::{self, Garbage, Kind};
use crate::rows::job;
use crate::statement::{Statement, Value, places, values};
use crate::writer::{Cutoffs, Swept};

/// Where a deleted thing has left rows: the table, the key's columns that name the thing, and those behind them.
struct Leftover {
    table: &'static str,
    owner: &'static [&'static str],
    rest: &'static [&'static str],
}

fn leftovers(kind: Kind) -> &'static [Leftover] {
    match kind {
        Kind::Job => &[
            Leftover { table: "sample", owner: &["job"], rest: &["task", "idx", "attempt", "number"] },
            Leftover { table: "log_tail", owner: &["job"], rest: &["task", "idx"] },
            Leftover { table: "instance", owner: &["job"], rest: &["task", "idx"] },
            Leftover { table: "task", owner: &["job"], rest: &["task"] },
        ],
        Kind::Env => &[Leftover { table: "activity", owner: &["env"], rest: &["id"] }],
        Kind::Topic => &[Leftover { table: "topic_message", owner: &["topic"], rest: &["seq"] }],
        Kind::Heap => &[Leftover { table: "queue_message", owner: &["heap"], rest: &["seq"] }],
        Kind::KeptHeap => &[Leftover { table: "kept_message", owner: &["heap"], rest: &["seq"] }],
        Kind::Subscription => &[
            Leftover { table: "delivery", owner: &["topic", "subscription"], rest: &["seq"] },
            Leftover { table: "attempt", owner: &["topic", "subscription"], rest: &["seq", "number"] },
        ],
    }
}

/// Removes up to `limit` rows, in a transaction that the caller has begun.
pub(crate) fn sweep(engine: &mut dyn Engine, cutoffs: &Cutoffs, limit: usize) -> Result<Swept, EngineError> {
    let mut sweep = Sweep { engine, left: limit };
    let jobs = sweep.old_jobs(cutoffs.jobs)?;
    sweep.garbage()?;
    sweep.old_attempts(cutoffs.attempts)?;
    for (key, through) in &cutoffs.many {
        sweep.many_attempts(*key, *through)?;
    }
    sweep.old_dead(cutoffs.attempts)?;
    sweep.old_samples(cutoffs.attempts)?;
    sweep.remove("activity", &["ended"], &["id"], "ended is not null and ended <= ?1", values![cutoffs.activities])?;
    for cutoff in &cutoffs.topics {
        sweep.old_messages(cutoff)?;
    }
    let left = sweep.left;
    Ok(Swept { rows: limit - left, jobs, more: left == 0 })
}

struct Sweep<'e> {
    engine: &'e mut dyn Engine,
    left: usize,
}

impl Sweep<'_> {
    /// Jobs that ended long ago become garbage.
    fn old_jobs(&mut self, ended: Timestamp) -> Result<Vec<JobId>, EngineError> {
        let text = "select id from job where ended is not null and ended <= ?1 order by ended limit ?2";
        let statement = Statement::new(text, values![ended, self.left as u64]);
        let jobs = all(self.engine, &statement, |row| row.id(JobId::from_number))?;
        for id in &jobs {
            for statement in job::delete(*id) {
                self.engine.execute(&statement)?;
            }
            self.engine.execute(&garbage::put(Garbage::job(*id)))?;
        }
        self.left -= jobs.len();
        Ok(jobs)
    }

    fn garbage(&mut self) -> Result<(), EngineError> {
        while self.left > 0 {
            let Some(thing) = first(self.engine, &garbage::select_first(), garbage::read)? else { break };
            for leftover in leftovers(thing.kind) {
                self.leftover(leftover, thing)?;
            }
            if self.left > 0 {
                self.left -= self.engine.execute(&garbage::delete(thing))?;
            }
        }
        Ok(())
    }

    fn leftover(&mut self, leftover: &Leftover, thing: Garbage) -> Result<(), EngineError> {
        let Leftover { table, owner, rest } = leftover;
        let mut values = vec![Value::from(thing.a), Value::from(thing.b)];
        values.truncate(owner.len());
        let condition: Vec<String> = (1..).zip(*owner).map(|(at, column)| format!("{column} = ?{at}")).collect();
        self.remove(table, owner, rest, &condition.join(" and "), values)
    }

    /// Removes attempts that left at `at` or before.
    fn old_attempts(&mut self, at: Timestamp) -> Result<(), EngineError> {
        let (owner, rest) = (&["topic", "subscription"], &["seq", "number"]);
        self.remove("attempt", owner, rest, "at <= ?1", values![at])
    }

    /// Removes attempts at a subscription's messages up to a place.
    fn many_attempts(&mut self, key: SubscriptionKey, through: u64) -> Result<(), EngineError> {
        let (owner, rest) = (&["topic", "subscription"], &["seq", "number"]);
        let condition = "topic = ?1 and subscription = ?2 and seq <= ?3";
        self.remove("attempt", owner, rest, condition, values![key.topic, key.no, through])
    }

    /// Removes samples that were taken at `at` or before: they are kept as long as attempts are.
    fn old_samples(&mut self, at: Timestamp) -> Result<(), EngineError> {
        self.remove("sample", &["job"], &["task", "idx", "attempt", "number"], "at <= ?1", values![at])
    }

    /// Removes deliveries that were given up at `since` or before.
    fn old_dead(&mut self, since: Timestamp) -> Result<(), EngineError> {
        let condition = "state = 'DEAD' and dead_since <= ?1";
        self.remove("delivery", &["topic", "subscription"], &["seq"], condition, values![since])
    }

    /// Removes the beginning of a topic's log that is over its time: the places have no gap, so a chunk is a range, and
    /// where in it the time ends is found by halving.
    fn old_messages(&mut self, cutoff: &TopicCutoff) -> Result<(), EngineError> {
        if self.left == 0 {
            return Ok(());
        }
        let text =
            "select seq, published from topic_message where topic = ?1 and seq >= ?2 order by topic, seq limit 1";
        let mut look = |seq: u64| -> Result<Option<(u64, bool)>, EngineError> {
            let read = |row: &mut Cells<'_>| Ok((row.int::<u64>()?, row.time()?));
            let found = first(self.engine, &Statement::new(text, values![cutoff.topic, seq]), read)?;
            Ok(found.map(|(seq, published)| (seq, cutoff.takes(seq, published))))
        };
        let Some((from, true)) = look(0)? else { return Ok(()) };
        // All before `low` go, and `high` stays.
        let (mut low, mut high) = (from + 1, from + self.left as u64);
        while low < high {
            let middle = low + (high - low) / 2;
            match look(middle)? {
                Some((seq, true)) if seq == middle => low = middle + 1,
                _ => high = middle,
            }
        }
        let text = "delete from topic_message where topic = ?1 and seq >= ?2 and seq < ?3";
        self.left -= self.engine.execute(&Statement::new(text, values![cutoff.topic, from, low]))?;
        Ok(())
    }

    /// Removes rows of a table that meet a condition, by their keys, as many as are left.
    fn remove(
        &mut self,
        table: &str,
        owner: &[&str],
        rest: &[&str],
        condition: &str,
        mut values: Vec<Value<'static>>,
    ) -> Result<(), EngineError> {
        let columns: Vec<&str> = owner.iter().chain(rest).copied().collect();
        let (list, limit) = (columns.join(", "), places(values.len() + 1, 1));
        values.push(Value::from(self.left as u64));
        let select = Statement::new(format!("select {list} from {table} where {condition} limit {limit}"), values);
        let keys = all(self.engine, &select, |row| {
            columns.iter().map(|_| row.int::<i64>().map(Value::Int)).collect::<Result<Vec<_>, _>>()
        })?;
        let text = format!("delete from {table} where ({list}) = ({})", places(1, columns.len()));
        for key in keys {
            self.left -= self.engine.execute(&Statement::new(text.clone(), key))?;
        }
        Ok(())
    }
}
