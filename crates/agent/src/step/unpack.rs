//! Unpacking an archive that nobody here has made: nothing of it may be written outside its folder, whatever its
//! names and links say, nor may it be larger than it is allowed to be.
//!
//! Every name is taken apart and only plain parts are let through; every folder on the way is looked at and must be a
//! real one, so no link is ever followed in writing. A link may point to what is in the archive, by a path that first
//! goes up, not above the top, and then down: a path that goes down and up again could leave by way of another link.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

/// What an archive may unpack to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes of all its files.
    pub(crate) bytes: u64,
    /// Files, folders and links.
    pub(crate) entries: u64,
}

/// Bytes after the end of a tar that are read, to see whether the compressed data are whole.
const TRAILING_BYTES: u64 = 64 * 1024 * 1024;

/// Unpacks an archive, a gzip-compressed tar or a zip, into a folder. The error says what is wrong with it.
pub(crate) fn unpack(archive: &Path, folder: &Path, bounds: Bounds) -> Result<(), String> {
    let mut file = File::open(archive).map_err(|error| format!("failed to open it: {error}"))?;
    let mut magic = [0; 4];
    let read = read_up_to(&mut file, &mut magic).map_err(|error| format!("failed to read it: {error}"))?;
    file.seek(SeekFrom::Start(0)).map_err(|error| format!("failed to read it: {error}"))?;
    let mut target = Target { folder, left: bounds, bounds };
    match &magic[..read] {
        [0x1f, 0x8b, ..] => target.tar(file),
        [b'P', b'K', 3 | 5, 4 | 6] => target.zip(file),
        _ => Err("it is neither a gzip-compressed tar (.tgz, .tar.gz) nor a .zip".to_owned()),
    }
}

