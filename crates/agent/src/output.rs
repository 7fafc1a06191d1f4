//! The output files of a run: its end for the report, and the bounds of the file.
//!
//! A process writes straight into its files. All attempts of an instance write to the same two, each after the last.
//! When a run is over, a file that grew too long keeps its beginning and its end, with a mark between. While the run
//! goes on, the middle of such a file is given back to the disk again and again: the file looks long, but what lies
//! between is a hole. Nothing is copied for that, and the process notices nothing, since it only ever appends.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use wire::node::TAIL_BYTES;

use crate::limits::{OUTPUT_HEAD_BYTES, OUTPUT_LOOSE_BYTES, OUTPUT_TAIL_BYTES};
use crate::user::User;

/// What a file keeps when it grew too long.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    head: u64,
    tail: u64,
}

const BOUNDS: Bounds = Bounds { head: OUTPUT_HEAD_BYTES, tail: OUTPUT_TAIL_BYTES };

const MARK_BEGIN: &str = "\n[";
const MARK_END: &str = " bytes left out here]\n";
/// The longest mark.
const MARK_BYTES: u64 = MARK_BEGIN.len() as u64 + 20 + MARK_END.len() as u64;

/// Holes begin and end at multiples of this: no file system gives back less than a block.
const BLOCK_BYTES: u64 = 4_096;
/// The unit in which a file's place on the disk is counted, whatever its file system.
const COUNTED_BYTES: u64 = 512;

/// A file that a run writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    path: PathBuf,
    /// How long the file was when the run began.
    begin: u64,
    closed: Closed,
}

/// Whether the run is over: once its file is in its bounds, no hole may be made in what is left. Who makes one holds
/// it.
#[derive(Debug, Clone, Default)]
struct Closed(Arc<Mutex<bool>>);

impl PartialEq for Closed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Closed {}

impl Output {
    /// Opens the file at its end, making it and its folder when missing, and gives it to `user`. The folder's parent must
    /// be there.
    pub(crate) fn open(path: PathBuf, user: Option<&User>) -> io::Result<(Self, File)> {
        let open = || OpenOptions::new().append(true).create(true).open(&path);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
                match fs::create_dir(folder) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    _ => open()?,
                }
            }
            result => result?,
        };
        if let Some(user) = user {
            // Its step copies it away.
            user.own(&path)?;
        }
        let begin = file.metadata()?.len();
        Ok((Self { path, begin, closed: Closed::default() }, file))
    }

    /// The run is over: the end of what it wrote, as a report carries it. Keeps the file in its bounds.
    pub(crate) fn close(&self) -> io::Result<String> {
        self.close_within(BOUNDS)
    }

    /// The run goes on: gives the middle of a file that takes too much of the disk back to it. Whether there was so
    /// much.
    pub(crate) fn bound(&self) -> io::Result<bool> {
        self.bound_within(BOUNDS, OUTPUT_LOOSE_BYTES)
    }

    fn bound_within(&self, bounds: Bounds, loose: u64) -> io::Result<bool> {
        let closed = self.closed.0.lock().expect("no panic while held");
        if *closed {
            return Ok(false);
        }
        let metadata = match fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let length = metadata.len();
        // A mark that an earlier attempt left behind the head is counted on when the run is over, so it stays.
        let from = (bounds.head + MARK_BYTES).next_multiple_of(BLOCK_BYTES);
        let to = length.saturating_sub(bounds.tail) / BLOCK_BYTES * BLOCK_BYTES;
        if metadata.blocks() * COUNTED_BYTES <= from + bounds.tail + loose || to <= from {
            return Ok(false);
        }
        punch(&self.path, from, to).or_else(|errno| match errno {
            // A file system without holes. What is written in just this moment is lost without being counted.
            Errno::EOPNOTSUPP | Errno::ENOSYS => compact(&self.path, length, bounds),
            errno => Err(errno.into()),
        })?;
        Ok(true)
    }

    fn close_within(&self, bounds: Bounds) -> io::Result<String> {
        *self.closed.0.lock().expect("no panic while held") = true;
        let length = match fs::metadata(&self.path) {
            Ok(metadata) => metadata.len(),
            // The run itself removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            Err(error) => return Err(error),
        };
        // A run may have cut its own file; then all of it is new.
        let begin = if length < self.begin { 0 } else { self.begin };
        if length == begin {
            return Ok(String::new());
        }
        let file = File::open(&self.path)?;
        let tail = read_end(&file, begin, length, TAIL_BYTES as u64)?;
        if length > bounds.head + bounds.tail + MARK_BYTES {
            compact(&self.path, length, bounds)?;
        }
        Ok(BASE64_STANDARD.encode(tail))
    }
}

