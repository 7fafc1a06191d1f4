//! Working folders of runs: `HOME/work/<job>/<task name>.<index>.<attempt>`.
//!
//! A folder that a run leaves empty is removed; or, because making and removing a folder costs a file system more
//! than all else a short run asks of it, it is kept a moment and renamed for the next run of the same job.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use kernel::id::JobId;

use crate::limits::SPARE_FOLDERS;
use crate::user::User;

/// The working folders of a node.
#[derive(Debug)]
pub(crate) struct Folders {
    work: PathBuf,
    /// Whose they are; `None`: the agent's.
    user: Option<User>,
    /// Owner and permissions of a folder that nobody has changed.
    kind: Kind,
    spares: Mutex<Vec<(JobId, PathBuf)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    mode: u32,
    uid: u32,
    gid: u32,
}

impl Folders {
    /// The working folders of the node whose folder this is.
    pub(crate) fn open(home: &Path, user: Option<User>) -> io::Result<Self> {
        let work = home.join("work");
        create(&work)?;
        let mut kind = Kind::of(&work)?;
        if let Some(user) = &user {
            (kind.uid, kind.gid) = user.numbers();
        }
        Ok(Self { work, user, kind, spares: Mutex::default() })
    }

    /// The folder that holds them.
    pub(crate) fn work(&self) -> &Path {
        &self.work
    }

    /// An empty folder of this name, or, when a run of the same name was here before, what it left.
    pub(crate) fn claim(&self, job: JobId, name: &str) -> io::Result<PathBuf> {
        let job_folder = self.work.join(job.to_string());
        let folder = job_folder.join(name);
        // A rename would quietly replace an empty folder of that name, which is as good.
        if let Some(spare) = self.take_spare(job) {
            match fs::rename(&spare, &folder) {
                Ok(()) => return Ok(folder),
                Err(_) => remove_if_empty(&spare),
            }
        }
        loop {
            match create(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => {
                    result?;
                    // Nobody but the agent can put something else there: the folder above is its own.
                    self.user.as_ref().map_or(Ok(()), |user| user.own(&folder))?;
                    return Ok(folder);
                }
            }
            // The job's first run, or a sweep has just removed the job's folder. Once the node's own folder is gone
            // this fails, and so that folder does not come back.
            create(&job_folder)?;
        }
    }

    /// A run is done with its folder.
    pub(crate) fn release(&self, job: JobId, folder: PathBuf) {
        if !self.is_as_new(&folder) {
            remove_if_empty(&folder);
            return;
        }
        let mut spares = self.spares.lock().expect("no panic while held");
        if spares.len() < SPARE_FOLDERS {
            spares.push((job, folder));
        } else {
            drop(spares);
            remove_if_empty(&folder);
        }
    }

    /// Whether [`Folders::sweep`] has something to do.
    pub(crate) fn has_spares(&self) -> bool {
        !self.spares.lock().expect("no panic while held").is_empty()
    }

    /// Removes the empty folders that were kept.
    pub(crate) fn sweep(&self) {
        let spares = std::mem::take(&mut *self.spares.lock().expect("no panic while held"));
        for (_, folder) in spares {
            remove_if_empty(&folder);
        }
    }

    fn take_spare(&self, job: JobId) -> Option<PathBuf> {
        let mut spares = self.spares.lock().expect("no panic while held");
        let position = spares.iter().rposition(|(spare_job, _)| *spare_job == job)?;
        Some(spares.swap_remove(position).1)
    }

    fn is_as_new(&self, folder: &Path) -> bool {
        Kind::of(folder).is_ok_and(|kind| kind == self.kind)
            && fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
    }
}

impl Kind {
    fn of(folder: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(folder)?;
        Ok(Self { mode: metadata.mode(), uid: metadata.uid(), gid: metadata.gid() })
    }
}

/// Makes a folder, if it is not there.
fn create(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Removes a run's folder if nothing is in it, and its job's likewise. What is not empty stays, and is no failure.
fn remove_if_empty(folder: &Path) {
    if fs::remove_dir(folder).is_ok()
        && let Some(job_folder) = folder.parent()
    {
        let _ = fs::remove_dir(job_folder);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn job(number: u64) -> JobId {
        JobId::from_number(number).unwrap()
    }

    fn inode(path: &Path) -> u64 {
        fs::metadata(path).unwrap().ino()
    }

    #[test]
    fn an_empty_folder_goes_to_the_next_run_of_its_job_only() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::open(home.path(), None).unwrap();
        let first = folders.claim(job(1), "t.0.1").unwrap();
        assert_eq!(first, home.path().join("work/job-00000001/t.0.1"));
        let number = inode(&first);
        folders.release(job(1), first.clone());
        assert!(folders.has_spares());
        let other = folders.claim(job(2), "t.0.1").unwrap();
        assert_ne!(inode(&other), number);
        let second = folders.claim(job(1), "t.1.1").unwrap();
        assert_eq!(inode(&second), number);
        assert!(!first.exists());
        folders.release(job(1), second);
        folders.release(job(2), other);
        folders.sweep();
        assert_eq!(fs::read_dir(home.path().join("work")).unwrap().count(), 0);
    }

    #[test]
    fn a_changed_folder_is_not_given_on() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::open(home.path(), None).unwrap();
        let full = folders.claim(job(1), "full.0.1").unwrap();
        fs::write(full.join("result"), "7").unwrap();
        folders.release(job(1), full.clone());
        assert!(full.join("result").exists());
        assert_eq!(folders.claim(job(1), "full.0.1").unwrap(), full, "a run of the same name finds what was left");

        let closed = folders.claim(job(1), "closed.0.1").unwrap();
        fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();
        folders.release(job(1), closed.clone());
        assert!(!closed.exists() && !folders.has_spares());

        let removed = folders.claim(job(1), "removed.0.1").unwrap();
        fs::remove_dir(&removed).unwrap();
        folders.release(job(1), removed);
        assert!(!folders.has_spares());
    }

    #[test]
    fn only_so_many_are_kept() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::open(home.path(), None).unwrap();
        let claimed: Vec<PathBuf> =
            (0..=SPARE_FOLDERS).map(|n| folders.claim(job(1), &format!("t.{n}.1")).unwrap()).collect();
        for folder in &claimed {
            folders.release(job(1), folder.clone());
        }
        assert_eq!(fs::read_dir(home.path().join("work/job-00000001")).unwrap().count(), SPARE_FOLDERS);
    }

    #[test]
    fn a_node_folder_that_is_gone_does_not_come_back() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::open(home.path(), None).unwrap();
        fs::remove_dir_all(home.path()).unwrap();
        assert_eq!(folders.claim(job(1), "t.0.1").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(!home.path().exists());
    }
}
