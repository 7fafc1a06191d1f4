//! A connection: statements, transactions, and what SQLite's errors mean.

use rusqlite::ffi;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, ErrorCode, Row, ToSql};

use crate::engine::{Cells, Columns, EachRow, Engine, EngineError, ErrorKind, Flow};
use crate::error::{CommitError, StoreError};
use crate::statement::{Statement, Value};
use crate::write::failed;

/// Statements that stay prepared.
const PREPARED: usize = 128;

/// An open connection.
pub(super) struct Connection(pub(super) rusqlite::Connection);

impl Connection {
    pub(super) fn new(connection: rusqlite::Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Self(connection)
    }

    /// Reads in one transaction, so that all is of one commit.
    pub(super) fn reading<T>(
        &mut self,
        operation: &'static str,
        read: impl FnOnce(&mut dyn Engine) -> Result<T, EngineError>,
    ) -> Result<T, StoreError> {
        let of = |error: EngineError| error.of(operation);
        self.control("begin").map_err(of)?;
        let found = read(self);
        // Nothing was written: there is nothing to lose when this fails.
        let ended = self.control("commit").or_else(|_| self.control("rollback"));
        let found = found.map_err(of)?;
        ended.map_err(of)?;
        Ok(found)
    }

    /// Writes in one transaction and waits for the disk.
    pub(super) fn writing<T>(
        &mut self,
        operation: &'static str,
        write: impl FnOnce(&mut dyn Engine) -> Result<T, CommitError>,
    ) -> Result<T, CommitError> {
        self.control("begin immediate").map_err(|error| failed(error, operation))?;
        match write(self) {
            Ok(done) => match self.control("commit") {
                Ok(()) => Ok(done),
                Err(error) => Err(self.uncommitted(error, operation)),
            },
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    fn uncommitted(&mut self, error: EngineError, operation: &'static str) -> CommitError {
        self.roll_back();
        let kind = error.kind;
        let source = error.of(operation);
        if kind == ErrorKind::SyncFailed { CommitError::SyncFailed { source } } else { CommitError::Unknown { source } }
    }

    fn roll_back(&mut self) {
        if !self.0.is_autocommit() {
            // SQLite has rolled back by itself where this fails.
            let _ = self.control("rollback");
        }
    }

    fn control(&mut self, text: &'static str) -> Result<(), EngineError> {
        let mut statement = self.0.prepare_cached(text).map_err(engine_error)?;
        statement.raw_execute().map(|_| ()).map_err(engine_error)
    }
}

impl Engine for Connection {
    fn execute(&mut self, statement: &Statement<'_>) -> Result<usize, EngineError> {
        bound(&self.0, statement).and_then(|mut prepared| prepared.raw_execute()).map_err(engine_error)
    }

    fn query(&mut self, statement: &Statement<'_>, each: &mut EachRow<'_>) -> Result<(), EngineError> {
        let mut prepared = bound(&self.0, statement).map_err(engine_error)?;
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(engine_error)? {
            if each(&mut Cells::new(row))? == Flow::Enough {
                break;
            }
        }
        Ok(())
    }
}

fn bound<'c>(connection: &'c rusqlite::Connection, statement: &Statement<'_>) -> rusqlite::Result<CachedStatement<'c>> {
    let mut prepared = connection.prepare_cached(&statement.text)?;
    for (at, value) in (1..).zip(&statement.values) {
        prepared.raw_bind_parameter(at, value)?;
    }
    Ok(prepared)
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Columns for Row<'_> {
    fn column(&self, at: usize) -> Result<Value<'_>, String> {
        match self.get_ref(at).map_err(|error| error.to_string())? {
            ValueRef::Null => Ok(Value::Null),
            ValueRef::Integer(number) => Ok(Value::Int(number)),
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).map(Value::from).map_err(|error| error.to_string()),
            ValueRef::Blob(bytes) => Ok(Value::from(bytes)),
            ValueRef::Real(_) => Err("no column holds such numbers".to_owned()),
        }
    }
}

/// What follows from an error of SQLite.
fn engine_error(error: rusqlite::Error) -> EngineError {
    let kind = match error.sqlite_error() {
        Some(ffi::Error { extended_code: ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC, .. }) => {
            ErrorKind::SyncFailed
        }
        Some(ffi::Error {
            code: ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig, ..
        }) => ErrorKind::Refused,
        _ => ErrorKind::Unavailable,
    };
    EngineError { kind, source: Box::new(error) }
}

/// Names the operation that an error of SQLite ended.
pub(super) fn store_error(operation: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| StoreError::new(operation, error)
}