/// At most `most` bytes of the end of `file` between two positions.
fn read_end(file: &File, begin: u64, end: u64, most: u64) -> io::Result<Vec<u8>> {
    let count = most.min(end - begin);
    let mut bytes = vec![0; usize::try_from(count).expect("a tail is short")];
    file.read_exact_at(&mut bytes, end - count)?;
    Ok(bytes)
}

/// Makes a hole of what lies between two positions.
fn punch(path: &Path, from: u64, to: u64) -> Result<(), Errno> {
    let file = OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
    let position = |at: u64| i64::try_from(at).map_err(|_| Errno::EFBIG);
    let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
    fallocate(&file, flags, position(from)?, position(to - from)?)
}

/// Leaves out the middle of a file.
fn compact(path: &Path, length: u64, bounds: Bounds) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let tail = read_end(&file, bounds.head, length, bounds.tail)?;
    let mut begin = vec![0; usize::try_from(MARK_BYTES).expect("a mark is short")];
    file.read_exact_at(&mut begin, bounds.head)?;
    // An earlier attempt's mark is among what is left out now; what it counted is counted on.
    let (mark_bytes, before) = parse_mark(&begin).unwrap_or((0, 0));
    let left_out = before + (length - bounds.head - bounds.tail - mark_bytes);
    let mut rest = format!("{MARK_BEGIN}{left_out}{MARK_END}").into_bytes();
    rest.extend_from_slice(&tail);
    // Written before the file is cut: who dies in between leaves too much, not too little.
    file.write_all_at(&rest, bounds.head)?;
    file.set_len(bounds.head + rest.len() as u64)
}

