//! Reads: pages, single rows, figures. Each function is called in a transaction of its own.

pub(crate) mod environment;
pub(crate) mod instance;
pub(crate) mod job;
pub(crate) mod queue;
pub(crate) mod subscription;
pub(crate) mod template;
pub(crate) mod topic;

use std::fmt::Write as _;

use crate::engine::{Cells, Corrupt, Engine, EngineError, all, first};
use crate::page::{Page, Span, Tagged};
use crate::statement::{Statement, Value};

/// Conditions that must all be met, with their values.
struct Conditions<'a> {
    text: String,
    values: Vec<Value<'a>>,
}

impl<'a> Conditions<'a> {
    fn new() -> Self {
        Self { text: String::new(), values: Vec::new() }
    }

    /// Adds `left operator value`.
    fn compare(&mut self, left: &str, operator: &str, value: impl Into<Value<'a>>) {
        let place = self.place(value.into());
        self.and();
        write!(self.text, "{left} {operator} {place}").expect("a String takes everything");
    }

    /// Adds a condition without values.
    fn that(&mut self, condition: &str) {
        self.and();
        self.text.push_str(condition);
    }

    /// Adds `column in (...)`, unless the list is empty.
    fn within(&mut self, column: &str, list: impl IntoIterator<Item = Value<'a>>) {
        let places: Vec<String> = list.into_iter().map(|value| self.place(value)).collect();
        if !places.is_empty() {
            self.and();
            write!(self.text, "{column} in ({})", places.join(", ")).expect("a String takes everything");
        }
    }

    /// Adds that a text in lower case contains another, unless that is empty.
    fn contains(&mut self, column: &str, part: &str) {
        if part.is_empty() {
            return;
        }
        let escaped: String = part
            .to_lowercase()
            .chars()
            .flat_map(|c| matches!(c, '%' | '_' | '\\').then_some('\\').into_iter().chain([c]))
            .collect();
        let place = self.place(Value::from(format!("%{escaped}%")));
        self.and();
        write!(self.text, "{column} like {place} escape '\\'").expect("a String takes everything");
    }

    /// Adds conditions on tags, kept in `table` by `owner`, of the row with `id`.
    fn tagged(&mut self, table: &str, owner: &str, id: &str, tags: &'a Tagged) {
        self.tag(table, owner, id, tags.keys.iter().map(Value::from).collect(), Vec::new());
        self.tag(table, owner, id, Vec::new(), tags.values.iter().map(Value::from).collect());
        for (key, values) in &tags.pairs {
            self.tag(table, owner, id, vec![Value::from(key)], values.iter().map(Value::from).collect());
        }
    }

    fn tag(&mut self, table: &str, owner: &str, id: &str, keys: Vec<Value<'a>>, values: Vec<Value<'a>>) {
        if keys.is_empty() && values.is_empty() {
            return;
        }
        self.and();
        let outer = std::mem::take(&mut self.text);
        self.text = format!("{table}.{owner} = {id}");
        self.within(&format!("{table}.key"), keys);
        self.within(&format!("{table}.value"), values);
        self.text = format!("{outer}exists (select 1 from {table} where {})", self.text);
    }

    fn and(&mut self) {
        if !self.text.is_empty() {
            self.text.push_str(" and ");
        }
    }

    fn place(&mut self, value: Value<'a>) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    /// `select` with these conditions and what follows them.
    fn statement(&self, select: &str, rest: &str) -> Statement<'a> {
        let condition = if self.text.is_empty() { String::new() } else { format!(" where {}", self.text) };
        Statement::new(format!("{select}{condition}{rest}"), self.values.clone())
    }
}

/// A part of a list and its whole length.
fn page<T>(
    engine: &mut dyn Engine,
    table: &str,
    select: &str,
    conditions: Conditions<'_>,
    order: &str,
    span: Span,
    read: impl FnMut(&mut Cells<'_>) -> Result<T, Corrupt>,
) -> Result<Page<T>, EngineError> {
    let count = conditions.statement(&format!("select count(*) from {table}"), "");
    let total = first(engine, &count, |row| row.int::<u64>())?.unwrap_or_default();
    let mut conditions = conditions;
    let limit = conditions.place(Value::from(span.limit.min(i64::MAX.cast_unsigned())));
    let offset = conditions.place(Value::from(span.offset.min(i64::MAX.cast_unsigned())));
    let list = conditions.statement(select, &format!(" order by {order} limit {limit} offset {offset}"));
    Ok(Page { total, items: all(engine, &list, read)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_number_their_places_in_order() {
        let tags = Tagged {
            keys: vec!["a".into()],
            values: Vec::new(),
            pairs: vec![("k".into(), vec!["v".into(), "w".into()])],
        };
        let mut conditions = Conditions::new();
        conditions.within("id", [Value::from(1u64), Value::from(2u64)]);
        conditions.within("name", []);
        conditions.tagged("job_tag", "job", "job.id", &tags);
        conditions.contains("name_key", "A_b");
        conditions.compare("seq", ">", 5u64);
        assert_eq!(
            conditions.statement("select 1 from job", " order by id").text,
            "select 1 from job where id in (?1, ?2) and exists (select 1 from job_tag where job_tag.job = job.id and \
             job_tag.key in (?3)) and exists (select 1 from job_tag where job_tag.job = job.id and job_tag.key in \
             (?4) and job_tag.value in (?5, ?6)) and name_key like ?7 escape '\\' and seq > ?8 order by id"
        );
        assert_eq!(conditions.values[6], Value::from("%a\\_b%"));
    }
}
