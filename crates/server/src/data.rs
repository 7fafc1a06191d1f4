//! The data folder: its lock, its key pair, where its server listens.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use agent::way::Pin;
use agent::{User, UserError};
use nix::fcntl::{Flock, FlockArg};
use rand::TryRng;
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};

use crate::keys::KeyPair;
use crate::seal::MasterKey;

/// The file of the master key.
pub(crate) const MASTER_KEY_FILE: &str = "master.key";

/// A data folder that this process alone uses, until it is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: Flock<File>,
}

/// A data folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another server uses it.
    #[error("the data folder {} is in use by the server with process id {pid}", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The other server's process id, as it left it in the folder's lock file.
        pid: String,
    },
    /// The user that instances are to run as cannot get to them.
    #[error("failed to let the user of nodes.user through")]
    User(#[from] UserError),
    /// The variable holds no master key.
    #[error("HERALD_MASTER_KEY is no master key; it should be 64 hexadecimal digits")]
    MasterKeyVariable,
    /// The file holds no master key.
    #[error("{} holds no master key, which is 64 hexadecimal digits; put back the right file", path.display())]
    MasterKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// Key pairs are sealed with a master key that is not there.
    #[error(
        "{} is gone, and key pairs in the database are sealed with it; put it back, or give it in HERALD_MASTER_KEY",
        path.display()
    )]
    MasterKeyGone {
        /// The file.
        path: PathBuf,
    },
    /// Key pairs are sealed with another master key.
    #[error(
        "key pair {secret_id} in the database does not open with this master key; give the one that it was made under, \
         in {MASTER_KEY_FILE} of the data folder or in HERALD_MASTER_KEY"
    )]
    MasterKeyWrong {
        /// One that does not.
        secret_id: String,
    },
    /// A file in it cannot be used.
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

impl DataFolder {
    /// Takes the folder, making it if it is missing.
    pub(crate) fn take(path: &Path) -> Result<Self, DataError> {
        // Commands, messages and outputs are their owner's; an existing folder stays as it was made.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(failed_to("make the data folder", path))?;
        let path = path.canonicalize().map_err(failed_to("find", path))?;
        let lock_file = path.join("lock");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&lock_file);
        let file = file.map_err(failed_to("open", &lock_file))?;
        let mut lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => lock,
            Err((mut file, nix::errno::Errno::EWOULDBLOCK)) => {
                let mut pid = String::new();
                // What is said of the other server is a help; that there is one is certain without it.
                let _ = file.read_to_string(&mut pid);
                return Err(DataError::InUse { path, pid: pid.trim().to_owned() });
            }
            Err((_, errno)) => return Err(failed_to("lock", &lock_file)(errno.into())),
        };
        let note = format!("{}\n", std::process::id());
        let written = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| lock.write_all(note.as_bytes()));
        written.map_err(failed_to("write", &lock_file))?;
        let data = Self { path, _lock: lock };
        for folder in [data.logs(), data.nodes(), data.cos()] {
            fs::create_dir_all(&folder).map_err(failed_to("make", &folder))?;
        }
        Ok(data)
    }

    /// Lets a user through to the nodes in the folder; what lies beside them is its owner's alone. The folder of buckets,
    /// which the user's instances read and write, becomes the user's.
    pub(crate) fn admit(&self, user: &User) -> Result<(), DataError> {
        user.own(&self.cos()).map_err(failed_to("give away", &self.cos()))?;
        Ok(user.admit(&self.path, &[self.nodes(), self.logs()])?)
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("herald.db")
    }

    /// The folder of the outputs of instances.
    pub(crate) fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// The folder of the local nodes' own folders.
    pub(crate) fn nodes(&self) -> PathBuf {
        self.path.join("nodes")
    }

    /// The folder of the buckets that `cos://` names, where no server of objects is configured.
    pub(crate) fn cos(&self) -> PathBuf {
        self.path.join("cos")
    }

    /// The file that tells local agents where the server listens.
    pub(crate) fn endpoint_file(&self) -> PathBuf {
        self.path.join("endpoint")
    }

    /// The folder of the server's own certificate.
    pub(crate) fn tls(&self) -> PathBuf {
        self.path.join("tls")
    }

    /// Tells local agents where the server listens, and by which digest they know its certificate.
    pub(crate) fn write_endpoint(&self, address: SocketAddr, pin: Option<Pin>) -> Result<(), DataError> {
        let path = self.endpoint_file();
        let text = match pin {
            None => format!("http://{address}\n"),
            Some(pin) => format!("https://{address}/#sha256={pin}\n"),
        };
        replace(&path, text.as_bytes(), 0o644).map_err(failed_to("write", &path))
    }

    /// The master key: the one given, or else that in `master.key`, drawn where there is none yet. `is_used`: whether
    /// something in the database is sealed with one, so that a new one would open nothing.
    pub(crate) fn master_key(&self, given: Option<&str>, is_used: bool) -> Result<MasterKey, DataError> {
        if let Some(text) = given {
            return MasterKey::parse(text).ok_or(DataError::MasterKeyVariable);
        }
        let path = self.path.join(MASTER_KEY_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_used => {
                return Err(DataError::MasterKeyGone { path });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = MasterKey::draw().map_err(failed_to("draw a key for", &path))?;
                replace(&path, format!("{text}\n").as_bytes(), 0o600).map_err(failed_to("write", &path))?;
                text
            }
            Err(error) => return Err(failed_to("read", &path)(error)),
        };
        MasterKey::parse(&text).ok_or(DataError::MasterKeyFile { path })
    }

    /// The key pair in `credentials.json`, made if the file is missing.
    pub(crate) fn credentials(&self) -> Result<KeyPair, DataError> {
        let path = self.path.join("credentials.json");
        match fs::read(&path) {
            Ok(bytes) => {
                let file: Credentials = serde_json::from_slice(&bytes)
                    .map_err(|source| failed_to("understand", &path)(io::Error::from(source)))?;
                Ok(KeyPair { secret_id: file.secret_id, secret_key: file.secret_key })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pair = draw_pair().map_err(failed_to("draw a key for", &path))?;
                let file = Credentials { secret_id: pair.secret_id.clone(), secret_key: pair.secret_key.clone() };
                let text = serde_json::to_vec_pretty(&file).expect("two strings are JSON");
                replace(&path, &text, 0o600).map_err(failed_to("write", &path))?;
                Ok(pair)
            }
            Err(error) => Err(failed_to("read", &path)(error)),
        }
    }
}

