//! Packages: whatever is in one, nothing is written outside its folder, and no more than the bounds allow.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// What an archive may unpack to.
const BYTES: u64 = 4_096;
const ENTRIES: u64 = 16;

/// An archive: `t` and the bytes of a tar, which are compressed here, or any other byte and those of a whole file.
///
/// # Panics
/// Where something appeared outside the folder, or more in it than allowed.
pub fn check(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let around = tempfile::tempdir().expect("a folder");
    let (file, folder) = (around.path().join("archive"), around.path().join("in"));
    fs::create_dir(&folder).expect("a folder");
    let whole = if *kind == b't' { compressed(rest) } else { rest.to_vec() };
    fs::write(&file, whole).expect("a file");
    if let Err(why) = agent::unpack_archive(&file, &folder, BYTES, ENTRIES) {
        assert!(!why.is_empty());
    }
    let beside = fs::read_dir(around.path()).expect("the folder").count();
    assert_eq!(beside, 2, "something was written outside");
    let (mut size, mut files) = (0, 0);
    measure(&folder, &folder, &mut size, &mut files);
    // Folders on the way to an entry are not counted, a part of the one that was too much may be there.
    assert!(size <= BYTES + 1 && files <= ENTRIES, "{size} bytes, {files} files");
}

fn compressed(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(tar).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// Adds up the files below a folder; every link there must lead to a place below `top`.
fn measure(top: &Path, folder: &Path, size: &mut u64, files: &mut u64) {
    for entry in fs::read_dir(folder).expect("a folder that is there") {
        let path = entry.expect("an entry").path();
        let found = fs::symlink_metadata(&path).expect("what is there");
        if found.is_dir() {
            measure(top, &path, size, files);
            continue;
        }
        *files += 1;
        if found.is_symlink() {
            if let Ok(target) = fs::canonicalize(&path) {
                assert!(target.starts_with(fs::canonicalize(top).expect("the folder")), "{} leads out", path.display());
            }
        } else {
            *size += found.len();
        }
    }
}
