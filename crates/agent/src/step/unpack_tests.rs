use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const SMALL: Bounds = Bounds { bytes: 1_000, entries: 10 };

/// A folder `in` beside which an archive lies, and beside which nothing may appear.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.folder()).unwrap();
        place
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("in")
    }

    fn unpack(&self, archive: &[u8]) -> Result<(), String> {
        let file = self.0.path().join("archive");
        fs::write(&file, archive).unwrap();
        let result = unpack(&file, &self.folder(), SMALL);
        let beside: Vec<_> = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(beside.len(), 2, "something was written outside: {beside:?}");
        result
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder().join(path)).unwrap()
    }
}

/// One entry of a tar: its kind, its name, its content or what it links to.
type Entry<'a> = (EntryType, &'a str, &'a str);

const FILE: EntryType = EntryType::Regular;

/// A tar with names that its builder would refuse.
fn tgz(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (kind, name, content) in entries {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o4755);
        let data = if matches!(kind, EntryType::Symlink | EntryType::Link) {
            header.as_mut_bytes()[157..157 + content.len()].copy_from_slice(content.as_bytes());
            ""
        } else {
            content
        };
        header.set_size(data.len() as u64);
        header.set_cksum();
        builder.append(&header, data.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn zip(entries: &[(&str, &str, u32)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content, mode) in entries {
        let options = SimpleFileOptions::default().unix_permissions(*mode);
        if mode & 0o170_000 == 0o120_000 {
            writer.add_symlink(*name, *content, options).unwrap();
        } else if name.ends_with('/') {
            writer.add_directory(*name, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_tar_is_unpacked_with_its_links() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let archive = tgz(&[
        (EntryType::XGlobalHeader, "pax_global_header", "19 comment=abcdef\n"),
        (EntryType::Directory, "./", ""),
        (EntryType::Directory, "./bin/", ""),
        (FILE, "./bin/run", "#!/bin/sh\n"),
        (FILE, "deep/er/x", "1"),
        (EntryType::Symlink, "deep/er/run", "../../bin/run"),
        (EntryType::Link, "same", "bin/run"),
        (FILE, "deep/er/x", "2"),
    ]);
    assert_eq!(place.unpack(&archive), Ok(()));
    assert_eq!((place.read("deep/er/run"), place.read("same")), ("#!/bin/sh\n".into(), "#!/bin/sh\n".into()));
    assert_eq!(place.read("deep/er/x"), "2", "the later one counts");
    let mode = fs::metadata(place.folder().join("bin/run")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o755, "nobody's rights come with it");
    assert_eq!(place.unpack(&archive), Ok(()), "over what an earlier run has left");
}

#[test]
fn a_zip_is_unpacked_with_its_links() {
    let place = Place::new();
    let archive = zip(&[
        ("bin/", "", 0o755),
        ("bin/run", "#!/bin/sh\n", 0o100_755),
        ("deep/x", "1", 0o100_600),
        ("deep/run", "../bin/run", 0o120_777),
    ]);
    assert_eq!(place.unpack(&archive), Ok(()));
    assert_eq!((place.read("deep/run"), place.read("deep/x")), ("#!/bin/sh\n".into(), "1".into()));
}

#[test]
fn nothing_is_written_outside_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    fs::write(&victim, "whole").unwrap();
    let outside = outside.path().to_str().unwrap();
    let victim_name = victim.to_str().unwrap();
    let tables: &[&[Entry<'_>]] = &[
        &[(FILE, "../x", "1")],
        &[(FILE, "a/../../x", "1")],
        &[(FILE, victim_name, "1")],
        &[(EntryType::Symlink, "a", "..")],
        &[(EntryType::Symlink, "a", outside)],
        &[(EntryType::Symlink, "a", "")],
        &[(EntryType::Symlink, "d/a", "../../x")],
        // Down and up again, through a link that is shallower than it looks.
        &[
            (EntryType::Directory, "a/b", ""),
            (EntryType::Symlink, "a/b/up", "../.."),
            (EntryType::Symlink, "out", "a/b/up/.."),
        ],
        // Through a link that stays inside, which is not followed either.
        &[(EntryType::Directory, "d", ""), (EntryType::Symlink, "l", "d"), (FILE, "l/x", "1")],
        &[(EntryType::Directory, "d", ""), (EntryType::Symlink, "l", "d"), (EntryType::Directory, "l", "")],
        &[(EntryType::Link, "a", "../archive")],
        &[(EntryType::Link, "a", victim_name)],
        &[(EntryType::Symlink, "l", "d"), (FILE, "d", "1"), (EntryType::Link, "a", "l")],
        &[(EntryType::Char, "null", "")],
        &[(EntryType::Fifo, "pipe", "")],
        &[(FILE, ".", "1")],
        &[(EntryType::Directory, "d", ""), (FILE, "d", "1")],
    ];
    for entries in tables {
        let place = Place::new();
        let error = place.unpack(&tgz(entries)).expect_err(&format!("{entries:?}"));
        assert!(!error.is_empty(), "{entries:?}");
    }
    for entries in [
        [("../x", "1", 0o100_644)],
        [(victim_name, "1", 0o100_644)],
        [("a", "../x", 0o120_777)],
        [("a", "/etc/passwd", 0o120_777)],
    ] {
        Place::new().unpack(&zip(&entries)).expect_err(&format!("{entries:?}"));
    }
    assert_eq!(fs::read_to_string(victim).unwrap(), "whole");
}

#[test]
fn a_link_that_is_replaced_by_a_file_is_not_written_through() {
    let place = Place::new();
    let archive = tgz(&[(FILE, "x", "whole"), (EntryType::Symlink, "l", "x"), (FILE, "l", "new")]);
    assert_eq!(place.unpack(&archive), Ok(()));
    assert_eq!((place.read("x"), place.read("l")), ("whole".into(), "new".into()));
}

#[test]
fn bombs_are_refused() {
    let huge = "0".repeat(1_001);
    let half = "0".repeat(501);
    for archive in [tgz(&[(FILE, "x", &huge)]), zip(&[("x", &huge, 0o100_644)])] {
        assert_eq!(Place::new().unpack(&archive).unwrap_err(), "it unpacks to more than 1000 bytes");
    }
    let archive = tgz(&[(FILE, "x", &half), (FILE, "y", &half)]);
    assert_eq!(Place::new().unpack(&archive).unwrap_err(), "it unpacks to more than 1000 bytes");
    let names: Vec<String> = (0..11).map(|number| number.to_string()).collect();
    let entries: Vec<Entry<'_>> = names.iter().map(|name| (FILE, name.as_str(), "")).collect();
    assert_eq!(Place::new().unpack(&tgz(&entries)).unwrap_err(), "it has more than 10 files");
    let entries: Vec<(&str, &str, u32)> = names.iter().map(|name| (name.as_str(), "", 0o100_644)).collect();
    assert_eq!(Place::new().unpack(&zip(&entries)).unwrap_err(), "it has more than 10 files");
}

/// A zip whose header says less than its data hold.
#[test]
fn a_size_that_is_a_lie_is_found_out() {
    let mut archive = zip(&[("x", &"0".repeat(900), 0o100_644)]);
    let lie = 5_u32.to_le_bytes();
    let truth = 900_u32.to_le_bytes();
    let places: Vec<usize> = (0..archive.len() - 4).filter(|at| archive[*at..at + 4] == truth).collect();
    assert!(!places.is_empty());
    for at in places {
        archive[at..at + 4].copy_from_slice(&lie);
    }
    Place::new().unpack(&archive).unwrap_err();
}

#[test]
fn what_is_no_whole_archive_is_refused() {
    let whole = tgz(&[(FILE, "x", &"content ".repeat(100))]);
    let zip = zip(&[("x", &"content ".repeat(100), 0o100_644)]);
    for bytes in
        [&b""[..], b"PK", b"plain text", &whole[..whole.len() / 2], &whole[..whole.len() - 4], &zip[..zip.len() / 2]]
    {
        Place::new().unpack(bytes).unwrap_err();
    }
    let plain_tar_is_no_package = Builder::new(Vec::new()).into_inner().unwrap();
    Place::new().unpack(&plain_tar_is_no_package).unwrap_err();
    let not_tar = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&[b'x'; 2_000]).unwrap();
        encoder.finish().unwrap()
    };
    assert!(Place::new().unpack(&not_tar).unwrap_err().starts_with("it is broken"));
}
