//! Backups: the data of a server in one file, made while it runs, and a data folder made of such a file.
//!
//! A backup is a tar archive: `backup.json`, which says what it is, the database as it stood at one moment, the key pair
//! and the master key, and, where they are wanted, the outputs of instances. What runs is not in it:
//! a server that is started on restored data finds its nodes gone and makes new ones.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store::OpenError;
use store::sqlite::SqliteStore;

use crate::data::{DataFolder, MASTER_KEY_FILE};
use crate::{DataError, clock};

/// The file that says what the archive is. It stands first.
const ABOUT: &str = "backup.json";
const DATABASE: &str = "herald.db";
const LOGS: &str = "logs";
/// Files beside the database without which it would be another server.
const BESIDE: [&str; 2] = ["credentials.json", MASTER_KEY_FILE];
/// A file of backups that earlier versions made; nothing needs it any more.
const FORMERLY: &str = "join-token";
/// What this version writes and reads.
const FORMAT: u32 = 1;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The archive's format.
    pub format: u32,
    /// The version of Herald that wrote it.
    pub herald: String,
    /// When it was taken, in Unix milliseconds.
    pub taken: i64,
    /// How many batches had been committed.
    pub commits: u64,
    /// Whether the outputs of instances are in it.
    pub outputs: bool,
}

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The folder is not a server's.
    #[error("{} holds no data of a server: there is no {DATABASE}", data.display())]
    NoData {
        /// The folder.
        data: PathBuf,
    },
    /// Something is there already, and would be lost.
    #[error("{} is there already; nothing was changed", path.display())]
    Taken {
        /// The file or folder.
        path: PathBuf,
    },
    /// The file is no backup, or not a whole one.
    #[error("{} is no backup: {why}; nothing was restored", path.display())]
    NoBackup {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The database cannot be copied.
    #[error("failed to copy the database of {}", data.display())]
    Copy {
        /// The data folder.
        data: PathBuf,
        /// Why.
        source: OpenError,
    },
    /// The restored database cannot be used.
    #[error("the database in the backup cannot be used; nothing was restored")]
    Database(#[source] OpenError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file cannot be read or written.
    #[error("failed to {what} {}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn failed_to(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { what, path, source }
}

/// Writes the data of a server, which may be running, into a file that is not there yet.
///
/// # Errors
/// [`BackupError`]; then there is no such file.
pub fn backup(data: &Path, file: &Path, outputs: bool) -> Result<About, BackupError> {
    let database = data.join(DATABASE);
    if !database.is_file() {
        return Err(BackupError::NoData { data: data.to_owned() });
    }
    if file.exists() {
        return Err(BackupError::Taken { path: file.to_owned() });
    }
    let beside = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Secrets are in it, so it is its owner's from the beginning; and it has its name only once it is whole.
    let work = tempfile::Builder::new().prefix(".herald-backup-").tempdir_in(beside);
    let work = work.map_err(failed_to("make a folder in", beside))?;
    let copy = work.path().join(DATABASE);
    let commits =
        SqliteStore::copy(&database, &copy).map_err(|source| BackupError::Copy { data: data.to_owned(), source })?;
    let herald = env!("CARGO_PKG_VERSION").to_owned();
    let about = About { format: FORMAT, herald, taken: clock::now().0, commits, outputs };
    let part = work.path().join("part");
    write(&part, data, &copy, &about).map_err(failed_to("write", file))?;
    // Nobody's file is replaced, even one that came meanwhile.
    fs::hard_link(&part, file).map_err(failed_to("write", file))?;
    File::open(beside).and_then(|folder| folder.sync_all()).map_err(failed_to("write", file))?;
    Ok(about)
}

fn write(part: &Path, data: &Path, copy: &Path, about: &About) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
    let mut archive = tar::Builder::new(BufWriter::new(file));
    let text = serde_json::to_vec_pretty(about)?;
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    archive.append_data(&mut header, ABOUT, &*text)?;
    archive.append_path_with_name(copy, DATABASE)?;
    for name in BESIDE {
        let path = data.join(name);
        if path.is_file() {
            archive.append_path_with_name(path, name)?;
        }
    }
    if about.outputs && data.join(LOGS).is_dir() {
        append_outputs(&mut archive, &data.join(LOGS))?;
    }
    let file = archive.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

/// Appends the outputs. A job's may go while that is done, and what is written to while it is read is taken as long as
/// it was at first.
fn append_outputs(archive: &mut tar::Builder<impl Write>, logs: &Path) -> io::Result<()> {
    for job in fs::read_dir(logs)? {
        let job = job?;
        let Ok(files) = fs::read_dir(job.path()) else { continue };
        for entry in files {
            let entry = entry?;
            let Ok(file) = File::open(entry.path()) else { continue };
            let metadata = file.metadata()?;
            let mut header = tar::Header::new_gnu();
            header.set_metadata(&metadata);
            let length = metadata.len();
            header.set_size(length);
            let whole = io::Read::chain(file, io::repeat(0));
            let name = Path::new(LOGS).join(job.file_name()).join(entry.file_name());
            archive.append_data(&mut header, name, io::Read::take(whole, length))?;
        }
    }
    Ok(())
}

/// Makes a data folder of a backup. The folder is not there yet, or is empty.
///
/// # Errors
/// [`BackupError`]; then the folder is as it was.
pub fn restore(file: &Path, data: &Path) -> Result<About, BackupError> {
    match fs::read_dir(data) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(BackupError::Taken { path: data.to_owned() });
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed_to("look into", data)(error)),
    }
    let beside = data.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(beside).map_err(failed_to("make", beside))?;
    let work = tempfile::Builder::new().prefix(".herald-restore-").tempdir_in(beside);
    let work = work.map_err(failed_to("make a folder in", beside))?;
    let about = unpack(file, work.path())?;
    // What cannot be opened is not put into anybody's hands.
    drop(SqliteStore::open(&work.path().join(DATABASE)).map_err(BackupError::Database)?);
    drop(DataFolder::take(work.path())?);
    fs::rename(work.keep(), data).map_err(failed_to("make", data))?;
    File::open(beside).and_then(|folder| folder.sync_all()).map_err(failed_to("make", data))?;
    Ok(about)
}

