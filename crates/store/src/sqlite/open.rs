//! Opening a database: settings of a connection, and the schema.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;

use crate::error::{OpenError, StoreError};
use crate::sqlite::connection::{Connection, store_error};

/// How long a connection waits for another's lock.
const BUSY: Duration = Duration::from_secs(5);

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Where a database is.
#[derive(Debug, Clone)]
pub(super) enum Place {
    File(PathBuf),
    /// In memory, under this name.
    Memory(String),
}

impl Place {
    pub(super) fn file(path: &Path) -> Self {
        Self::File(path.to_owned())
    }

    /// A name that no other database of this process has.
    pub(super) fn memory() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self::Memory(format!("file:/herald-{}?vfs=memdb", NEXT.fetch_add(1, Ordering::Relaxed)))
    }
}

/// A connection as all are set.
pub(super) fn connect(place: &Place) -> Result<rusqlite::Connection, StoreError> {
    let error = store_error("open the database");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if let Place::File(path) = place {
        make_private(path)?;
    }
    let connection = match place {
        Place::File(path) => rusqlite::Connection::open_with_flags(path, flags),
        Place::Memory(name) => rusqlite::Connection::open_with_flags(name, flags | OpenFlags::SQLITE_OPEN_URI),
    }
    .map_err(&error)?;
    connection.busy_timeout(BUSY).map_err(&error)?;
    // Plans do not depend on the values of a statement: else SQLite makes many of them anew for each use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(&error)?;
    if let Place::File(_) = place {
        connection.pragma_update(None, "journal_mode", "wal").map_err(&error)?;
    }
    // The checkpointer moves the log; a commit never does.
    for (name, value) in [("wal_autocheckpoint", 0), ("cache_size", -65_536)] {
        connection.pragma_update(None, name, value).map_err(&error)?;
    }
    connection.pragma_update(None, "synchronous", "full").map_err(&error)?;
    Ok(connection)
}

/// A connection for reads.
pub(super) fn reading(place: &Place) -> Result<Connection, StoreError> {
    let connection = connect(place)?;
    connection.pragma_update(None, "query_only", true).map_err(store_error("open the database for reads"))?;
    Ok(Connection::new(connection))
}

/// A connection to a database whose schema is up to date.
pub(super) fn migrated(place: &Place) -> Result<Connection, OpenError> {
    migrate(place, &embedded::migrations::runner())
}

/// Copies a database that others may use.
pub(super) fn copy_aside(path: &Path, copy: &Path) -> Result<u64, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let error = store_error("copy the database");
    let connection = rusqlite::Connection::open_with_flags(path, flags).map_err(&error)?;
    connection.busy_timeout(BUSY).map_err(&error)?;
    let known = embedded::migrations::runner().get_migrations().iter().map(|it| i64::from(it.version())).max();
    let (found, known) = (schema(&connection).map_err(of_open)?, known.unwrap_or(0));
    if found > known {
        return Err(OpenError::NewerSchema { found, known });
    }
    make_private(copy)?;
    let text = copy.to_str().ok_or_else(|| StoreError::new("copy the database", "the copy's path is not UTF-8"))?;
    connection.execute("vacuum into ?1", [text]).map_err(&error)?;
    let copied = rusqlite::Connection::open_with_flags(copy, flags).map_err(&error)?;
    check(&copied)?;
    let version = copied.query_row("select version from ledger where id = 1", [], |row| row.get::<_, i64>(0));
    Ok(version.map_err(&error)?.unsigned_abs())
}

/// Makes the file, if it is not there, and leaves it and those beside it to its owner alone: secrets of jobs and
/// subscriptions lie in a database, and its folder may be open to all. SQLite makes new files beside it like it.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::new("keep the database to its owner", error);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    for beside in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(beside);
        match fs::metadata(&name) {
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                fs::set_permissions(&name, fs::Permissions::from_mode(0o600)).map_err(failed)?;
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

/// Fails when the file does not hold together. What does is believed.
fn check(connection: &rusqlite::Connection) -> Result<(), OpenError> {
    let found: Result<String, _> = connection.query_row("pragma quick_check(1)", [], |row| row.get(0));
    match found {
        Ok(found) if found == "ok" => Ok(()),
        Ok(found) => Err(OpenError::Damaged { found: found.replace('\n', " ") }),
        Err(error) => Err(of_open(StoreError::new("check the database", error))),
    }
}

/// What failed, told as damage where it is.
fn of_open(error: StoreError) -> OpenError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let code = error.source.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
    match code {
        Some(DatabaseCorrupt | NotADatabase) => OpenError::Damaged { found: error.source.to_string() },
        _ => OpenError::Store(error),
    }
}

