//! Files that describe a job or an environment.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Why such a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// It cannot be read.
    #[error("failed to read {}", name(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("failed to write {}", name(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its text is not what it should be.
    #[error("failed to understand {}", name(path))]
    Understand {
        /// The file.
        path: PathBuf,
        /// Why, with line and column.
        source: wire::file::FileError,
    },
}

/// The request that a file describes; `-` is standard input. The file holds the whole request, or just the object
/// that stands in it under `kind` (`Job`, `ComputeEnv`). Without a Placement, the region's first zone is filled in.
///
/// # Errors
/// The file cannot be read, or is not JSON in one of the accepted writings. What it says is for the server to check.
pub(crate) fn request(path: &Path, kind: &str, region: &str) -> Result<Value, FileError> {
    let mut request = object(path, kind)?;
    place(&mut request, region);
    Ok(request)
}

/// The request that a file describes, as [`request`] reads it, for an action without Placement.
///
/// # Errors
/// As [`request`].
pub(crate) fn object(path: &Path, kind: &str) -> Result<Value, FileError> {
    let text = text(path)?;
    whole(&text, kind).map_err(|source| FileError::Understand { path: path.to_owned(), source })
}

/// Puts the region's first zone into a request without Placement.
pub(crate) fn place(request: &mut Value, region: &str) {
    if request["Placement"].is_null() {
        request["Placement"] = json!({"Zone": format!("{region}-1")});
    }
}

fn whole(text: &str, kind: &str) -> Result<Value, wire::file::FileError> {
    let request = wire::file::read(text)?;
    Ok(if request.get(kind).is_none() { json!({ kind: request }) } else { request })
}

/// The text of a file; `-` is standard input.
///
/// # Errors
/// It cannot be read.
pub(crate) fn text(path: &Path) -> Result<String, FileError> {
    read(path).map_err(|source| FileError::Read { path: path.to_owned(), source })
}

fn read(path: &Path) -> io::Result<String> {
    if path != Path::new("-") {
        return std::fs::read_to_string(path);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(text: &str, kind: &str, region: &str) -> Result<Value, wire::file::FileError> {
        let mut request = whole(text, kind)?;
        place(&mut request, region);
        Ok(request)
    }

    #[test]
    fn a_file_holds_the_request_or_just_its_object() {
        let zone = json!({"Zone": "ap-guangzhou-1"});
        let whole = json!({"Job": {"Tasks": []}, "Placement": zone});
        for text in ["{\"Tasks\": []}", "{\"tasks\": [],}", "{\"job\": {\"tasks\": []}}"] {
            assert_eq!(complete(text, "Job", "ap-guangzhou").unwrap(), whole, "{text}");
        }
        let placed = r#"{"Placement": {"Zone": "ap-beijing-3"}, "Job": {}} // elsewhere"#;
        let wanted = json!({"Placement": {"Zone": "ap-beijing-3"}, "Job": {}});
        assert_eq!(complete(placed, "Job", "ap-guangzhou").unwrap(), wanted);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let missing = request(Path::new("no/such.json"), "Job", "r").unwrap_err();
        assert_eq!(missing.to_string(), "failed to read no/such.json");
        let broken = complete("{", "Job", "r").unwrap_err().to_string();
        assert!(broken.starts_with("line 1, column "), "{broken}");
    }
}
