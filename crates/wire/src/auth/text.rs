//! What is signed, for both sides: the server that verifies and our own client that signs.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::tz::TimeZone;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::form::Pair;

/// What a TC3-HMAC-SHA256 signature covers (Tencent Cloud API 3.0, signature v3).
pub(crate) struct Tc3Text<'a> {
    pub(crate) method: &'a str,
    /// As sent, without the question mark.
    pub(crate) query: &'a str,
    /// Lower-case name and value, in the order signed.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// What [`payload_hash`] gives.
    pub(crate) payload_hash: &'a str,
    pub(crate) timestamp: i64,
    pub(crate) date: &'a str,
    pub(crate) service: &'a str,
}

impl Tc3Text<'_> {
    /// The signature, in hexadecimal digits.
    pub(crate) fn signature(&self, secret_key: &str) -> String {
        let date = sha256_mac(format!("TC3{secret_key}").as_bytes(), self.date);
        let service = sha256_mac(&date, self.service);
        let signing = sha256_mac(&service, "tc3_request");
        hex::encode(sha256_mac(&signing, &self.string_to_sign()))
    }

    fn string_to_sign(&self) -> String {
        let Self { timestamp, date, service, .. } = self;
        let hash = hex::encode(Sha256::digest(self.canonical_request()));
        format!("TC3-HMAC-SHA256\n{timestamp}\n{date}/{service}/tc3_request\n{hash}")
    }

    fn canonical_request(&self) -> String {
        let Self { method, query, payload_hash, .. } = self;
        let mut lines = String::new();
        for (name, value) in self.headers {
            writeln!(lines, "{name}:{value}").expect("a string takes all that is written");
        }
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        format!("{method}\n/\n{query}\n{lines}\n{}\n{payload_hash}", names.join(";"))
    }
}

/// The hash of a body as TC3-HMAC-SHA256 signs it.
pub(crate) fn payload_hash(payload: &[u8]) -> String {
    hex::encode(Sha256::digest(payload))
}

/// The UTC day of a time, `2017-03-12`; empty for a time that no calendar has.
pub(crate) fn utc_day(timestamp: i64) -> String {
    let time = jiff::Timestamp::from_second(timestamp);
    time.map(|time| time.to_zoned(TimeZone::UTC).date().to_string()).unwrap_or_default()
}

/// What a signature in a parameter covers (Tencent Cloud API signature v1, and CMQ's).
pub(crate) struct FormText<'a> {
    pub(crate) method: &'a str,
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    /// Sorted by the bytes of the names, without `Signature`.
    pub(crate) pairs: &'a [&'a Pair],
    /// Leave out parameters whose value begins with `@`, as CMQ's Python and PHP SDKs do in a POST.
    pub(crate) skip_at: bool,
    /// Write `_` in names as `.`, as the signature is documented; Go and Node.js do not.
    pub(crate) dots: bool,
}

impl FormText<'_> {
    /// The signature, in Base64.
    pub(crate) fn signature(&self, secret_key: &str, sha256: bool) -> String {
        if sha256 {
            STANDARD.encode(self.mac::<Hmac<Sha256>>(secret_key))
        } else {
            STANDARD.encode(self.mac::<Hmac<Sha1>>(secret_key))
        }
    }

    /// Fed piece by piece: a request may be megabytes long.
    fn mac<M: Mac + KeyInit>(&self, secret_key: &str) -> Vec<u8> {
        let mut mac = keyed::<M>(secret_key.as_bytes());
        for part in [self.method, self.host, self.path] {
            mac.update(part.as_bytes());
        }
        let signed = self.pairs.iter().filter(|(_, value)| !(self.skip_at && value.starts_with('@')));
        for (at, (name, value)) in signed.enumerate() {
            mac.update(if at == 0 { b"?" } else { b"&" });
            match self.dots && name.contains('_') {
                true => mac.update(name.replace('_', ".").as_bytes()),
                false => mac.update(name.as_bytes()),
            }
            mac.update(b"=");
            mac.update(value.as_bytes());
        }
        mac.finalize().into_bytes().to_vec()
    }
}

/// The pairs that are signed, in the order they are signed.
pub(crate) fn signed_pairs(pairs: &[Pair]) -> Vec<&Pair> {
    let mut pairs: Vec<&Pair> = pairs.iter().filter(|(name, _)| name != "Signature").collect();
    pairs.sort_unstable_by_key(|(name, _)| name.as_bytes());
    pairs
}

fn sha256_mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = keyed::<Hmac<Sha256>>(key);
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn keyed<M: KeyInit>(key: &[u8]) -> M {
    <M as KeyInit>::new_from_slice(key).expect("a key of any length will do for HMAC")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;

    /// The example of Tencent Cloud's page on signature v3, in its two published forms.
    #[test]
    fn tencents_examples_of_signature_v3_come_out() {
        let hash = payload_hash(BODY.as_bytes());
        assert_eq!(hash, "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064");
        let headers = [
            ("content-type", "application/json; charset=utf-8"),
            ("host", "cvm.tencentcloudapi.com"),
            ("x-tc-action", "describeinstances"),
        ];
        let text = |headers| Tc3Text {
            method: "POST",
            query: "",
            headers,
            payload_hash: &hash,
            timestamp: 1_551_113_065,
            date: "2019-02-25",
            service: "cvm",
        };
        assert_eq!(utc_day(1_551_113_065), "2019-02-25");
        assert_eq!(
            text(&headers).signature(&"*".repeat(32)),
            "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
        );
        assert_eq!(
            text(&headers[..2]).signature("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"),
            "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
        );
    }

    /// The example of Tencent Cloud's page on signature v1, for both hash functions.
    #[test]
    fn tencents_examples_of_signature_v1_come_out() {
        for (method, signature) in [
            ("HmacSHA256", "0EEm/HtGRr/VJXTAD9tYMth1Bzm3lLHz5RCDv1GdM8s="),
            ("HmacSHA1", "nPVnY6njQmwQ8ciqbPl5Qe+Oru4="),
        ] {
            let pairs: Vec<Pair> = [
                ("Timestamp", "1465185768"),
                ("Signature", "not signed itself"),
                ("Action", "DescribeInstances"),
                ("InstanceIds.0", "ins-09dx96dg"),
                ("SecretId", "AKIDz8krbsJ5yKBZQpn74WFkmLPx3gnPhESA"),
                ("Nonce", "11886"),
                ("Region", "ap-guangzhou"),
                ("SignatureMethod", method),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
            let text = FormText {
                method: "GET",
                host: "cvm.api.qcloud.com",
                path: "/v2/index.php",
                pairs: &signed_pairs(&pairs),
                skip_at: false,
                dots: true,
            };
            let computed = text.signature("Gu5t9xGARNpq86cd98joQYCN3Cozk1qA", method == "HmacSHA256");
            assert_eq!(computed, signature);
        }
    }
}
