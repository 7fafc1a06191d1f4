//! What names, addresses, tags and keys must be like. What is wrong is told apart here; each protocol has its own
//! words for it.

use url::Url;

use super::limits::{ENDPOINT_CHARS, KEY_BYTES, KEY_DOTS, NAME_CHARS};

/// Names that end so belong to queues that Tencent CMQ makes by itself.
const RESERVED_ENDS: [&str; 2] = ["-retry", "-dlq"];

/// What a name must be like, for messages.
pub(in crate::api) const NAME_RULE: &str =
    "must begin with a letter and have at most 64 letters, digits, hyphens and underscores";

/// Whether it is a name for a topic or subscription.
pub(in crate::api) fn is_name(name: &str) -> bool {
    name.len() <= NAME_CHARS
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether it is a name for a queue: names are compared without case, so the reserved ends are too.
pub(in crate::api) fn is_queue_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    is_name(name) && !RESERVED_ENDS.iter().any(|end| lower.ends_with(end))
}

/// What is wrong with an HTTP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum BadUrl {
    /// It has blanks in it.
    Blank,
    /// It is no `http://` or `https://` address with a host and without a user, or a longer one than allowed.
    Form,
}

/// Checks an address that posts are to go to. Whether they may go there is found out when they do.
pub(in crate::api) fn check_url(text: &str) -> Result<(), BadUrl> {
    if text.contains(char::is_whitespace) {
        return Err(BadUrl::Blank);
    }
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).ok_or(BadUrl::Form)?;
    // A user or password would be shown wherever the address is.
    let plain = |url: &Url| url.has_host() && url.username().is_empty() && url.password().is_none();
    let whole = Url::parse(text).is_ok_and(|url| plain(&url));
    // `http:///x` would be read as the host `x`.
    if whole && !rest.starts_with('/') && text.chars().count() <= ENDPOINT_CHARS { Ok(()) } else { Err(BadUrl::Form) }
}

/// Whether it is a tag of at most `most` characters. Tags stand in a header of each post, so they hold no controls.
pub(in crate::api) fn is_tag(tag: &str, most: usize) -> bool {
    !tag.is_empty() && tag.chars().count() <= most && !tag.contains(char::is_control)
}

/// What is wrong with a routing or binding key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum BadKey {
    /// It is too long.
    Length,
    /// It has too many words.
    Dots,
}

/// Checks a routing or binding key.
pub(in crate::api) fn check_key(key: &str) -> Result<(), BadKey> {
    if key.len() > KEY_BYTES {
        return Err(BadKey::Length);
    }
    if key.bytes().filter(|byte| *byte == b'.').count() > KEY_DOTS {
        return Err(BadKey::Dots);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::limits::TAG_CHARS;
    use super::*;

    #[test]
    fn names() {
        let longest = "a".repeat(64);
        for name in ["q", "Job-message_2", longest.as_str()] {
            assert!(is_name(name) && is_queue_name(name), "{name}");
        }
        let too_long = "a".repeat(65);
        for name in ["", "1q", "-q", "_q", "a b", "é", "a.b", too_long.as_str()] {
            assert!(!is_name(name) && !is_queue_name(name), "{name}");
        }
        for name in ["a-retry", "a-dlq", "a-DLQ"] {
            assert!(is_name(name) && !is_queue_name(name), "{name}");
        }
    }

    #[test]
    fn addresses() {
        let long = |chars: usize| format!("http://h/{}", "a".repeat(chars - 9));
        for good in ["http://127.0.0.1:9/cgi?a=b", "https://example.com", "http://[::1]:80/", &long(500)] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "ftp://h/",
            "h:80",
            "http://",
            "http:///x",
            "http://h:99999/",
            "http://u@h/",
            "http://u:p@h/",
            "queue",
            &long(501),
        ] {
            assert_eq!(check_url(bad), Err(BadUrl::Form), "{bad}");
        }
        for blank in ["http://h/a b", " http://h", "http://h\n"] {
            assert_eq!(check_url(blank), Err(BadUrl::Blank), "{blank}");
        }
    }

    #[test]
    fn tags_and_keys() {
        assert!(is_tag("0123456789abcdef", TAG_CHARS) && is_tag("消息", TAG_CHARS));
        for bad in ["", "0123456789abcdefg", "a\r\nb"] {
            assert!(!is_tag(bad, TAG_CHARS), "{bad:?}");
        }
        assert_eq!(check_key(""), Ok(()));
        assert_eq!(check_key(&".".repeat(15)), Ok(()));
        assert_eq!(check_key(&".".repeat(16)), Err(BadKey::Dots));
        assert_eq!(check_key(&"a".repeat(64)), Ok(()));
        assert_eq!(check_key(&"a".repeat(65)), Err(BadKey::Length));
    }
}