fn migrate(place: &Place, runner: &refinery::Runner) -> Result<Connection, OpenError> {
    let opened = connect(place).and_then(|connection| Ok((schema(&connection)?, connection)));
    let (found, mut connection) = opened.map_err(of_open)?;
    if found > 0 {
        check(&connection)?;
    }
    let known = runner.get_migrations().iter().map(|migration| i64::from(migration.version())).max().unwrap_or(0);
    if found > known {
        return Err(OpenError::NewerSchema { found, known });
    }
    if found > 0 && found < known {
        copy(&connection, place, found)?;
    }
    if found < known {
        runner.run(&mut connection).map_err(|source| OpenError::Migrate { source: Box::new(source) })?;
    }
    Ok(Connection::new(connection))
}

/// The number of the last migration; 0 for a database that is new.
fn schema(connection: &rusqlite::Connection) -> Result<i64, StoreError> {
    let error = store_error("read the schema's version");
    let text = "select count(*) from sqlite_schema where name = 'refinery_schema_history'";
    let made: i64 = connection.query_row(text, [], |row| row.get(0)).map_err(&error)?;
    if made == 0 {
        return Ok(0);
    }
    let text = "select coalesce(max(version), 0) from refinery_schema_history";
    connection.query_row(text, [], |row| row.get(0)).map_err(&error)
}

