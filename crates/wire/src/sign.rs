//! Signs our own requests: API 3.0 with TC3-HMAC-SHA256, CMQ v2 with HmacSHA256.

use crate::auth::text::{payload_hash, signed_pairs, utc_day};
use crate::auth::{FormText, Tc3Text};
use crate::form::Pair;

/// A key pair.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// Sent along.
    pub secret_id: &'a str,
    /// Never sent.
    pub secret_key: &'a str,
}

/// An action of API 3.0 and where it is called.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The `Host` header that will be sent, with the port: `127.0.0.1:7400`.
    pub host: &'a str,
    /// `batch`, `tdmq`.
    pub service: &'a str,
    /// E.g. `SubmitJob`.
    pub action: &'a str,
    /// E.g. `2017-03-12`.
    pub version: &'a str,
    /// E.g. `ap-guangzhou`.
    pub region: Option<&'a str>,
}

/// The headers that make `body` (a JSON object, POSTed to `/`) a signed call of API 3.0 at this time (unix
/// seconds). They include `Content-Type`; `Host` is for the HTTP client to send.
#[must_use]
pub fn tc3(key: Key<'_>, target: &Target<'_>, body: &[u8], timestamp: i64) -> Vec<(&'static str, String)> {
    const CONTENT_TYPE: &str = "application/json";
    const SIGNED_HEADERS: &str = "content-type;host";
    let Target { host, service, action, version, region } = target;
    let date = utc_day(timestamp);
    let text = Tc3Text {
        method: "POST",
        query: "",
        headers: &[("content-type", CONTENT_TYPE), ("host", host)],
        payload_hash: &payload_hash(body),
        timestamp,
        date: &date,
        service,
    };
    let signature = text.signature(key.secret_key);
    let credential = format!("{}/{date}/{service}/tc3_request", key.secret_id);
    let authorization =
        format!("TC3-HMAC-SHA256 Credential={credential}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}");
    let mut headers = vec![
        ("Authorization", authorization),
        ("Content-Type", CONTENT_TYPE.to_owned()),
        ("X-TC-Action", (*action).to_owned()),
        ("X-TC-Version", (*version).to_owned()),
        ("X-TC-Timestamp", timestamp.to_string()),
    ];
    headers.extend(region.map(|region| ("X-TC-Region", region.to_owned())));
    headers
}

/// The form body that, POSTed to `path` (usually `/v2/index.php`) on `host` (with the port, as the `Host`
/// header will have it), is a signed call of CMQ v2 at this time (unix seconds). `nonce` is a random number.
#[must_use]
pub fn v2(
    key: Key<'_>,
    host: &str,
    path: &str,
    action: &str,
    params: &[(&str, &str)],
    nonce: u64,
    timestamp: i64,
) -> String {
    let common = [
        ("Action", action),
        ("Nonce", &nonce.to_string()),
        ("SecretId", key.secret_id),
        ("SignatureMethod", "HmacSHA256"),
        ("Timestamp", &timestamp.to_string()),
    ];
    let pairs = params.iter().copied().chain(common);
    let mut pairs: Vec<Pair> = pairs.map(|(name, value)| (name.into(), value.into())).collect();
    let signed = signed_pairs(&pairs);
    let text = FormText { method: "POST", host, path, pairs: &signed, skip_at: false, dots: true };
    let signature = text.signature(key.secret_key, true);
    pairs.push(("Signature".into(), signature));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth;
    use crate::call::Call;
    use crate::request::HttpRequest;

    const KEY: Key<'_> = Key { secret_id: "AKIDtest", secret_key: "secret" };
    const NOW: i64 = 1_795_290_200;

    fn request(path: &str, headers: Vec<(&str, String)>, body: Vec<u8>) -> HttpRequest {
        let mut headers: Vec<(String, String)> =
            headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        headers.push(("host".into(), "127.0.0.1:7400".into()));
        HttpRequest { method: "POST".into(), path: path.into(), query: String::new(), headers, body }
    }

    #[test]
    fn a_signed_call_of_api3_verifies() {
        let target = Target {
            host: "127.0.0.1:7400",
            service: "batch",
            action: "DescribeJobs",
            version: "2017-03-12",
            region: Some("ap-guangzhou"),
        };
        let body = r#"{"Limit": 1}"#.as_bytes();
        let headers = tc3(KEY, &target, body, NOW);
        let Ok(Call::Api3(call)) = Call::read(request("/", headers, body.to_vec())) else {
            panic!("not read as a call of API 3.0");
        };
        assert_eq!(auth::api3::verify(&call, KEY.secret_key, NOW + 299), Ok(()));
        assert_eq!((call.action.as_str(), call.region.as_deref()), ("DescribeJobs", Some("ap-guangzhou")));
        assert_eq!(call.params(), Ok(serde_json::json!({"Limit": 1})));
    }

    #[test]
    fn a_signed_call_of_v2_verifies() {
        let params = [("queueName", "q"), ("msgBody", "@消息 &=+ 100%")];
        let body = v2(KEY, "127.0.0.1:7400", "/v2/index.php", "SendMessage", &params, 7, NOW);
        let Ok(Call::V2(call)) = Call::read(request("/v2/index.php", vec![], body.into_bytes())) else {
            panic!("not read as a call of CMQ v2");
        };
        assert_eq!(auth::v2::verify(&call, KEY.secret_key, NOW - 299), Ok(()));
        assert_eq!(call.params.text("msgBody"), Some("@消息 &=+ 100%"));
        assert!(call.is("sendmessage"));
    }
}