fn unpack(file: &Path, folder: &Path) -> Result<About, BackupError> {
    let reading = |source: io::Error| failed_to("read", file)(source);
    let no_backup = |why: String| BackupError::NoBackup { path: file.to_owned(), why };
    let opened = File::open(file).map_err(reading)?;
    let mut archive = tar::Archive::new(BufReader::new(opened));
    let mut about = None;
    let mut has_database = false;
    for entry in archive.entries().map_err(reading)? {
        let mut entry = entry.map_err(|error| no_backup(error.to_string()))?;
        let name = entry.path().map_err(|error| no_backup(error.to_string()))?.into_owned();
        if about.is_none() {
            about = Some(read_about(&name, &mut entry).map_err(no_backup)?);
            continue;
        }
        if !is_known(&name) || !entry.header().entry_type().is_file() {
            return Err(no_backup(format!("`{}` does not belong into one", name.display())));
        }
        has_database |= name == Path::new(DATABASE);
        let whole = entry.unpack_in(folder).map_err(|error| no_backup(error.to_string()))?;
        if !whole {
            return Err(no_backup(format!("`{}` leads out of it", name.display())));
        }
    }
    about.filter(|_| has_database).ok_or_else(|| no_backup("it is cut, or empty".into()))
}

fn read_about(name: &Path, entry: &mut impl io::Read) -> Result<About, String> {
    if name != Path::new(ABOUT) {
        return Err(format!("it does not begin with {ABOUT}"));
    }
    let about: About = serde_json::from_reader(entry).map_err(|error| error.to_string())?;
    if about.format == FORMAT {
        Ok(about)
    } else {
        Err(format!("its format is {}, and this version knows {FORMAT}: use a newer Herald", about.format))
    }
}

/// Whether a name may be in a backup: nothing leads out of the folder, or to what is not the server's.
fn is_known(name: &Path) -> bool {
    let mut parts = name.components();
    let is_plain = name.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let first = parts.next().and_then(|part| part.as_os_str().to_str()).unwrap_or_default();
    let is_file = first == DATABASE || BESIDE.contains(&first) || first == FORMERLY;
    is_plain && (is_file && parts.clone().next().is_none() || first == LOGS && parts.count() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(folder: &Path) -> PathBuf {
        let data = folder.join("data");
        drop(DataFolder::take(&data).unwrap());
        drop(SqliteStore::open(&data.join(DATABASE)).unwrap());
        fs::write(data.join("credentials.json"), "{\"secret_id\": \"a\", \"secret_key\": \"b\"}").unwrap();
        fs::create_dir(data.join("logs/job-00000001")).unwrap();
        fs::write(data.join("logs/job-00000001/t.0.stdout"), "hello").unwrap();
        data
    }

    #[test]
    fn what_is_backed_up_is_restored() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        for (name, outputs) in [("with", true), ("without", false)] {
            let file = folder.path().join(name).with_extension("backup");
            let made = backup(&data, &file, outputs).unwrap();
            assert_eq!((made.format, made.outputs), (FORMAT, outputs));
            let again = folder.path().join(name);
            assert_eq!(restore(&file, &again).unwrap(), made);
            assert_eq!(
                fs::read(again.join("credentials.json")).unwrap(),
                fs::read(data.join("credentials.json")).unwrap()
            );
            assert_eq!(again.join("logs/job-00000001/t.0.stdout").exists(), outputs);
            assert!(SqliteStore::open(&again.join(DATABASE)).is_ok());
            assert!(matches!(restore(&file, &again), Err(BackupError::Taken { .. })));
            assert!(matches!(backup(&data, &file, outputs), Err(BackupError::Taken { .. })));
        }
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
    }

    #[test]
    fn what_is_no_backup_is_refused_and_nothing_restored() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("whole");
        backup(&data(folder.path()), &whole, true).unwrap();
        let bytes = fs::read(&whole).unwrap();
        let bad = folder.path().join("bad");
        let there = folder.path().join("there");
        for length in [0, 100, 700, 2_000, bytes.len() / 2] {
            fs::write(&bad, &bytes[..length]).unwrap();
            let refused = restore(&bad, &there).unwrap_err();
            assert!(matches!(refused, BackupError::NoBackup { .. } | BackupError::Database(_)), "{length}: {refused}");
            assert!(!there.exists(), "{length}");
        }
        assert!(matches!(backup(&there, &bad, false), Err(BackupError::NoData { .. })));
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for name in ["herald.db", "credentials.json", "join-token", "logs/job-1/t.0.stdout"] {
            assert!(is_known(Path::new(name)), "{name}");
        }
        for name in ["", "/herald.db", "../herald.db", "logs/../../x", "herald.db/x", "lock", "logs/x", "logs/a/b/c"] {
            assert!(!is_known(Path::new(name)), "{name}");
        }
    }
}