/// Copies the database before it is changed.
fn copy(connection: &rusqlite::Connection, place: &Place, schema: i64) -> Result<(), OpenError> {
    let Place::File(path) = place else { return Ok(()) };
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".v{schema}"));
    let path = PathBuf::from(name);
    let failed = |source: StoreError| OpenError::Copy { path: path.clone(), source };
    // A copy that an interrupted migration left is no better than the one made now: the file is as it was.
    if path.exists() {
        std::fs::remove_file(&path).map_err(|error| failed(StoreError::new("remove an earlier copy", error)))?;
    }
    let text = path.to_str().ok_or_else(|| failed(StoreError::new("copy the database", "its path is not UTF-8")))?;
    connection.execute("vacuum into ?1", [text]).map_err(|error| failed(store_error("copy the database")(error)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use refinery::{Migration, Runner};
    use rusqlite::StatementStatus;

    const FIRST: (&str, &str) = ("V1__first", "create table a (b integer) strict; insert into a values (7);");
    const SECOND: (&str, &str) = ("V2__second", "alter table a add column c integer;");

    fn runner(migrations: &[(&str, &str)]) -> Runner {
        let made = migrations.iter().map(|(name, sql)| Migration::unapplied(name, sql).unwrap());
        Runner::new(&made.collect::<Vec<_>>())
    }

    /// A database with some thousand rows, all in its file.
    fn filled(path: &Path) {
        let connection = migrated(&Place::file(path)).unwrap().0;
        let rows = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) \
                    insert into garbage select 'JOB', i, 0 from n";
        connection.execute(rows, []).unwrap();
        connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
    }

    #[test]
    fn a_database_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::file(&folder.path().join("herald.db"));
        let modes = || -> Vec<u32> {
            let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
            files.map(|file| file.metadata().unwrap().permissions().mode() & 0o777).collect()
        };
        let _open = migrated(&place).unwrap();
        assert_eq!(modes(), [0o600, 0o600, 0o600], "the database, its log, its index");
        // Those of an earlier release were as open as their folder let them be.
        for file in fs::read_dir(folder.path()).unwrap() {
            fs::set_permissions(file.unwrap().path(), fs::Permissions::from_mode(0o644)).unwrap();
        }
        let _open = migrated(&place).unwrap();
        assert_eq!(modes(), [0o600, 0o600, 0o600]);
    }

    fn refused(path: &Path) -> String {
        match migrated(&Place::file(path)) {
            Err(error @ OpenError::Damaged { .. }) => error.to_string(),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was opened"),
        }
    }

    #[test]
    fn a_damaged_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("herald.db");
        filled(&path);
        let whole = std::fs::read(&path).unwrap();
        drop(migrated(&Place::file(&path)).unwrap());
        let cut = folder.path().join("cut.db");
        for length in [whole.len() / 2 / 4_096 * 4_096, whole.len() - 100, 4_096, 60] {
            std::fs::write(&cut, &whole[..length]).unwrap();
            let told = refused(&cut);
            assert!(told.contains("herald restore"), "{length}: {told}");
        }
        let flipped = folder.path().join("flipped.db");
        // In the head of a page in the middle, in the database's own head, and in the list of its tables.
        for at in [whole.len() / 2 / 4_096 * 4_096, 3, 100] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            std::fs::write(&flipped, bytes).unwrap();
            refused(&flipped);
        }
    }

    #[test]
    fn a_copy_is_of_one_moment_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("herald.db"), folder.path().join("copy.db"));
        filled(&path);
        let used = migrated(&Place::file(&path)).unwrap().0;
        used.execute("update ledger set version = 7", []).unwrap();
        assert_eq!(copy_aside(&path, &copy).unwrap(), 7);
        let copied = migrated(&Place::file(&copy)).unwrap().0;
        let rows: i64 = copied.query_row("select count(*) from garbage", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 20_000);
        assert!(copy_aside(&folder.path().join("none.db"), &folder.path().join("other.db")).is_err());
        assert!(!folder.path().join("none.db").exists(), "nothing is made of nothing");
    }

    #[test]
    fn an_older_schema_is_copied_before_it_is_migrated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("herald.db");
        let place = Place::file(&path);
        drop(migrate(&place, &runner(&[FIRST])).unwrap());
        let copy = folder.path().join("herald.db.v1");
        assert!(!copy.exists(), "a new database needs no copy");
        // What an interrupted attempt has left is replaced.
        std::fs::write(&copy, "half a copy").unwrap();
        let connection = migrate(&place, &runner(&[FIRST, SECOND])).unwrap();
        assert_eq!(schema(&connection.0).unwrap(), 2);
        let copied = connect(&Place::file(&copy)).unwrap();
        assert_eq!(schema(&copied).unwrap(), 1);
        assert_eq!(copied.query_row("select b from a", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
        drop(migrate(&place, &runner(&[FIRST, SECOND])).unwrap());
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::file(&folder.path().join("herald.db"));
        drop(migrate(&place, &runner(&[FIRST, SECOND])).unwrap());
        let error = migrate(&place, &runner(&[FIRST])).err().unwrap();
        assert_eq!(
            error.to_string(),
            "the database has schema 2, and this version knows none above 1: use a newer Herald"
        );
    }

    #[test]
    fn a_file_that_is_no_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("herald.db");
        std::fs::write(&path, "something else, and long enough to be taken for a header of a database".repeat(20))
            .unwrap();
        assert!(matches!(migrated(&Place::file(&path)), Err(OpenError::Damaged { .. })));
    }

    #[test]
    fn every_connection_waits_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let connection = connect(&Place::file(&folder.path().join("herald.db"))).unwrap();
        let text = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, String>(0)).unwrap();
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!((text("journal_mode").as_str(), number("synchronous"), number("wal_autocheckpoint")), ("wal", 2, 0));
    }

    #[test]
    fn statements_stay_prepared_whatever_their_values() {
        let connection = migrated(&Place::memory()).unwrap().0;
        for text in [
            "select seq from queue_message where heap = ?1 and visible <= ?2 and enqueued > ?3 order by visible, seq \
             limit ?4",
            "select seq from queue_message where heap = ?1 and visible <= ?2 and (visible, seq) > (?3, ?4)",
            "select seq from queue_message where heap = ?1 and seq in (?2, ?3, ?4)",
            "update queue_message set visible = ?1, dequeues = ?2 where heap = ?3 and seq = ?4",
        ] {
            for value in 1..4 {
                let mut statement = connection.prepare_cached(text).unwrap();
                (1..=4).for_each(|at| statement.raw_bind_parameter(at, value).unwrap());
                let mut rows = statement.raw_query();
                while rows.next().unwrap().is_some() {}
            }
            let prepared = connection.prepare_cached(text).unwrap();
            assert_eq!(prepared.get_status(StatementStatus::RePrepare), 0, "{text}");
        }
    }
}
