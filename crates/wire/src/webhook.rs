//! What a post to an HTTP subscriber says beside its body: the signature of Standard Webhooks
//! (<https://www.standardwebhooks.com>, version 1.0.0), and the `Retry-After` of its answer (RFC 9110, 10.2.3).

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use kernel::subscription::Secret;
use kernel::time::Timestamp;
use sha2::Sha256;

/// What a secret's text begins with.
const PREFIX: &str = "whsec_";

/// The text of a secret, as receivers are given it.
#[must_use]
pub fn secret_text(secret: &Secret) -> String {
    format!("{PREFIX}{}", STANDARD.encode(secret.bytes()))
}

/// Reads a secret's text; `None` when it is none: `whsec_` and 24 to 64 bytes in Base64.
#[must_use]
pub fn parse_secret(text: &str) -> Option<Secret> {
    STANDARD.decode(text.strip_prefix(PREFIX)?).ok().and_then(Secret::new)
}

/// What `webhook-signature` says: one signature for each secret, `v1,…`, with blanks between. Signed is
/// `{id}.{timestamp}.{body}`; `id` and `timestamp_s` stand in `webhook-id` and `webhook-timestamp`.
#[must_use]
pub fn signatures<'a>(
    secrets: impl IntoIterator<Item = &'a Secret>,
    id: &str,
    timestamp_s: i64,
    body: &[u8],
) -> String {
    let sign = |secret: &Secret| {
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(secret.bytes()).expect("HMAC takes a key of any length");
        mac.update(format!("{id}.{timestamp_s}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    };
    secrets.into_iter().map(sign).collect::<Vec<_>>().join(" ")
}

/// How long a `Retry-After` asks to wait, in milliseconds: it says so in seconds, or names a date. `None`: it is
/// neither.
#[must_use]
pub fn retry_after_ms(text: &str, now: Timestamp) -> Option<u64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than a number can be is longer than anybody waits.
        return Some(text.parse::<u64>().map_or(u64::MAX, |seconds| seconds.saturating_mul(1_000)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let since = date.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let at = Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Some(at.since_ms(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> Secret {
        Secret::new(vec![byte; 32]).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_is_signed_as_it_says() {
        let secret = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = signatures([&secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_reference_library_takes_a_signature_by_either_secret() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let timestamp_s = i64::try_from(now).unwrap();
        let signed = signatures([&secret(1), &secret(2)], "42", timestamp_s, b"hello");
        let mut headers = http::HeaderMap::new();
        headers.insert("webhook-id", "42".parse().unwrap());
        headers.insert("webhook-timestamp", timestamp_s.to_string().parse().unwrap());
        headers.insert("webhook-signature", signed.parse().unwrap());
        for (byte, good) in [(1, true), (2, true), (3, false)] {
            let webhook = standardwebhooks::Webhook::new(&secret_text(&secret(byte))).unwrap();
            assert_eq!(webhook.verify(b"hello", &headers).is_ok(), good, "secret {byte}");
            assert!(webhook.verify(b"hullo", &headers).is_err());
        }
    }

    #[test]
    fn secrets_are_read_as_they_are_written() {
        assert_eq!(parse_secret(&secret_text(&secret(7))), Some(secret(7)));
        let short = format!("whsec_{}", STANDARD.encode([1; 23]));
        for bad in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64", short.as_str()] {
            assert_eq!(parse_secret(bad), None, "{bad}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp(1_445_412_400_000);
        let table = [
            ("120", Some(120_000)),
            (" 0 ", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(80_000)),
            ("Wednesday, 21-Oct-15 07:28:00 GMT", Some(80_000)),
            ("Wed Oct 21 07:28:00 2015", Some(80_000)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ];
        for (text, wanted) in table {
            assert_eq!(retry_after_ms(text, now), wanted, "{text}");
        }
    }
}
