//! Finds the texts whose words the demo counts. What is wrong with them is told before anything is started.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::DemoError;

/// Texts that are counted at most.
const FILES: usize = 2_000;
/// Bytes of text that are counted at most.
const BYTES: usize = 64 << 20;
/// Bytes at a file's beginning that tell text from the rest.
const SAMPLE_BYTES: u64 = 8 << 10;

/// The project's own documents, as far as the binary brings them along.
const EMBEDDED: [&str; 2] = [include_str!("../../../../README.md"), include_str!("../../../../ARCHITECTURE.md")];

/// Texts to count words in; at least one.
#[derive(Debug)]
pub(super) struct Texts {
    /// Where they are from, in words.
    from: String,
    /// Their contents.
    pub(super) contents: Vec<Vec<u8>>,
}

impl Texts {
    /// How many, how large and where from.
    pub(super) fn told(&self) -> String {
        let bytes: usize = self.contents.iter().map(Vec::len).sum();
        format!("{} files with {} KB of {}", self.contents.len(), bytes.div_ceil(1_000), self.from)
    }
}

/// The text files of a folder and its folders; without one, the project's own documents.
pub(super) fn gather(folder: Option<&Path>) -> Result<Texts, DemoError> {
    match folder {
        Some(folder) => {
            if !folder.is_dir() {
                return Err(DemoError::NotAFolder { path: folder.to_owned() });
            }
            let texts = Gatherer::new(folder).walk(vec![folder.to_owned()])?;
            if texts.contents.is_empty() { Err(DemoError::NoTexts { path: folder.to_owned() }) } else { Ok(texts) }
        }
        None => own_documents(std::env::current_dir().ok().as_deref()),
    }
}

/// The documents of the checkout that `here` lies in, else those that the binary brings along.
fn own_documents(here: Option<&Path>) -> Result<Texts, DemoError> {
    match here.and_then(|here| here.ancestors().find(|folder| is_checkout(folder))) {
        Some(checkout) => {
            let documents = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs"].map(|name| checkout.join(name));
            Gatherer::new(checkout).walk(documents.into_iter().filter(|path| path.exists()).collect())
        }
        None => {
            let contents = EMBEDDED.iter().map(|text| text.as_bytes().to_vec()).collect();
            Ok(Texts { from: "Herald's own documents".to_owned(), contents })
        }
    }
}

fn is_checkout(folder: &Path) -> bool {
    let is_ours = |readme: String| readme.starts_with("# Herald\n");
    folder.join("ARCHITECTURE.md").is_file() && fs::read_to_string(folder.join("README.md")).is_ok_and(is_ours)
}

struct Gatherer<'a> {
    root: &'a Path,
    contents: Vec<Vec<u8>>,
    bytes: usize,
}

impl<'a> Gatherer<'a> {
    fn new(root: &'a Path) -> Self {
        Self { root, contents: Vec::new(), bytes: 0 }
    }

    /// Takes the files among `paths` and those in the folders among them. Hidden ones are passed over, and links to
    /// folders are not followed.
    fn walk(mut self, mut paths: Vec<PathBuf>) -> Result<Texts, DemoError> {
        paths.reverse();
        while let Some(path) = paths.pop() {
            let failed = |source| DemoError::Read { path: path.clone(), source };
            if path.is_dir() {
                let mut inside = visible(&path).map_err(failed)?;
                // The last comes off the pile first.
                inside.sort_by(|left, right| right.cmp(left));
                paths.append(&mut inside);
            } else if path.is_file() {
                self.take(&path)?;
            }
        }
        Ok(Texts { from: self.root.display().to_string(), contents: self.contents })
    }

    fn take(&mut self, path: &Path) -> Result<(), DemoError> {
        let room = BYTES - self.bytes;
        let text = read_text(path, room).map_err(|source| DemoError::Read { path: path.to_owned(), source })?;
        let Some(text) = text else { return Ok(()) };
        let too_much = |most| DemoError::TooMuch { path: self.root.to_owned(), most };
        if text.len() > room {
            return Err(too_much(format!("{} MB of text", BYTES >> 20)));
        }
        if self.contents.len() == FILES {
            return Err(too_much(format!("{FILES} text files")));
        }
        self.bytes += text.len();
        self.contents.push(text);
        Ok(())
    }
}

/// What is in a folder, without hidden files and links to folders.
fn visible(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let is_link_to_folder = entry.file_type()?.is_symlink() && entry.path().is_dir();
        if !is_hidden && !is_link_to_folder {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

/// The file's content if it is text, one byte more than there is room for at most.
fn read_text(path: &Path, room: usize) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let mut content = Vec::new();
    (&mut file).take(SAMPLE_BYTES).read_to_end(&mut content)?;
    if content.is_empty() || content.contains(&0) {
        return Ok(None);
    }
    let rest = (room as u64 + 1).saturating_sub(content.len() as u64);
    file.take(rest).read_to_end(&mut content)?;
    let is_text = !content.contains(&0) && (content.len() > room || std::str::from_utf8(&content).is_ok());
    Ok(is_text.then_some(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_files_of_a_folder_are_taken_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        write("c.txt", b"three");
        write("a.md", b"one");
        write("b/deep", b"two");
        write("empty", b"");
        write("binary", b"\x7fELF\0");
        write("latin1", b"caf\xe9");
        write(".hidden", b"secret");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
        let texts = gather(Some(folder.path())).unwrap();
        assert_eq!(texts.contents, [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
        assert!(texts.told().starts_with("3 files with 1 KB of /"), "{}", texts.told());
    }

    #[test]
    fn a_wrong_input_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let error = gather(Some(&missing)).unwrap_err();
        assert!(error.is_usage() && error.to_string().ends_with("missing is not a folder"), "{error}");
        let error = gather(Some(folder.path())).unwrap_err();
        assert!(error.is_usage() && error.to_string().ends_with("holds no text files"), "{error}");
    }

    #[test]
    fn the_projects_own_documents_are_found_from_within() {
        let inside = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let found = own_documents(Some(&inside)).unwrap();
        assert!(found.contents.len() >= 3, "{}", found.told());
        let outside = tempfile::tempdir().unwrap();
        let brought = own_documents(Some(outside.path())).unwrap();
        assert_eq!(brought.contents.len(), EMBEDDED.len());
        assert!(brought.contents.iter().all(|text| text.len() > 1_000));
    }
}
