//! Job files: read, or refused with the line; one that is well-formed and no object has none.

/// The text of a file.
///
/// # Panics
/// Where it is refused without the line.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match wire::file::read(text) {
        Ok(value) => assert!(serde_json::to_string(&value).is_ok()),
        Err(error) => {
            let told = error.to_string();
            assert!(told.contains("line ") || told.contains("must hold an object"), "{told}");
        }
    }
}
