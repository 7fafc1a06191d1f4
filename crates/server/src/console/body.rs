//! The text of a message, in each way that it can be read.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::Value;

/// A message's text.
pub(super) struct Body {
    /// As it was sent.
    pub(super) text: String,
    /// Laid out, where it is JSON; what is Base64 is read first.
    pub(super) laid_out: Option<String>,
    /// Decoded, where it is text in Base64.
    pub(super) decoded: Option<String>,
}

impl Body {
    pub(super) fn of(text: &str) -> Self {
        let decoded = BASE64.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.filter(|decoded| !decoded.is_empty() && !decoded.chars().any(is_no_text));
        let json = serde_json::from_str::<Value>(decoded.as_deref().unwrap_or(text)).ok();
        let json = json.filter(|json| json.is_object() || json.is_array());
        let laid_out = json.and_then(|json| serde_json::to_string_pretty(&json).ok());
        Self { text: text.to_owned(), laid_out, decoded }
    }

    /// The way that says most.
    pub(super) fn read(&self) -> &str {
        self.laid_out.as_deref().or(self.decoded.as_deref()).unwrap_or(&self.text)
    }

    /// Whether [`read`](Self::read) is not what was sent.
    pub(super) fn is_read_otherwise(&self) -> bool {
        self.laid_out.is_some() || self.decoded.is_some()
    }

    /// Its beginning, on one line.
    pub(super) fn begins(&self) -> String {
        const CHARS: usize = 100;
        let text = self.decoded.as_deref().unwrap_or(&self.text);
        let mut line: String = text.chars().take(CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if text.chars().nth(CHARS).is_some() {
            line.push('…');
        }
        line
    }
}

fn is_no_text(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_in_the_way_that_says_most() {
        for (text, read, is_read_otherwise) in [
            ("hello", "hello", false),
            ("aGVsbG8=", "hello", true),
            ("{\"a\":1}", "{\n  \"a\": 1\n}", true),
            ("eyJhIjoxfQ==", "{\n  \"a\": 1\n}", true),
            ("17", "17", false),
            // Base64 of bytes that are no text.
            ("AAEC", "AAEC", false),
        ] {
            let body = Body::of(text);
            assert_eq!((body.read(), body.is_read_otherwise()), (read, is_read_otherwise), "{text}");
        }
        assert_eq!(Body::of("a\nb").begins(), "a b");
        assert_eq!(Body::of(&"x".repeat(200)).begins().chars().count(), 101);
    }
}
