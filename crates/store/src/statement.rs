//! Statements as values: one text, and what goes into its places. The texts are SQL that SQLite and PostgreSQL both
//! understand, but for the mark of the places `?1`, `?2` ..., for which PostgreSQL has another.

use std::borrow::Cow;
use std::fmt::Write as _;

/// What goes into a place, or comes out of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Int(i64),
    Text(Cow<'a, str>),
    Blob(Cow<'a, [u8]>),
}

/// How many rows a statement must change; another number refuses the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    Any,
    One,
}

/// A text and its values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement<'a> {
    pub(crate) text: Cow<'static, str>,
    pub(crate) values: Vec<Value<'a>>,
    pub(crate) expect: Expect,
}

impl<'a> Statement<'a> {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>, values: Vec<Value<'a>>) -> Self {
        Self { text: text.into(), values, expect: Expect::Any }
    }

    pub(crate) fn one(text: impl Into<Cow<'static, str>>, values: Vec<Value<'a>>) -> Self {
        Self { text: text.into(), values, expect: Expect::One }
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Value<'_> {
    /// Bit for bit: a number above 2^63 comes out negative, and the table's CHECK refuses it.
    fn from(value: u64) -> Self {
        Self::Int(value.cast_signed())
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<i32> for Value<'_> {
    fn from(value: i32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Blob(Cow::Borrowed(value))
    }
}

impl From<kernel::time::Timestamp> for Value<'_> {
    fn from(value: kernel::time::Timestamp) -> Self {
        Self::Int(value.0)
    }
}

impl From<kernel::topic::StreamNo> for Value<'_> {
    fn from(value: kernel::topic::StreamNo) -> Self {
        Self::Int(i64::from(value.0))
    }
}

macro_rules! id_values {
    ($($id:ident)*) => {$(
        impl From<kernel::id::$id> for Value<'_> {
            fn from(value: kernel::id::$id) -> Self {
                Self::from(value.number())
            }
        }
    )*};
}

id_values! { ActivityId JobId TemplateId EnvId NodeId MachineId TopicId QueueId SubscriptionId }

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A small list or object as JSON text.
pub(crate) fn json(value: &impl serde::Serialize) -> Value<'static> {
    Value::from(serde_json::to_string(value).expect("rows have no map with keys that are not text"))
}

/// A list of values of different types.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::statement::Value::from($value)),*] };
}
pub(crate) use values;

/// A table's columns, in the order in which rows are written and read: those of the key first.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) key: &'static [&'static str],
    pub(crate) columns: &'static [&'static str],
}

/// A table's texts.
pub(crate) struct Texts {
    /// Inserts a row; one with its key is refused.
    pub(crate) insert: String,
    /// Inserts a row, or replaces that with its key.
    pub(crate) put: String,
    /// Replaces the row with a key; takes the same values.
    pub(crate) update: String,
    /// Deletes the row with a key.
    pub(crate) delete: String,
    /// `select ... from table`, all columns.
    pub(crate) select: String,
}

impl Texts {
    /// Writes a row whose place is known: inserts a fresh one, else replaces the one that must be there.
    pub(crate) fn write<'a>(&'static self, fresh: bool, values: Vec<Value<'a>>) -> Statement<'a> {
        if fresh { Statement::new(&*self.insert, values) } else { Statement::one(&*self.update, values) }
    }
}

impl Table {
    pub(crate) fn texts(&self) -> Texts {
        let all: Vec<&str> = self.key.iter().chain(self.columns).copied().collect();
        let list = all.join(", ");
        let insert = format!("insert into {} ({list}) values ({})", self.name, places(1, all.len()));
        let sets: Vec<String> = self.columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
        let put = format!("{insert} on conflict ({}) do update set {}", self.key.join(", "), sets.join(", "));
        let equal: Vec<String> = (1..).zip(&all).map(|(place, column)| format!("{column} = ?{place}")).collect();
        let (key, rest) = equal.split_at(self.key.len());
        let update = format!("update {} set {} where {}", self.name, rest.join(", "), key.join(" and "));
        let delete = format!("delete from {} where {}", self.name, key.join(" and "));
        let select = format!("select {list} from {}", self.name);
        Texts { insert, put, update, delete, select }
    }
}

/// `$first, ...`: so many places.
pub(crate) fn places(first: usize, count: usize) -> String {
    let mut text = String::new();
    for place in first..first + count {
        let comma = if place == first { "" } else { ", " };
        write!(text, "{comma}?{place}").expect("a String takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_each_column_once_and_in_order() {
        let texts = Table { name: "thing", key: &["a", "b"], columns: &["c", "d"] }.texts();
        assert_eq!(texts.insert, "insert into thing (a, b, c, d) values (?1, ?2, ?3, ?4)");
        assert_eq!(
            texts.put,
            "insert into thing (a, b, c, d) values (?1, ?2, ?3, ?4) on conflict (a, b) do update set c = excluded.c, \
             d = excluded.d"
        );
        assert_eq!(texts.update, "update thing set c = ?3, d = ?4 where a = ?1 and b = ?2");
        assert_eq!(texts.delete, "delete from thing where a = ?1 and b = ?2");
        assert_eq!(texts.select, "select a, b, c, d from thing");
    }

    #[test]
    fn a_number_beyond_the_columns_range_turns_negative() {
        assert_eq!(Value::from(u64::MAX), Value::Int(-1));
        assert_eq!(Value::from(7u64), Value::Int(7));
    }
}
