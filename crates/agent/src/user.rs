//! The user that runs are, where the agent is root and another is configured.
//!
//! The agent stays what it is: it has control groups to make, other's processes to kill, folders to hand over. What it
//! starts for a run is that user, with the user's groups, before anything of the run's is looked at; only what the agent
//! itself keeps (journal, token, records of containers) stays out of the user's reach. Runs in containers are refused:
//! whoever may start those is root by another way, and what is recorded of them is acted on by the agent.

use std::ffi::{CString, OsString};
use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, geteuid, initgroups, setgid, setuid};
use serde::{Deserialize, Serialize};

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    name: String,
    uid: u32,
    gid: u32,
    home: PathBuf,
}

/// Why runs cannot be a user.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The machine's list of users could not be read.
    #[error("failed to look the user `{name}` up")]
    Look {
        /// Which.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// There is none of this name.
    #[error("there is no user `{0}` on this machine")]
    Unknown(String),
    /// It would drop nothing.
    #[error("the user `{0}` is root, which instances are to be kept from being")]
    Root(String),
    /// Only root may become another.
    #[error("only root can run instances as the user `{0}`")]
    NotRoot(String),
    /// A folder on the way cannot be looked at or changed.
    #[error("failed to let the user `{name}` through {}", folder.display())]
    Folder {
        /// Who.
        name: String,
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder on the way is closed to it.
    #[error("the user `{name}` cannot enter {}, which its instances would work below; open it with chmod o+x", folder.display())]
    Closed {
        /// Who.
        name: String,
        /// The folder.
        folder: PathBuf,
    },
}

impl User {
    /// The user of this name, as whom this process may run something.
    ///
    /// # Errors
    /// [`UserError`], each kind but those of folders.
    pub fn find(name: &str) -> Result<Self, UserError> {
        let found = nix::unistd::User::from_name(name);
        let found = found.map_err(|errno| UserError::Look { name: name.to_owned(), source: errno.into() })?;
        let found = found.ok_or_else(|| UserError::Unknown(name.to_owned()))?;
        if found.uid.is_root() {
            return Err(UserError::Root(name.to_owned()));
        }
        if !geteuid().is_root() {
            return Err(UserError::NotRoot(name.to_owned()));
        }
        Ok(Self { name: found.name, uid: found.uid.as_raw(), gid: found.gid.as_raw(), home: found.dir })
    }

    /// Makes a folder one that this user can pass through, though not list: by way of its group, so that others stay out.
    ///
    /// # Errors
    /// The folder cannot be changed.
    pub fn let_through(&self, folder: &Path) -> io::Result<()> {
        let found = std::fs::metadata(folder)?;
        if !self.passes(&found) {
            chown(folder, None, Some(self.gid))?;
            std::fs::set_permissions(folder, PermissionsExt::from_mode((found.mode() & 0o7707) | 0o010))?;
        }
        Ok(())
    }

    /// Whether the user can pass through a folder, as far as its permissions tell.
    fn passes(&self, folder: &Metadata) -> bool {
        let bit = match (folder.uid() == self.uid, folder.gid() == self.gid) {
            (true, _) => 0o100,
            (false, true) => 0o010,
            (false, false) => 0o001,
        };
        folder.mode() & bit != 0
    }

    /// Whether this user can pass through all folders above a path, as far as their permissions tell.
    ///
    /// # Errors
    /// [`UserError::Closed`], [`UserError::Folder`].
    fn can_reach(&self, path: &Path) -> Result<(), UserError> {
        for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            let found = std::fs::metadata(folder).map_err(self.failed_at(folder))?;
            if !self.passes(&found) {
                return Err(UserError::Closed { name: self.name.clone(), folder: folder.to_owned() });
            }
        }
        Ok(())
    }

    /// Gives the user what is at a path; a link there, itself.
    ///
    /// # Errors
    /// It cannot be given away.
    pub fn own(&self, path: &Path) -> io::Result<()> {
        lchown(path, Some(self.uid), Some(self.gid))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lets the user through to nodes below a folder, and makes sure that it gets as far as that.
    ///
    /// # Errors
    /// [`UserError::Closed`], [`UserError::Folder`].
    pub fn admit(&self, folder: &Path, inner: &[PathBuf]) -> Result<(), UserError> {
        for folder in inner.iter().map(PathBuf::as_path).chain([folder]) {
            self.let_through(folder).map_err(self.failed_at(folder))?;
        }
        self.can_reach(&folder.join("any"))
    }

    fn failed_at(&self, folder: &Path) -> impl Fn(io::Error) -> UserError {
        let (name, folder) = (self.name.clone(), folder.to_owned());
        move |source| UserError::Folder { name: name.clone(), folder: folder.clone(), source }
    }

    /// Numbers of the user and its group.
    pub(crate) fn numbers(&self) -> (u32, u32) {
        (self.uid, self.gid)
    }

    /// What its environment says of it.
    pub(crate) fn variables(&self) -> [(OsString, OsString); 3] {
        let name = OsString::from(&self.name);
        [("USER".into(), name.clone()), ("LOGNAME".into(), name), ("HOME".into(), self.home.clone().into())]
    }

    /// The words that, after the verb of steps, make this program become the user and then another program.
    pub(crate) fn words(&self) -> [OsString; 4] {
        [BECOME.into(), self.uid.to_string().into(), self.gid.to_string().into(), OsString::from(&self.name)]
    }

    /// Makes this process the user's. To be called while it has one thread.
    ///
    /// # Errors
    /// The system does not let it.
    pub(crate) fn take_on(&self) -> io::Result<()> {
        take_on(self.uid, self.gid, self.name.clone().into())
    }
}

/// What a step does that is not one: it becomes a user, and then a program.
pub(crate) const BECOME: &str = "become";

fn take_on(uid: u32, gid: u32, name: OsString) -> io::Result<()> {
    let name = CString::new(name.into_vec())?;
    initgroups(&name, Gid::from_raw(gid))?;
    setgid(Gid::from_raw(gid))?;
    setuid(Uid::from_raw(uid))?;
    // It must not be able to go back.
    if uid != 0 && setuid(Uid::from_raw(0)).is_ok() {
        return Err(io::Error::other("the process could become root again"));
    }
    Ok(())
}

/// Becomes a user and then a program: `UID GID NAME PROGRAM ARGUMENTS...`. The program gets the variables that stand on
/// standard input, as JSON, which this process, while it is root, has not got: they are a stranger's. Returns only where
/// that fails, with why.
#[must_use]
pub fn become_user(words: Vec<OsString>) -> io::Error {
    let number = |word: &OsString| word.to_str().and_then(|word| word.parse().ok());
    let [uid, gid, name, program, arguments @ ..] = &words[..] else {
        return io::Error::new(io::ErrorKind::InvalidInput, "expected UID GID NAME PROGRAM and its arguments");
    };
    let (Some(uid), Some(gid)) = (number(uid), number(gid)) else {
        return io::Error::new(io::ErrorKind::InvalidInput, "UID and GID are numbers");
    };
    let mut text = Vec::new();
    let read = io::stdin().read_to_end(&mut text);
    let become_it = || {
        read?;
        take_on(uid, gid, name.clone())?;
        let variables: Vec<(String, String)> = serde_json::from_slice(&text)?;
        let error = Command::new(program).args(arguments).envs(variables).stdin(Stdio::null()).exec();
        Err::<std::convert::Infallible, io::Error>(error)
    };
    match become_it() {
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_another_than_root_can_be_chosen() {
        assert!(matches!(User::find("nobody-of-this-name"), Err(UserError::Unknown(_))));
        assert!(matches!(User::find("root"), Err(UserError::Root(_))));
        match User::find("nobody") {
            Ok(user) => assert!(geteuid().is_root() && user.uid != 0),
            Err(error) => assert!(matches!(error, UserError::NotRoot(_)) && !geteuid().is_root(), "{error}"),
        }
    }

    #[test]
    fn a_closed_folder_on_the_way_is_named() {
        // This process's own group is one that it can give a folder to.
        let gid = nix::unistd::getegid().as_raw();
        let user = User { name: "u".into(), uid: u32::MAX - 1, gid, home: "/".into() };
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let error = user.can_reach(&inner.join("c")).unwrap_err().to_string();
        assert!(error.contains(&format!("cannot enter {},", folder.path().display())), "{error}");
        user.let_through(folder.path()).unwrap();
        let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o710, "others stay out");
        user.can_reach(&inner.join("c")).unwrap();
    }

    #[test]
    fn bad_words_become_nobody() {
        for words in [&[][..], &["1", "1", "u"], &["x", "1", "u", "/bin/true"]] {
            let error = become_user(words.iter().map(OsString::from).collect());
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }
}