/// The mark that these bytes begin with: its length, and what it counts.
fn parse_mark(bytes: &[u8]) -> Option<(u64, u64)> {
    let rest = bytes.strip_prefix(MARK_BEGIN.as_bytes())?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let count = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    rest[digits..].starts_with(MARK_END.as_bytes()).then_some(())?;
    Some(((MARK_BEGIN.len() + digits + MARK_END.len()) as u64, count))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const SMALL: Bounds = Bounds { head: 10, tail: 5 };

    fn decoded(tail: &str) -> Vec<u8> {
        BASE64_STANDARD.decode(tail).unwrap()
    }

    /// One attempt that writes `text`: what is reported of it.
    fn attempt(path: &Path, text: &[u8], bounds: Bounds) -> Vec<u8> {
        let (output, mut file) = Output::open(path.to_owned(), None).unwrap();
        file.write_all(text).unwrap();
        decoded(&output.close_within(bounds).unwrap())
    }

    #[test]
    fn the_end_of_this_attempt_is_reported() {
        let logs = tempfile::tempdir().unwrap();
        let path = logs.path().join("job-1/t.0.stdout");
        assert_eq!(attempt(&path, b"", BOUNDS), b"");
        assert_eq!(attempt(&path, b"first", BOUNDS), b"first");
        assert_eq!(attempt(&path, b"", BOUNDS), b"", "the second wrote nothing");
        let long = [b'x'; TAIL_BYTES + 1];
        assert_eq!(attempt(&path, &long, BOUNDS), &long[1..]);
        assert_eq!(fs::metadata(&path).unwrap().len(), 5 + long.len() as u64);
    }

    #[test]
    fn a_file_that_the_run_cut_or_removed() {
        let logs = tempfile::tempdir().unwrap();
        let path = logs.path().join("t.0.stdout");
        attempt(&path, b"a long first attempt", BOUNDS);
        let (output, _) = Output::open(path.clone(), None).unwrap();
        fs::write(&path, "cut").unwrap();
        assert_eq!(decoded(&output.close().unwrap()), b"cut");
        fs::remove_file(&path).unwrap();
        assert_eq!(output.close().unwrap(), "");
    }

    #[test]
    fn a_folder_without_parent_is_not_made() {
        let logs = tempfile::tempdir().unwrap();
        assert!(Output::open(logs.path().join("gone/job-1/t.0.stdout"), None).is_err());
    }

    #[test]
    fn a_long_file_keeps_its_beginning_and_its_end() {
        let logs = tempfile::tempdir().unwrap();
        let path = logs.path().join("t.0.stdout");
        let most = usize::try_from(SMALL.head + SMALL.tail + MARK_BYTES).unwrap();
        attempt(&path, &vec![b'a'; most], SMALL);
        assert_eq!(fs::read(&path).unwrap(), vec![b'a'; most], "short enough");

        assert_eq!(attempt(&path, b"bcdefg", SMALL), b"bcdefg");
        let left_out = most + 6 - 15;
        let expected = format!("aaaaaaaaaa\n[{left_out} bytes left out here]\ncdefg");
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);

        attempt(&path, &[b'z'; 100], SMALL);
        let left_out = left_out + 5 + 100 - 5;
        let expected = format!("aaaaaaaaaa\n[{left_out} bytes left out here]\nzzzzz");
        assert_eq!(fs::read_to_string(&path).unwrap(), expected, "what was left out before counts");
    }

    #[test]
    fn the_middle_of_a_file_that_grows_is_given_back() {
        let logs = tempfile::tempdir().unwrap();
        let path = logs.path().join("t.0.stdout");
        let bounds = Bounds { head: 5_000, tail: 3_000 };
        attempt(&path, &[b'a'; 20_000], bounds);
        let marked = fs::metadata(&path).unwrap().len();
        let (output, mut file) = Output::open(path.clone(), None).unwrap();
        assert!(!output.bound_within(bounds, 100_000).unwrap(), "it takes little");
        let chunk = [b'b'; 100_000];
        for round in 1..=20u64 {
            file.write_all(&chunk).unwrap();
            assert!(output.bound_within(bounds, 20_000).unwrap(), "round {round}");
            let metadata = fs::metadata(&path).unwrap();
            assert_eq!(metadata.len(), marked + round * 100_000, "the writer's place does not move");
            assert!(metadata.blocks() * COUNTED_BYTES < 40_000, "{} blocks", metadata.blocks());
        }
        file.write_all(b"the end").unwrap();
        let tail = decoded(&output.close_within(bounds).unwrap());
        assert_eq!((tail.len(), tail.ends_with(b"bbthe end")), (TAIL_BYTES, true));
        let kept = fs::read(&path).unwrap();
        let left_out = 20_000 - 8_000 + 3_000 + 2_000_007 - 3_000;
        let mark = format!("{MARK_BEGIN}{left_out}{MARK_END}");
        assert_eq!(kept[..5_000], [b'a'; 5_000]);
        assert_eq!(kept[5_000..5_000 + mark.len()], *mark.as_bytes());
        assert_eq!(kept[5_000 + mark.len()..].len(), 3_000);
        assert!(kept.ends_with(b"bbthe end"));
        assert!(!output.bound_within(bounds, 0).unwrap(), "no holes in what is kept");
        assert_eq!(fs::read(&path).unwrap(), kept);
    }

    #[test]
    fn the_true_bounds_hold() {
        let logs = tempfile::tempdir().unwrap();
        let path = logs.path().join("t.0.stderr");
        let text: Vec<u8> = (0..2 * OUTPUT_HEAD_BYTES).map(|n| b'a' + u8::try_from(n % 23).unwrap()).collect();
        assert_eq!(attempt(&path, &text, BOUNDS), &text[text.len() - TAIL_BYTES..]);
        let kept = fs::read(&path).unwrap();
        let (head, tail) = (usize::try_from(OUTPUT_HEAD_BYTES).unwrap(), usize::try_from(OUTPUT_TAIL_BYTES).unwrap());
        assert_eq!(kept[..head], text[..head]);
        assert_eq!(kept[kept.len() - tail..], text[text.len() - tail..]);
        assert!(kept.len() as u64 <= OUTPUT_HEAD_BYTES + OUTPUT_TAIL_BYTES + MARK_BYTES);
    }
}
