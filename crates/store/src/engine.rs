//! What a database engine does for the rest of this crate: run a statement, and give its rows.

use kernel::time::Timestamp;
use kernel::topic::StreamNo;

use crate::error::StoreError;
use crate::statement::{Statement, Value};

/// An open connection. Transactions are the caller's.
pub(crate) trait Engine {
    /// Runs a statement that gives no rows; says how many it changed.
    fn execute(&mut self, statement: &Statement<'_>) -> Result<usize, EngineError>;

    /// Runs a query and hands its rows to `each`, until that says it has enough.
    fn query(&mut self, statement: &Statement<'_>, each: &mut EachRow<'_>) -> Result<(), EngineError>;
}

/// Takes a row in.
pub(crate) type EachRow<'f> = dyn FnMut(&mut Cells<'_>) -> Result<Flow, Corrupt> + 'f;

/// Whether a query goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    More,
    Enough,
}

/// A statement failed.
#[derive(Debug)]
pub(crate) struct EngineError {
    pub(crate) kind: ErrorKind,
    pub(crate) source: Box<dyn std::error::Error + Send + Sync>,
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// A row is to blame: it breaks a constraint.
    Refused,
    /// No row is.
    Unavailable,
    /// The disk did not confirm what was written.
    SyncFailed,
}

impl EngineError {
    pub(crate) fn of(self, operation: &'static str) -> StoreError {
        StoreError { operation, source: self.source }
    }
}

/// A stored row that no version of Herald has written.
#[derive(Debug, thiserror::Error)]
#[error("column {column} of a stored row: {what}")]
pub(crate) struct Corrupt {
    column: usize,
    what: String,
}

impl From<Corrupt> for EngineError {
    fn from(corrupt: Corrupt) -> Self {
        Self { kind: ErrorKind::Unavailable, source: Box::new(corrupt) }
    }
}

/// One column of a row, as the engine has it.
pub(crate) trait Columns {
    fn column(&self, at: usize) -> Result<Value<'_>, String>;
}

/// A row's columns, taken one after the other.
pub(crate) struct Cells<'r> {
    columns: &'r dyn Columns,
    at: usize,
}

impl<'r> Cells<'r> {
    pub(crate) fn new(columns: &'r dyn Columns) -> Self {
        Self { columns, at: 0 }
    }

    fn take<T>(&mut self, read: impl FnOnce(&Value<'r>) -> Option<T>) -> Result<T, Corrupt> {
        let column = self.at;
        self.at += 1;
        let value = self.columns.column(column).map_err(|what| Corrupt { column, what })?;
        read(&value).ok_or_else(|| Corrupt { column, what: format!("{value:.60?} is not what is kept there") })
    }

    /// A number, in the type that is wanted.
    pub(crate) fn int<T: TryFrom<i64>>(&mut self) -> Result<T, Corrupt> {
        self.take(|value| match value {
            Value::Int(number) => T::try_from(*number).ok(),
            _ => None,
        })
    }

    /// A number, or none.
    pub(crate) fn opt_int<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, Corrupt> {
        self.take(|value| match value {
            Value::Null => Some(None),
            Value::Int(number) => T::try_from(*number).ok().map(Some),
            _ => None,
        })
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Corrupt> {
        self.int::<i64>().map(|number| number != 0)
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, Corrupt> {
        self.int().map(Timestamp)
    }

    pub(crate) fn opt_time(&mut self) -> Result<Option<Timestamp>, Corrupt> {
        self.opt_int().map(|number| number.map(Timestamp))
    }

    pub(crate) fn stream(&mut self) -> Result<StreamNo, Corrupt> {
        self.int().map(StreamNo)
    }

    /// An id, by what makes it from its number.
    pub(crate) fn id<T>(&mut self, make: fn(u64) -> Option<T>) -> Result<T, Corrupt> {
        self.take(|value| match value {
            Value::Int(number) => u64::try_from(*number).ok().and_then(make),
            _ => None,
        })
    }

    pub(crate) fn opt_id<T>(&mut self, make: fn(u64) -> Option<T>) -> Result<Option<T>, Corrupt> {
        self.take(|value| match value {
            Value::Null => Some(None),
            Value::Int(number) => u64::try_from(*number).ok().and_then(make).map(Some),
            _ => None,
        })
    }

    /// A text, read as something.
    pub(crate) fn text<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Corrupt> {
        self.take(|value| match value {
            Value::Text(text) => read(text),
            _ => None,
        })
    }

    pub(crate) fn opt_text<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Corrupt> {
        self.take(|value| match value {
            Value::Null => Some(None),
            Value::Text(text) => read(text).map(Some),
            _ => None,
        })
    }

    pub(crate) fn string(&mut self) -> Result<String, Corrupt> {
        self.text(|text| Some(text.to_owned()))
    }

    /// A small list or object, kept as JSON text.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Corrupt> {
        self.text(|text| serde_json::from_str(text).ok())
    }

    pub(crate) fn blob(&mut self) -> Result<std::sync::Arc<[u8]>, Corrupt> {
        self.take(|value| match value {
            Value::Blob(bytes) => Some(std::sync::Arc::from(&**bytes)),
            _ => None,
        })
    }
}

/// All rows of a query.
pub(crate) fn all<T>(
    engine: &mut dyn Engine,
    statement: &Statement<'_>,
    mut read: impl FnMut(&mut Cells<'_>) -> Result<T, Corrupt>,
) -> Result<Vec<T>, EngineError> {
    let mut rows = Vec::new();
    engine.query(statement, &mut |cells| {
        rows.push(read(cells)?);
        Ok(Flow::More)
    })?;
    Ok(rows)
}

/// The first row of a query, if there is one.
pub(crate) fn first<T>(
    engine: &mut dyn Engine,
    statement: &Statement<'_>,
    mut read: impl FnMut(&mut Cells<'_>) -> Result<T, Corrupt>,
) -> Result<Option<T>, EngineError> {
    let mut row = None;
    engine.query(statement, &mut |cells| {
        row = Some(read(cells)?);
        Ok(Flow::Enough)
    })?;
    Ok(row)
}