/// `credentials.json`
#[derive(Serialize, Deserialize)]
struct Credentials {
    secret_id: String,
    secret_key: String,
}

/// Draws a key pair of the form that Tencent's have: 36 characters that begin with `AKID`, and 32.
pub(crate) fn draw_pair() -> io::Result<KeyPair> {
    Ok(KeyPair { secret_id: format!("AKID{}", draw_word(32)?), secret_key: draw_word(32)? })
}

/// Draws a word of letters and digits from the system's random source.
pub(crate) fn draw_word(length: usize) -> io::Result<String> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut word = String::with_capacity(length);
    while word.len() < length {
        let byte = usize::from(SysRng.try_next_u32().map_err(io::Error::other)? as u8);
        // Bytes beyond the last full round would favour the first letters.
        if byte < 62 * 4 {
            word.push(char::from(LETTERS[byte % 62]));
        }
    }
    Ok(word)
}

/// Writes a file so that a reader sees either what it held or what it holds.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn failed_to(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataError {
    let path = path.to_owned();
    move |source| DataError::File { what, path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_has_one_server() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("data");
        let first = DataFolder::take(&path).unwrap();
        let second = DataFolder::take(&path).unwrap_err();
        let told = second.to_string();
        assert!(told.contains(&std::process::id().to_string()) && told.contains("data"), "{told}");
        drop(first);
        DataFolder::take(&path).unwrap();
    }

    #[test]
    fn the_key_pair_is_made_once_and_is_private() {
        let root = tempfile::tempdir().unwrap();
        let data = DataFolder::take(root.path()).unwrap();
        let pair = data.credentials().unwrap();
        assert_eq!((pair.secret_id.len(), pair.secret_key.len()), (36, 32));
        assert!(pair.secret_id.starts_with("AKID"));
        assert_eq!(data.credentials().unwrap(), pair);
        let mode = fs::metadata(root.path().join("credentials.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{pair:?}").contains(&pair.secret_key));
    }

    #[test]
    fn the_master_key_is_made_once_is_private_and_is_never_replaced() {
        let root = tempfile::tempdir().unwrap();
        let data = DataFolder::take(root.path()).unwrap();
        let sealed = data.master_key(None, false).unwrap().seal("id", "word").unwrap();
        let path = root.path().join(MASTER_KEY_FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(data.master_key(None, true).unwrap().open("id", &sealed).as_deref(), Some("word"));
        let other = "0".repeat(64);
        assert_eq!(data.master_key(Some(&other), true).unwrap().open("id", &sealed), None);
        assert!(matches!(data.master_key(Some("x"), true), Err(DataError::MasterKeyVariable)));
        fs::write(&path, "x").unwrap();
        assert!(matches!(data.master_key(None, true), Err(DataError::MasterKeyFile { .. })));
        fs::remove_file(&path).unwrap();
        assert!(matches!(data.master_key(None, true), Err(DataError::MasterKeyGone { .. })));
        assert!(!path.exists());
    }

    #[test]
    fn the_endpoint_is_written_anew() {
        let root = tempfile::tempdir().unwrap();
        let data = DataFolder::take(root.path()).unwrap();
        for port in [1, 65_000] {
            data.write_endpoint(SocketAddr::from(([127, 0, 0, 1], port)), None).unwrap();
            let text = fs::read_to_string(data.endpoint_file()).unwrap();
            assert_eq!(text, format!("http://127.0.0.1:{port}\n"));
        }
    }
}