fn read_up_to(file: &mut File, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read(&mut bytes[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Where an archive is unpacked to, and how much it may still bring.
struct Target<'a> {
    folder: &'a Path,
    left: Bounds,
    bounds: Bounds,
}

impl Target<'_> {
    fn tar(&mut self, file: File) -> Result<(), String> {
        let broken = |error: io::Error| format!("it is broken: {error}");
        let mut archive = tar::Archive::new(MultiGzDecoder::new(io::BufReader::new(file)));
        for entry in archive.entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            let kind = entry.header().entry_type();
            if kind == EntryType::XGlobalHeader {
                continue;
            }
            let path = entry.path().map_err(broken)?.into_owned();
            let mode = entry.header().mode().unwrap_or(0o644);
            let target = entry.link_name().map_err(broken)?.map(std::borrow::Cow::into_owned);
            match kind {
                EntryType::Directory => self.make_folder(&path)?,
                EntryType::Regular | EntryType::Continuous => {
                    let size = entry.size();
                    self.write(&path, size, mode, &mut entry)?;
                }
                EntryType::Symlink => self.link(&path, &target.unwrap_or_default())?,
                EntryType::Link => self.hard_link(&path, &target.unwrap_or_default())?,
                other => {
                    let name = path.display();
                    return Err(format!("{name} is of a kind ({other:?}) that a package cannot have"));
                }
            }
        }
        // Only at its end does compressed data show that it is whole.
        io::copy(&mut archive.into_inner().take(TRAILING_BYTES), &mut io::sink()).map_err(broken)?;
        Ok(())
    }

    fn zip(&mut self, file: File) -> Result<(), String> {
        let broken = |error: zip::result::ZipError| format!("it is broken: {error}");
        let mut archive = zip::ZipArchive::new(io::BufReader::new(file)).map_err(broken)?;
        if archive.len() as u64 > self.left.entries {
            return Err(self.too_many());
        }
        for number in 0..archive.len() {
            let mut entry = archive.by_index(number).map_err(broken)?;
            let path = PathBuf::from(entry.name().map_err(broken)?.as_ref());
            let mode = entry.unix_mode().unwrap_or(0o644);
            match mode & 0o170_000 {
                _ if entry.is_dir() => self.make_folder(&path)?,
                0o120_000 => {
                    let mut target = String::new();
                    let read = entry.by_ref().take(4_096).read_to_string(&mut target);
                    read.map_err(|error| format!("it is broken: {error}"))?;
                    self.link(&path, Path::new(&target))?;
                }
                0 | 0o100_000 => {
                    let size = entry.size();
                    self.write(&path, size, mode, &mut entry)?;
                }
                _ => return Err(format!("{} is of a kind that a package cannot have", path.display())),
            }
        }
        Ok(())
    }

    fn too_many(&self) -> String {
        format!("it has more than {} files", self.bounds.entries)
    }

    fn too_large(&self) -> String {
        format!("it unpacks to more than {} bytes", self.bounds.bytes)
    }

    /// The place of an entry below the folder, with the folders on the way made; `None` is the folder itself.
    fn place(&mut self, path: &Path) -> Result<Option<PathBuf>, String> {
        self.left.entries = self.left.entries.checked_sub(1).ok_or_else(|| self.too_many())?;
        let parts = plain_parts(path).ok_or_else(|| format!("{} leads out of its folder", path.display()))?;
        let Some((name, folders)) = parts.split_last() else { return Ok(None) };
        let mut place = self.folder.to_owned();
        for part in folders {
            place.push(part);
            make_real_folder(&place).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        place.push(name);
        Ok(Some(place))
    }

    fn make_folder(&mut self, path: &Path) -> Result<(), String> {
        match self.place(path)? {
            Some(place) => make_real_folder(&place).map_err(|error| format!("{}: {error}", path.display())),
            None => Ok(()),
        }
    }

    /// The place of a file or link, with nothing there any more.
    fn free_place(&mut self, path: &Path) -> Result<PathBuf, String> {
        let place = self.place(path)?.ok_or_else(|| format!("{} names no file", path.display()))?;
        match fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(format!("{}: {error}", path.display())),
            _ => Ok(place),
        }
    }

    /// Writes a file of `size` bytes, as the archive says.
    fn write(&mut self, path: &Path, size: u64, mode: u32, content: &mut dyn Read) -> Result<(), String> {
        if size > self.left.bytes {
            return Err(self.too_large());
        }
        let place = self.free_place(path)?;
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let mode = (mode & 0o777) | 0o600;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(place).map_err(failed)?;
        // What it says of its size need not be true.
        let written = io::copy(&mut content.take(self.left.bytes + 1), &mut file).map_err(failed)?;
        self.left.bytes = self.left.bytes.checked_sub(written).ok_or_else(|| self.too_large())?;
        if written != size {
            return Err(format!("{} is cut short", path.display()));
        }
        Ok(())
    }

    fn link(&mut self, path: &Path, target: &Path) -> Result<(), String> {
        let depth = plain_parts(path).map_or(0, |parts| parts.len().saturating_sub(1));
        if !stays_inside(target, depth) {
            return Err(format!("the link {} to {} leads out of its folder", path.display(), target.display()));
        }
        let place = self.free_place(path)?;
        symlink(target, place).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn hard_link(&mut self, path: &Path, target: &Path) -> Result<(), String> {
        let wrong = || format!("the link {} to {} leads to no file of it", path.display(), target.display());
        let mut source = self.folder.to_owned();
        let parts = plain_parts(target).filter(|parts| !parts.is_empty()).ok_or_else(wrong)?;
        for (number, part) in parts.iter().enumerate() {
            source.push(part);
            let found = fs::symlink_metadata(&source).map_err(|_| wrong())?;
            let is_last = number + 1 == parts.len();
            if (is_last && !found.is_file()) || (!is_last && !found.is_dir()) {
                return Err(wrong());
            }
        }
        let place = self.place(path)?.ok_or_else(wrong)?;
        if place == source {
            return Ok(());
        }
        match fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(format!("{}: {error}", path.display()));
            }
            _ => {}
        }
        fs::hard_link(source, place).map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// The parts of a path that leads nowhere but down; `None` for another.
fn plain_parts(path: &Path) -> Option<Vec<&std::ffi::OsStr>> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts)
}

/// Whether a link `depth` folders below the top stays below it: up first, then only down.
fn stays_inside(target: &Path, depth: usize) -> bool {
    let (mut up, mut down) = (0, false);
    for part in target.components() {
        match part {
            Component::ParentDir if !down => up += 1,
            Component::Normal(_) => down = true,
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    up <= depth && !target.as_os_str().is_empty()
}

/// Makes a folder; what is there already must be one, and no link to one.
fn make_real_folder(place: &Path) -> Result<(), String> {
    match DirBuilder::new().mode(0o755).create(place) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match fs::symlink_metadata(place) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => Err("something that is no folder is in its way".to_owned()),
            Err(error) => Err(error.to_string()),
        },
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
#[path = "unpack_tests.rs"]
mod tests;
