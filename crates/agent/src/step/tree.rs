//! Copying folders of this machine.
//!
//! A file appears under its name only when it is whole. Links to files are copied as the files they lead to; links to
//! folders are not followed, nor are pipes, sockets and devices copied.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::limits::COPIED_FILES;

/// The files of a folder and of all below it, by their paths within it, in order, and the folders that are in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) folders: Vec<PathBuf>,
    pub(super) files: Vec<(PathBuf, u64)>,
}

/// Lists a folder.
pub(super) fn list(folder: &Path) -> io::Result<Listed> {
    let mut listed = Listed::default();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        for entry in fs::read_dir(folder.join(&below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                listed.folders.push(path.clone());
                open.push(path);
            } else if let Ok(found) = fs::metadata(entry.path())
                && found.is_file()
            {
                listed.files.push((path, found.len()));
            }
            if listed.files.len() + listed.folders.len() > COPIED_FILES {
                return Err(io::Error::other(format!("there are more than {COPIED_FILES} files")));
            }
        }
    }
    listed.folders.sort();
    listed.files.sort();
    Ok(listed)
}

/// Copies all that is in a folder into another, which is made if missing.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let listed = list(from)?;
    fs::create_dir_all(to)?;
    for folder in &listed.folders {
        fs::create_dir_all(to.join(folder))?;
    }
    for (file, _) in &listed.files {
        copy_file(&from.join(file), &to.join(file))?;
    }
    Ok(())
}

/// Copies a file. The folder it goes to must be there.
pub(super) fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let beside = beside(to)?;
    let copied = fs::copy(from, &beside).and_then(|_| fs::rename(&beside, to));
    if copied.is_err() {
        let _ = fs::remove_file(&beside);
    }
    copied
}

/// The name that a file has until it is whole.
pub(super) fn beside(to: &Path) -> io::Result<PathBuf> {
    let name = to.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    // Short enough for every file system, and no other process's.
    let start: String = name.chars().take(40).collect();
    Ok(to.with_file_name(format!(".{start}.{}.part", std::process::id())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_tree_is_copied_without_what_is_no_file() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        fs::create_dir_all(from.join("a/b")).unwrap();
        fs::create_dir_all(from.join("empty")).unwrap();
        fs::write(from.join("a/b/x"), "1").unwrap();
        fs::write(from.join("y"), "22").unwrap();
        symlink("y", from.join("link")).unwrap();
        symlink("a", from.join("loop")).unwrap();
        symlink("nothing", from.join("broken")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(from.join("socket")).unwrap();
        copy(&from, &to).unwrap();
        fs::write(from.join("y"), "333").unwrap();
        copy(&from, &to).unwrap();
        let listed = list(&to).unwrap();
        let files: Vec<(&str, u64)> =
            listed.files.iter().map(|(path, bytes)| (path.to_str().unwrap(), *bytes)).collect();
        assert_eq!(files, [("a/b/x", 1), ("link", 3), ("y", 3)]);
        assert_eq!(listed.folders, ["a", "a/b", "empty"].map(PathBuf::from));
    }
}
